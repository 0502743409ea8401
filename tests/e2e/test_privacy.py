"""The program in a fresh home, watched: no connection is tried, no file is left outside its own folders."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WATCH = """
import os, sys
def watch(event, args):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
        target = args[-1] if event in ("socket.connect", "socket.sendto") else args[0]
        if not isinstance(target, (str, bytes)) or event != "socket.connect":  # a path is a socket of this machine
            with open(os.environ["WATCH_LOG"], "a") as log:
                print(event, args[1:], file=log)
sys.addaudithook(watch)
"""
WINDOW = """
import sys
from pathlib import Path
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
import maskwright_gui.app as app
from maskwright.inference.runtime import list_devices

class Closing(app.Workbench):
    def __init__(self, settings):
        super().__init__(settings)
        QTimer.singleShot(0, lambda: (list_devices(), QApplication.quit()))

app.Workbench = Closing
sys.exit(app.run(Path(sys.argv[1])))
"""


@pytest.fixture
def watched(tmp_path: Path) -> dict[str, str]:
    """Environment of a process that notes each attempt to reach another machine."""
    (tmp_path / "watch").mkdir()
    (tmp_path / "watch" / "sitecustomize.py").write_text(WATCH)
    (tmp_path / "home").mkdir()
    kept = {key: os.environ[key] for key in ("PATH", "LD_LIBRARY_PATH") if key in os.environ}
    roots = [tmp_path / "watch", *(ROOT / name for name in ("core", "gui", "resources"))]
    return kept | {
        "HOME": str(tmp_path / "home"),
        "WATCH_LOG": str(tmp_path / "connections.txt"),
        "PYTHONPATH": os.pathsep.join(map(str, roots)),
        "QT_QPA_PLATFORM": "offscreen",
    }


def run(arguments: list[str], environment: dict[str, str]) -> None:
    done = subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def connections(environment: dict[str, str]) -> str:
    log = Path(environment["WATCH_LOG"])
    return log.read_text() if log.exists() else ""


def strange_files(environment: dict[str, str]) -> list[str]:
    """Files in the home folder that do not stand in a folder of our name."""
    home = Path(environment["HOME"])
    return sorted(str(path.relative_to(home)) for path in home.rglob("*") if path.is_file() and not is_ours(path, home))


def is_ours(path: Path, home: Path) -> bool:
    return any("maskwright" in part.casefold() for part in path.relative_to(home).parts)


def test_the_watch_notices_a_connection(watched: dict[str, str]) -> None:
    run(["-c", "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(('127.0.0.1', 9))"], watched)
    assert "socket.connect" in connections(watched)


@pytest.mark.parametrize("arguments", [["devices"], ["demo", "--folder", "DEMO", "--no-window"], ["models", "list"]])
def test_a_command_contacts_nobody_and_leaves_nothing_in_the_home_folder(
    watched: dict[str, str], tmp_path: Path, arguments: list[str]
) -> None:
    named = [str(tmp_path / "demo") if argument == "DEMO" else argument for argument in arguments]
    run(["-m", "maskwright", *named], watched)
    assert connections(watched) == ""
    assert strange_files(watched) == []


def test_the_window_contacts_nobody_and_leaves_nothing_in_the_home_folder(
    watched: dict[str, str], tmp_path: Path
) -> None:
    pytest.importorskip("PySide6")
    run(["-m", "maskwright", "demo", "--folder", str(tmp_path / "demo"), "--no-window"], watched)
    run(["-c", WINDOW, str(tmp_path / "demo")], watched)
    assert connections(watched) == ""
    assert strange_files(watched) == []
