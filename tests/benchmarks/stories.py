"""Presses per object in five stories of a first hour, by a user who knows the truth, in the real window.

    python tests/benchmarks/stories.py [--shared FOLDER] [--images 4] [--pictures FOLDER] [--on-screen] [--only NAME]

On photographs of `coco/val` with a model of COCO's classes where FOLDER has them; without, on the samples with the
bundled model, whose one class makes the figures easier. A click, a drag and a key are one press each; letters count.
Setting up (opening, choosing, naming classes) is counted apart. Objects: all that are no crowd and at least 20 x 20
pixels large. A user is content with an outline from IoU 0.7 on, and gives up after three clicks more.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
for part in ("core", "gui", "resources", "tests", "tests/benchmarks"):
    sys.path.insert(0, str(ROOT / part))
if "--on-screen" not in sys.argv:
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QSettings  # noqa: E402 - the environment comes first
from PySide6.QtWidgets import QApplication, QPushButton  # noqa: E402 - the environment comes first
from story_materials import Material, materials, spoilt_file  # noqa: E402 - the environment comes first
from story_user import GOOD_IOU, Held, Key, Thing, User, by_class  # noqa: E402 - the environment comes first

from maskwright_gui.app import Workbench, make_application  # noqa: E402 - the environment comes first
from maskwright_gui.dialogs.import_preview import ImportPreviewDialog  # noqa: E402 - the environment comes first
from maskwright_gui.features.point.tool import PointTool  # noqa: E402 - the environment comes first
from maskwright_gui.workers.requests import BatchState  # noqa: E402 - the environment comes first

CONTROL, POINT, ACCEPT, REJECT, DONE = Held.ControlModifier, Key.Key_N, Key.Key_Return, Key.Key_X, Key.Key_Space

POINTING = "point"


@dataclass(frozen=True, slots=True)
class Figures:
    objects: int
    right: int
    """Of them, with a good outline of the right class in the end."""
    setup: int
    work: int


def main() -> None:
    arguments = _arguments()
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        os.environ |= dict.fromkeys(("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"), name)
        application = make_application([sys.argv[0]])
        material = materials(arguments.shared, home / "images", arguments.images)
        print(f"{len(material.truth)} images, {material.object_count} objects, {material.source}")
        print(f"{'story':<22}{'objects':>8}{'right':>7}{'setup':>7}{'presses':>9}{'an object':>11}")
        for title, tell in STORIES.items():
            if arguments.only in (None, title):
                figures = _told(application, tell, material.copied(home / title / "images"), home / title, arguments)
                each = figures.work / max(figures.objects, 1)
                print(
                    f"{title:<22}{figures.objects:>8}{figures.right:>7}{figures.setup:>7}{figures.work:>9}{each:>11.2f}",
                    flush=True,
                )


def _told(
    application: QApplication,
    tell: Callable[[User, Material], Figures],
    material: Material,
    home: Path,
    arguments: argparse.Namespace,
) -> Figures:
    """One story in a window of its own."""
    pictures = arguments.pictures / home.name if arguments.pictures else None
    if pictures is not None:
        pictures.mkdir(parents=True, exist_ok=True)
    bench = Workbench(QSettings(str(home / "window.ini"), QSettings.Format.IniFormat))
    bench.window.resize(1280, 800)
    bench.window.show()
    user = User(bench, pictures)
    try:
        user.look("start")
        opened: list[bool] = []
        bench.projects.opened.connect(lambda: opened.append(True))
        bench.projects.open_path(material.folder)
        user.wait(lambda: opened and bench.session.image is not None)
        user.show(bench.session.image.id if bench.session.image else 0)
        user.presses.add()  # the folder dropped on the window
        user.look("opened")
        return tell(user, material)
    finally:
        bench.stop()
        bench.window.close()
        application.processEvents()


def photographs(user: User, material: Material) -> Figures:
    """First run: a model proposes on all images, the user corrects."""
    _let_model_propose(user, material)
    return _over_all(user, material, _correct)


def own_classes(user: User, material: Material) -> Figures:
    """No model: classes of one's own, each object outlined by pointing."""
    user.key(POINT)
    first, *others = material.class_names
    user.name_class(first)
    for name in others:
        user.key(Key.Key_E, CONTROL)
        user.name_class(name)
    user.look("classes")
    return _over_all(user, material, _outline_all)


