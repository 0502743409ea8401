"""Names of files and classes that somebody else gave: plain text, escaped and bounded, wherever they are shown."""

import re
import sqlite3
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QAbstractItemModel, QAbstractListModel, QModelIndex, QPoint, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QComboBox,
    QLabel,
    QMenu,
    QMessageBox,
    QToolTip,
    QWidget,
)
from pytestqt.qtbot import QtBot

import maskwright_gui
from maskwright.document import edits
from maskwright.document.change import Change
from maskwright.document.values import ImageState
from maskwright.errors import ProjectError
from maskwright.project import Project, ScannedImage
from maskwright_gui.app import Workbench
from maskwright_gui.messages import Message
from maskwright_gui.theme import DARK, LIGHT, apply_theme
from project_builders import drawn, write_image

IMAGE = "\u202egnp.<img src='file:///x.png'>.png"
CLASSES = ("<img src='//host/share/x.png'>", "\x1b[2J\u202eesrever", "long " * 400, "two\nlines")
MOST = 4000
RICH = {"images.py", "key_sheet.py", "models.py"}
"""Where markup is meant, made of our own words or escaped."""


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    write_image(tmp_path / "set" / "images" / "a.png")
    write_image(tmp_path / "set" / "images" / IMAGE.replace("/", "_"))
    with Project.create(tmp_path / "set" / "s.maskwright", image_root=tmp_path / "set" / "images") as project:
        project.images.add([ScannedImage(IMAGE.replace("/", "_"), 64, 48), ScannedImage("a.png", 64, 48)])
        project.ensure_categories(enumerate(CLASSES, start=1))
        for id_ in range(1, 5):
            project.instances.apply(1, Change.create([drawn(id_, category_id=id_)]), label="Draw")
        return project.path


def texts(model: QAbstractItemModel, parent: QModelIndex) -> Iterator[str]:
    for row in range(min(model.rowCount(parent), 50)):
        is_list = isinstance(model, QAbstractListModel)  # of one column, about which it cannot be asked
        for column in range(1 if is_list else model.columnCount(parent)):
            index = model.index(row, column, parent)
            for role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
                yield str(model.data(index, role) or "")
        if not is_list:
            yield from texts(model, model.index(row, 0, parent))


def all_texts() -> Iterator[tuple[str, str]]:
    """Everything that the widgets of the program show, and which of them."""
    for widget in QApplication.allWidgets():
        found = [widget.windowTitle(), widget.toolTip(), widget.accessibleName(), widget.accessibleDescription()]
        if isinstance(widget, QLabel | QAbstractButton):
            found.append(widget.text())
        if isinstance(widget, QComboBox):
            found += [widget.itemText(index) for index in range(widget.count())]
        if isinstance(widget, QAbstractItemView) and widget.model() is not None:
            found += texts(widget.model(), QModelIndex())
        for action in widget.findChildren(QAction) if widget.isWindow() else widget.actions():
            found += [action.text(), action.toolTip(), action.iconText()]
        yield from ((type(widget).__name__, text) for text in found if text)


def is_harmful(text: str) -> bool:
    return len(text) > MOST or any(
        (unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") and letter not in "\n\t")
        or letter in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
        for letter in text
    )  # fmt: skip


def require_plain() -> None:
    assert [found for found in all_texts() if is_harmful(found[1])] == []
    formats = {
        (type(label).__name__, label.text()[:60], label.textFormat())
        for label in QApplication.allWidgets()
        if isinstance(label, QLabel) and label.isVisible()
    }
    assert not [found for found in formats if found[2] is Qt.TextFormat.AutoText]


def test_nothing_in_the_window_is_markup_or_turns_the_text(qtbot: QtBot, bench: Workbench, hostile: Path) -> None:
    with qtbot.waitSignal(bench.session.image_changed):
        bench.projects.open_path(hostile)
    qtbot.waitUntil(lambda: len(bench.session.document) == 4)
    for opened in (bench.data_set.open, bench.effort.open, bench.help.open_key_sheet, bench.help.open_palette):
        opened()
    box = bench.classes.merge(1, 2)
    assert box is not None
    bench.window.toasts.show_message(Message.of_error(CLASSES[0], ProjectError(CLASSES[1] * 900, path=Path(IMAGE))))
    require_plain()
    shown = "\n".join(text for _, text in all_texts())
    assert "\\u202egnp." in shown
    assert "\\x1b[2J\\u202eesrever" in shown
    assert "<img src=" in shown
    box.close()


def test_a_damaged_object_is_told_and_the_others_on_its_image_can_be_worked_on(
    qtbot: QtBot, bench: Workbench, hostile: Path
) -> None:
    connection = sqlite3.connect(hostile / "project.db")
    with connection:
        connection.execute("UPDATE instances SET polygons = 7 WHERE id = 1")
    connection.close()
    with qtbot.waitSignal(bench.projects.opened):
        bench.projects.open_path(hostile)
    session = bench.session
    qtbot.waitUntil(lambda: session.document is not None and 1 in session.document.damaged)
    qtbot.waitUntil(
        lambda: any(
            "Object 1 of the project is damaged: its outline" in each.detail for each in bench.window.toasts.messages
        )
    )
    assert "1 damaged, not shown" in bench.objects.panel._summary.toolTip()

    (other, *_) = session.document
    session.edit(edits.delete(session.document, [each.id for each in session.document]), "Delete")
    bench.images.done()
    assert session.save()
    with Project.open(hostile, read_only=True) as project:
        assert len(project.instances.document(1)) == 0
        assert [*project.instances.document(1).damaged] == [1]
        assert project.images.record(1).state is ImageState.DONE  # nobody has verified that it is empty
        assert other.id in {id_ for entry in project.history.of(1) for id_, *_ in entry.change}
    connection = sqlite3.connect(hostile / "project.db")
    assert connection.execute("SELECT polygons FROM instances WHERE id = 1").fetchone() == (7,)
    connection.close()


@pytest.mark.qt_log_ignore("does not support raise", extend=True)
@pytest.mark.parametrize("theme", [DARK, LIGHT])
def test_a_tool_tip_and_a_message_box_are_plain_text(qtbot: QtBot, qapp: QApplication, theme: object) -> None:
    apply_theme(qapp, theme)  # type: ignore[arg-type]
    widget = QWidget()
    qtbot.addWidget(widget)
    widget.show()
    QToolTip.showText(QPoint(5, 5), CLASSES[0], widget)
    box = QMessageBox(QMessageBox.Icon.Question, "x", CLASSES[0], parent=widget)
    box.setInformativeText(CLASSES[0])
    box.show()
    labels = [label for label in QApplication.allWidgets() if isinstance(label, QLabel) and CLASSES[0] in label.text()]
    assert len(labels) >= 3
    assert {label.textFormat() for label in labels} == {Qt.TextFormat.PlainText}
    box.close()
    QToolTip.hideText()


def test_an_ampersand_in_a_menu_is_a_letter(qtbot: QtBot) -> None:
    from maskwright_gui.plain_style import in_menu

    menu = QMenu()
    qtbot.addWidget(menu)
    assert menu.addAction(in_menu("salt & pepper\u202e")).text() == "salt && pepper\\u202e"


def test_markup_is_used_nowhere_else() -> None:
    rich = re.compile(r"RichText|MarkdownText|setHtml|insertHtml|setMarkdown|QTextBrowser|QTextDocument|setWhatsThis")
    sources = Path(maskwright_gui.__file__).parent.rglob("*.py")
    assert {source.name for source in sources if rich.search(source.read_text())} == RICH
