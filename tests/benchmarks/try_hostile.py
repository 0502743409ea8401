"""Gives the program projects, models and annotation files that were made to harm, and prints what each one got.

python tests/benchmarks/try_hostile.py [--only WORD] [--memory-gb 3] [--cpu-s 30]

Each command runs in a process of its own under a limit of memory and of CPU time. "told": an error or a finding in
words, "done": as if nothing were wrong, "leaked": a traceback, "hung", "killed": memory or a crash, "harmed": a file
outside the folder was changed, made or deleted.
"""

import argparse
import contextlib
import io
import os
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from hostile_annotations import ANNOTATIONS
from hostile_models import MODELS
from hostile_projects import PROJECTS, Case

from maskwright.cli.app import app

WALL_S = 300.0
CASES = (*PROJECTS, *MODELS, *ANNOTATIONS)
GOOD = ("done", "told")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="")
    parser.add_argument("--memory-gb", type=float, default=3.0)
    parser.add_argument("--cpu-s", type=int, default=30)
    arguments = parser.parse_args()
    counted: Counter[str] = Counter()
    cases = [case for case in CASES if arguments.only in case.name]
    for case in cases:
        worst, details, peak = _tried(case, arguments)
        counted.update(outcome for outcome, _ in details)
        last = next((text for outcome, text in details if outcome == worst), "")
        print(f"{case.name:44} {worst:7} {peak:5.0f} MB  {last[:150]}", flush=True)
        for outcome, text in details:
            if outcome not in GOOD:
                print(f"    {outcome}: {text}")
    print(f"{len(cases)} cases, {counted.total()} commands: " + ", ".join(f"{n} {kind}" for kind, n in counted.items()))
    return 1 if set(counted) - set(GOOD) else 0


def _tried(case: Case, arguments: argparse.Namespace) -> tuple[str, list[tuple[str, str]], float]:
    with tempfile.TemporaryDirectory() as name:
        home = Path(name) / "home"
        (home / "data" / "a").mkdir(parents=True)
        for file in ("letter.txt", "data/a/1.part", "data/a/2.npz", "data/work.db"):
            (home / file).write_text("mine")
        place = Path(name) / "given"
        place.mkdir()
        (Path(name) / "out").mkdir()
        commands = case.make(place, home)
        before, details, peak = _looked(Path(name), place), [], 0.0
        for command in commands:
            outcome, text, used = _in_child(command, home, arguments)
            details.append((outcome, f"{' '.join(command)[:60].replace(name, '')}: {text}"))
            peak = max(peak, used)
        if (after := _looked(Path(name), place)) != before:
            details.append(("harmed", f"{set(after.items()) ^ set(before.items())}"))
        ranked = ["killed", "harmed", "leaked", "hung", "told", "done"]
        return min((outcome for outcome, _ in details), key=ranked.index), details, peak


def _looked(root: Path, given: Path) -> dict[str, bytes]:
    """What lies beside the folder of the stranger."""
    own = {root / "out", root / "home" / ".maskwright"}
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and given not in path.parents and not own & {path, *path.parents}
    }


def _in_child(command: list[str], home: Path, arguments: argparse.Namespace) -> tuple[str, str, float]:
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ours)
        os._exit(_run(command, home, arguments, theirs))
    os.close(theirs)
    timer, killed_at = time.monotonic(), None
    os.set_blocking(ours, False)
    text = b""
    while True:
        with contextlib.suppress(BlockingIOError):
            text += os.read(ours, 1 << 16)
        pid, status, usage = os.wait4(child, os.WNOHANG)
        if pid:
            break
        if killed_at is None and time.monotonic() - timer > WALL_S:
            killed_at = time.monotonic()
            os.kill(child, signal.SIGKILL)
        time.sleep(0.02)
    with contextlib.suppress(BlockingIOError):
        text += os.read(ours, 1 << 16)
    os.close(ours)
    said, peak = text.decode(errors="replace").strip().replace("\n", " | "), usage.ru_maxrss / 1024
    if killed_at is not None or (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU):
        return "hung", said, peak
    if os.WIFSIGNALED(status):
        return "killed", f"signal {os.WTERMSIG(status)} {said}", peak
    return {0: "done", 99: "leaked"}.get(os.WEXITSTATUS(status), "told"), said, peak


def _run(command: list[str], home: Path, arguments: argparse.Namespace, report: int) -> int:
    os.environ.update(HOME=str(home), **dict.fromkeys(("XDG_DATA_HOME", "XDG_CACHE_HOME"), str(home / ".maskwright")))
    limit = int(arguments.memory_gb * 2**30)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CPU, (arguments.cpu_s, arguments.cpu_s + 5))
    said = io.StringIO()
    code = 0
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            app(command)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:  # noqa: BLE001  (the border of this program: whatever it is, it is a finding)
        said.write(traceback.format_exc(limit=-5))
        code = 99
    kept = said.getvalue()
    with contextlib.suppress(OSError):
        os.write(report, (kept if len(kept) < 4000 else kept[:1500] + " ... " + kept[-2400:]).encode()[:60_000])
    return code


if __name__ == "__main__":
    sys.exit(main())