def import_and_correct(user: User, material: Material) -> Figures:
    """A file with wrong classes, shifted outlines, missing and surplus objects comes in and is put right."""
    file = spoilt_file(material, material.folder.parent / "spoilt.json")
    user.bench.exchange.look_into(file)
    user.wait(lambda: user.bench.window.findChildren(ImportPreviewDialog))
    user.look("import")
    (dialog,) = user.bench.window.findChildren(ImportPreviewDialog)
    next(button for button in dialog.findChildren(QPushButton) if button.text().replace("&", "") == "Import").click()
    user.wait(lambda: not user.bench.exchange.is_working)
    user.come_back()
    user.presses.add(4)  # menu, entry, file, import
    return _over_all(user, material, _correct)


def review_queue(user: User, material: Material) -> Figures:
    """What is uncertain, place by place: accepted or rejected by what is there."""
    _let_model_propose(user, material)
    user.bench.images.panel.set_order("uncertainty")
    user.presses.add(2)
    return _over_all(user, material, _answer_places)


def keyboard_only(user: User, material: Material) -> Figures:
    """Each proposal by Tab and one key; what was missed stays missed."""
    _let_model_propose(user, material)
    return _over_all(user, material, _answer_by_tab)


STORIES: Mapping[str, Callable[[User, Material], Figures]] = {
    "photographs": photographs,
    "own classes": own_classes,
    "import and correct": import_and_correct,
    "review queue": review_queue,
    "keyboard only": keyboard_only,
}


def _let_model_propose(user: User, material: Material) -> None:
    batch = user.bench.batch
    user.bench.model.choose(material.model)
    user.presses.add(3)  # the list of models, the file
    user.key(Key.Key_I, CONTROL | Held.ShiftModifier)
    user.wait(lambda: batch.state is BatchState.IDLE and batch.progress.done == len(material.truth))
    user.wait(lambda: not user.bench.images.is_working)
    user.look("proposed")


def _over_all(user: User, material: Material, work: Callable[[User, list[Thing]], None]) -> Figures:
    """`work` on each image of the list, with Space to the next."""
    user.presses.is_setup = False
    objects = right = 0
    user.bench.window.canvas.setFocus()
    for image_id in user.bench.images.rows.ids.tolist():
        user.bench.session.show_image(image_id)
        user.show(image_id)
        image = user.bench.session.image
        assert image is not None
        things = material.truth[image.file_name]
        before = user.presses.work
        work(user, list(things))
        user.look(f"image-{image_id}-{user.presses.work - before}-presses")
        user.key(DONE)
        user.settle()
        user.come_again(image_id)
        objects, right = objects + len(things), right + user.outlines_right(things)
    return Figures(objects, right, user.presses.setup, user.presses.work)


def _correct(user: User, things: list[Thing]) -> None:
    """Surplus ones go, classes are changed, the rest is accepted at once, outlines are mended, missed ones drawn."""
    document = user.bench.session.document
    assert document is not None
    found = user.matched(things)
    matched = {id_ for id_, _ in found.values()}
    surplus = [each for each in user.objects() if each.id not in matched]
    if len(surplus) > len(matched) and all(not each.state.is_exported for each in user.objects()):
        for id_ in matched:
            _answer(user, id_, ACCEPT)
        user.key(Key.Key_Backspace, CONTROL)
    else:
        for instance in surplus:
            if instance.state.is_exported:
                _select(user, instance.id)
                user.key(Key.Key_Delete)
            else:
                _answer(user, instance.id, REJECT)
    for at, (id_, _) in found.items():
        if user.class_of(document[id_]) != things[at].name:
            _change_class(user, id_, things[at].name)
    if any(not each.state.is_exported for each in user.objects()):
        user.key(ACCEPT, CONTROL)
    poor = [(things[at], id_) for at, (id_, value) in found.items() if value < GOOD_IOU]
    missed = [thing for at, thing in enumerate(things) if at not in found]
    if (poor or missed) and user.canvas.tool.name != POINTING:
        user.key(POINT)
    for thing, id_ in poor:
        _mend_object(user, thing, id_)
    _outline_all(user, missed, is_pointing=True)


