"""The loop in the real window: own classes outlined by pointing, learned, and what the next images take then.

    python tests/benchmarks/story_of_learning.py SET_FOLDER [--images 5] [--minutes 1] [--pictures FOLDER] [--on-screen]

SET_FOLDER holds `images/`, `train.json` and `val.json`. The user of `stories.py` outlines every object of the first
images with Point and marks them as done, presses "Learn", uses the model, and corrects the others. A click, a drag and
a key are one press; minutes are of the clock. The learning process has low priority: beside other work it waits.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
for part in ("core", "gui", "resources", "tests", "tests/benchmarks"):
    sys.path.insert(0, str(ROOT / part))
if "--on-screen" not in sys.argv:
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import story_user  # noqa: E402 - the environment comes first
from PySide6.QtCore import QSettings  # noqa: E402 - the environment comes first
from stories import DONE, POINT, _correct, _outline_all  # noqa: E402 - the environment comes first
from story_materials import _truth  # noqa: E402 - the environment comes first
from story_user import Held, Key, Thing, User  # noqa: E402 - the environment comes first

from maskwright_gui.app import Workbench, make_application  # noqa: E402 - the environment comes first
from maskwright_gui.workers.requests import BatchState  # noqa: E402 - the environment comes first

story_user.PATIENCE_S = 3600.0


def main() -> None:
    options = _arguments()
    if options.pictures is not None:
        options.pictures.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        os.environ |= dict.fromkeys(("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"), name)
        application = make_application([sys.argv[0]])
        truth = _material(options.folder, home / "images")
        bench = Workbench(QSettings(str(home / "window.ini"), QSettings.Format.IniFormat))
        bench.window.resize(1280, 800)
        bench.window.show()
        user = User(bench, options.pictures)
        try:
            opened: list[bool] = []
            bench.projects.opened.connect(lambda: opened.append(True))
            bench.projects.open_path(home / "images")
            user.wait(lambda: opened and bench.session.image is not None)
            user.show(bench.session.image.id if bench.session.image else 0)
            bench.window.canvas.setFocus()
            _told(user, truth, options)
        finally:
            bench.stop()
            bench.window.close()
            application.processEvents()


def _told(user: User, truth: dict[str, list[Thing]], options: argparse.Namespace) -> None:
    _name_classes(user, truth)
    user.presses.is_setup = False
    _over(user, truth, options.images, "drawn")
    _learned(user, options.minutes)
    _over(user, truth, len(truth), "corrected")


def _name_classes(user: User, truth: dict[str, list[Thing]]) -> None:
    user.key(POINT)
    first, *others = sorted({thing.name for things in truth.values() for thing in things})
    user.name_class(first)
    for name in others:
        user.key(Key.Key_E, Held.ControlModifier)
        user.name_class(name)
    user.look("classes")


def _over(user: User, truth: dict[str, list[Thing]], count: int, what: str) -> None:
    """So many images in the order of the list, as far as they are not done yet; Space to the next."""
    bench = user.bench
    for image_id in bench.images.rows.ids.tolist():
        record = bench.session.project.stored.images.record(image_id) if bench.session.project else None
        if record is None or (bench.session.project.stored.images.state_counts() and record.state.name == "DONE"):
            continue
        if sum(_is_done(user, id_) for id_ in bench.images.rows.ids.tolist()) >= count:
            return
        bench.session.show_image(image_id)
        user.show(image_id)
        bench.window.canvas.setFocus()
        things = truth[record.file_name]
        before, started = user.presses.work, time.monotonic()
        user.look(f"{what}-before-{image_id}")
        (_outline_all if what == "drawn" else _correct)(user, list(things))
        right, spent = user.outlines_right(things), user.presses.work - before
        user.look(f"{what}-{image_id}")
        user.key(DONE)
        user.wait(lambda id_=image_id: _is_done(user, id_))
        line = {"image": record.file_name, "what": what, "objects": len(things), "right": right, "presses": spent}
        print(json.dumps(line | {"window_s": round(time.monotonic() - started, 1)}), flush=True)


def _is_done(user: User, image_id: int) -> bool:
    project = user.bench.session.project
    assert project is not None
    return project.stored.images.record(image_id).state.name == "DONE"


def _learned(user: User, minutes: float) -> None:
    """From the panel that is opened to the proposals on all other images."""
    bench, started = user.bench, time.monotonic()
    bench.learn.open()
    dialog = bench.learn.dialog
    assert dialog is not None
    user.wait(dialog.learn_button.isEnabled)
    _look_at(user, dialog, "material")
    user.presses.add(2)  # the menu's entry, the button
    bench.learn.learn(minutes)
    for share in (100, 500, 900):
        user.wait(lambda share=share: dialog.bar.value() >= share or dialog.outcome.isVisible())
        _look_at(user, dialog, f"progress-{share}")
    user.wait(dialog.outcome.isVisible)
    user.wait(lambda: not bench.learn.is_working)
    _look_at(user, dialog, "outcome")
    print(
        json.dumps({"learned": dialog.outcome.headline.text(), "minutes": (time.monotonic() - started) / 60}),
        flush=True,
    )
    user.presses.add()
    dialog.outcome.use_button.click()
    user.wait(lambda: bench.batch.state is BatchState.IDLE and not bench.images.is_working)
    user.come_back()
    user.look("proposed")


def _look_at(user: User, dialog: object, what: str) -> None:
    if user.pictures is not None:
        dialog.grab().save(str(user.pictures / f"panel-{what}.png"))  # type: ignore[attr-defined]


def _material(folder: Path, place: Path) -> dict[str, list[Thing]]:
    place.mkdir()
    truth: dict[str, list[Thing]] = {}
    for part in ("train", "val"):
        for name, things in _truth(json.loads((folder / f"{part}.json").read_text())).items():
            shutil.copyfile(folder / "images" / name, place / name)
            truth[name] = things
    return truth


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=int, default=5, help="outlined before the round")
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--on-screen", action="store_true", help="on a real display")
    return parser.parse_args()


if __name__ == "__main__":
    main()