def _outline_all(user: User, things: list[Thing], *, is_pointing: bool = False) -> None:
    if things and not is_pointing and user.canvas.tool.name != POINTING:
        user.key(POINT)
    for thing in by_class(things):
        x1, y1, x2, y2 = thing.box_xyxy
        user.drag((x1, y1), (x2, y2))  # the one before is taken over by that, in its own class
        _set_class_drawn(user, thing.name)
        user.mend(thing, user.draft)
    # the last one is taken over by Space, with the image


def _mend_object(user: User, thing: Thing, id_: int) -> None:
    """An object that is there, by clicks on what is wrong."""
    x, y = _inside(user, id_)
    user.click(x, y, CONTROL)

    def shown() -> object:
        tool = user.canvas.tool
        if isinstance(tool, PointTool) and tool._draft is not None and tool._draft.base is None:
            user.key(Key.Key_Escape)  # too far away: it would be an object of its own, as the label at the pointer says
            return None
        return user.draft() if user.canvas.is_busy else user.mask_of(_object(user, id_))

    user.mend(thing, shown)  # taken over by the press on the next object, or by Space


def _answer_places(user: User, things: list[Thing]) -> None:
    for _ in range(4 * len(user.objects()) + 4):
        user.key(Key.Key_Q)
        if not user.bench.uncertain.places:
            break
        selection = user.bench.session.selection
        right = {id_ for id_, _ in user.matched(things).values()}
        user.key(ACCEPT if selection and selection <= right else REJECT)


def _answer_by_tab(user: User, things: list[Thing]) -> None:
    for _ in range(len(user.objects())):
        user.key(Key.Key_Tab)
        selection = user.bench.session.selection
        right = {id_ for id_, _ in user.matched(things).values()}
        user.key(ACCEPT if selection <= right else REJECT)


def _set_class_drawn(user: User, name: str) -> None:
    """Of the object under way."""
    session = user.bench.session
    wanted = next((each.id for each in session.classes.listed if each.name == name), None)
    if wanted is not None and wanted == session.classes.current_id:
        return
    digit = next((digit for digit, id_ in session.classes.keys.items() if id_ == wanted), None)
    if digit is not None and wanted is not None:
        user.key(Key(Key.Key_0 + digit))
    else:
        user.key(Key.Key_E, CONTROL)
        user.name_class(name)


def _change_class(user: User, id_: int, name: str) -> None:
    """A click and its digit; without one it is pointed at, Ctrl+E, as many letters as it takes, Enter."""
    digits = {user.bench.session.classes.keys[digit]: digit for digit in user.bench.session.classes.keys}
    digit = next((digits.get(each.id) for each in user.bench.session.classes.listed if each.name == name), None)
    if digit is not None:
        _select(user, id_)
        user.key(Key(Key.Key_0 + digit))
        return
    if user.canvas.tool.name == POINTING:
        _select(user, id_)
    elif user.bench.session.selection:
        user.key(Key.Key_Escape)
    user.point_at(*_inside(user, id_))
    user.key(Key.Key_E, CONTROL)
    user.name_class(name)


def _select(user: User, id_: int) -> None:
    """The tool stays: where it points, Ctrl selects."""
    user.click(*_inside(user, id_), CONTROL if user.canvas.tool.name == POINTING else Held.NoModifier)
    if user.bench.session.selection != {id_}:  # it lies below another
        user.bench.session.select(frozenset({id_}))
        user.presses.add()


def _answer(user: User, id_: int, key: Key) -> None:
    """Pointed at and answered by a key; one that lies below another is selected first."""
    if user.bench.session.selection:
        user.key(Key.Key_Escape)
    user.point_at(*_inside(user, id_))
    if user.canvas.id_under_pointer != id_:
        _select(user, id_)
    user.key(key)


def _inside(user: User, id_: int) -> tuple[float, float]:
    """A point well inside the object."""
    from assist_protocol import _depth

    depth = _depth(user.mask_of(_object(user, id_)))
    y, x = divmod(int(depth.argmax()), depth.shape[1])
    return x + 0.5, y + 0.5


def _object(user: User, id_: int) -> "object":
    document = user.bench.session.document
    assert document is not None
    return document[id_]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--images", type=int, default=4)
    parser.add_argument("--pictures", type=Path, help="a folder for a picture of the window at each step")
    parser.add_argument("--on-screen", action="store_true", help="on a real display")
    parser.add_argument("--only", choices=list(STORIES))
    return parser.parse_args()


if __name__ == "__main__":
    main()
