"""Shows what an import would bring: images found and missing, objects, what each class becomes, what is left out."""

from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from maskwright.words import count_of
from maskwright_gui.panels.widgets import named

if TYPE_CHECKING:
    from maskwright.operations.import_preview import ImportPreview, IncomingClass, MissingImage

LEAVE_OUT = None
NO_FILE, CHOOSE = None, ""
_MOST_ROWS = 200
_MOST_NAMED = 3
_MOST_REASONS = 6


class ImportPreviewDialog(QDialog):
    """Emits `import_requested` once, when the user agrees."""

    import_requested = Signal(object, object, bool, bool)
    """({class in the file: its name in the project, or None to leave it out} where they differ, {missing image: its
    file}, add objects again, leave out images that are missing).
    """
    file_wanted = Signal(object)
    """A MissingImage; `assign` or `refuse` is the answer."""

    def __init__(self, preview: "ImportPreview", known: tuple[str, ...], parent: QWidget | None = None) -> None:
        """`known`: names of the project's classes."""
        super().__init__(parent)
        self.setWindowTitle("Import annotations")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(600)
        self._preview, self._known = preview, known
        self._choices: dict[str, QComboBox] = {}
        self._files: dict[str, QComboBox] = {}
        self._assigned = dict(preview.image_names)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 12)
        column.setSpacing(12)
        column.addLayout(self._facts())
        if preview.missing:
            rest = (
                f" (the first {_MOST_ROWS} of {preview.missing_count:,})" if preview.missing_count > _MOST_ROWS else ""
            )
            column.addWidget(QLabel(f"Missing images{rest}", self))
            column.addWidget(self._make_image_table(), min(4, len(preview.missing)))
        self._trouble = self._plain("", tone="error")
        column.addWidget(self._trouble)
        if preview.classes:
            column.addWidget(QLabel("Classes", self))
            column.addWidget(self._make_class_table(), min(4, len(preview.classes)))
        for text in self._reasons():
            column.addWidget(self._plain(text, tone="error" if text.startswith("Left out") else ""))
        self._again = QCheckBox("Add objects again even if the project has them already", self)
        there = preview.result.instance_count - preview.result.added_count
        self._again.setVisible(there > 0)
        column.addWidget(self._again)
        self._without_missing = QCheckBox(self)
        self._without_missing.toggled.connect(self._refresh)
        column.addWidget(self._without_missing)
        column.addWidget(self._make_buttons())

    @property
    def class_names(self) -> dict[str, str | None]:
        """The classes whose name in the project differs from the file's."""
        chosen = {name: box.currentData() for name, box in self._choices.items()}
        known = {each.name: each.known_as or each.name for each in self._preview.classes}
        return {name: choice for name, choice in chosen.items() if choice != known[name]}

    @property
    def image_names(self) -> dict[str, str]:
        """{missing image: its file in the image folder}, of those that have one."""
        return dict(self._assigned)

    def assign(self, image: "MissingImage", file: str) -> None:
        """What the user chose for an image that is in the table."""
        if file in self._preview.names:
            self.refuse(f"{file} is another image of the file.")
            return
        box = self._files[image.name]
        at = box.findData(file)
        if at < 0:
            at = box.findData(NO_FILE)
            box.insertItem(at, file, file)
        box.setCurrentIndex(at)
        self._refresh()

    def refuse(self, why: str) -> None:
        """The file that was chosen cannot be the image."""
        self._show_trouble(why)

    def _facts(self) -> QFormLayout:
        preview, result = self._preview, self._preview.result
        form = QFormLayout()
        form.setVerticalSpacing(8)
        form.addRow("File", self._plain(f"{preview.path.name} ({preview.format_title})"))
        self._found = self._plain("")
        form.addRow("Images", self._found)
        objects = f"{result.added_count:,} new"
        if (updated := result.updated_count) > 0:
            objects += f", {updated:,} updated"
        if (kept := result.kept_count) > 0:
            objects += f", {kept:,} not updated because you changed them"
        same = result.instance_count - result.added_count - result.updated_count - result.kept_count
        if same > 0:
            objects += f", {same:,} already in the project"
        form.addRow("Objects", self._plain(objects))
        return form

    def _plain(self, text: str, *, tone: str = "") -> QLabel:
        label = QLabel(self)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setText(text)
        label.setWordWrap(True)
        label.setProperty("tone", tone)
        return label

    def _make_class_table(self) -> QTableWidget:
        rows = [(each.name, each.object_count, self._make_choice(each)) for each in self._preview.classes]
        return self._make_table("Classes in the file", "Project class", rows)

    def _make_image_table(self) -> QTableWidget:
        rows = [
            (each.name, each.object_count, self._make_file_choice(each)) for each in self._preview.missing[:_MOST_ROWS]
        ]
        return self._make_table("Missing images", "File in the image folder", rows)

    def _make_table(self, name: str, choice: str, rows: Sequence[tuple[str, int, QComboBox]]) -> QTableWidget:
        table = named(QTableWidget(len(rows), 3, self), name)
        table.setHorizontalHeaderLabels(["In the file", "Objects", choice])
        table.verticalHeader().hide()
        table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        table.setSelectionMode(QTableWidget.SelectionMode.NoSelection)
        header = table.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)
        for row, (own, object_count, box) in enumerate(rows):
            item = QTableWidgetItem(own)
            item.setToolTip(own)
            table.setItem(row, 0, item)
            count = QTableWidgetItem(f"{object_count:,}")
            count.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            table.setItem(row, 1, count)
            table.setCellWidget(row, 2, box)
        table.setMinimumHeight(min(3, len(rows)) * 30 + 40)
        return table

    def _make_file_choice(self, image: "MissingImage") -> QComboBox:
        box = named(QComboBox(self), f"File for {image.name}")
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        for file in image.files:
            box.addItem(file, file)
        box.addItem("", NO_FILE)
        box.addItem("Choose a file…", CHOOSE)
        self._files[image.name] = box
        self._show_file(image)
        box.currentIndexChanged.connect(partial(self._on_file, image))
        return box

    def _show_file(self, image: "MissingImage") -> None:
        box = self._files[image.name]
        box.setCurrentIndex(box.findData(self._assigned.get(image.name, NO_FILE)))

    def _on_file(self, image: "MissingImage", _index: int) -> None:
        file = self._files[image.name].currentData()
        if file == CHOOSE:
            self._show_file(image)
            self.file_wanted.emit(image)
            return
        if file is NO_FILE:
            self._assigned.pop(image.name, None)
        else:
            self._assigned[image.name] = file
        self._refresh()

    def _make_choice(self, each: "IncomingClass") -> QComboBox:
        box = named(QComboBox(self), f"Project class for {each.name}")
        if each.known_as is not None:
            box.addItem(each.known_as, each.known_as)
        else:
            box.addItem(f"{each.name} (new)", each.name)
        for name in self._known:
            if name != each.known_as:
                box.addItem(name, name)
        box.addItem("Leave out", LEAVE_OUT)
        box.currentIndexChanged.connect(self._refresh)
        self._choices[each.name] = box
        return box

    def _reasons(self) -> list[str]:
        lines = []
        if resized := self._preview.result.resized:
            names = ", ".join(resized[:_MOST_NAMED]) + (", …" if len(resized) > _MOST_NAMED else "")
            what = count_of(len(resized), "image")
            lines.append(f"Left out: objects on {what} whose size in the file differs ({names})")
        for group in self._preview.problems[:_MOST_REASONS]:
            first = group.examples[0]
            what = "Left out" if group.effect == "skipped" else "Changed"
            lines.append(f"{what}: {group.count:,} ({first.where}: {first.reason})")
        if len(self._preview.problems) > _MOST_REASONS:
            lines.append(f"… and {len(self._preview.problems) - _MOST_REASONS} more reasons")
        return lines

    def _make_buttons(self) -> QDialogButtonBox:
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self)
        self._import = QPushButton("Import", self, default=True)
        self._import.setProperty("primary", True)
        buttons.addButton(self._import, QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.rejected.connect(self.reject)
        buttons.accepted.connect(self._on_accepted)
        self._import.setFocus()  # a turn of the wheel meant for the list would change the first choice
        self._refresh()
        return buttons

    def _refresh(self) -> None:
        left = [name for name, choice in self.class_names.items() if choice is LEAVE_OUT]
        is_all = bool(self._preview.classes) and len(left) == len(self._preview.classes)
        double = [file for file, count in Counter(self._assigned.values()).items() if count > 1]
        self._show_trouble(f"{double[0]} is chosen for more than one image." if double else "")
        here = self._show_images()
        self._import.setEnabled(not is_all and not double and here > 0)

    def _show_images(self) -> int:
        """How many images of the file have one in the folder."""
        preview, assigned = self._preview, len(self._assigned)
        found, lost = preview.image_count - preview.missing_count, preview.missing_count - assigned
        text = f"{found:,} of {count_of(preview.image_count, 'image')} found in the image folder"
        text += f", {assigned:,} more under another name" if assigned else ""
        text += f", {lost:,} missing" if lost else ""
        text += "" if found + assigned else ". Open their folder, then import again"
        self._found.setText(f"{text}.")
        whose = "its" if lost == 1 else "their"
        self._without_missing.setText(f"Leave out {count_of(lost, 'missing image')} and {whose} objects")
        self._without_missing.setVisible(0 < lost < preview.image_count)
        fate = "Leave out" if self._without_missing.isChecked() else "List as missing"
        for box in self._files.values():
            box.setItemText(box.findData(NO_FILE), fate)
        return found + assigned

    def _show_trouble(self, text: str) -> None:
        self._trouble.setText(text)
        self._trouble.setVisible(bool(text))

    def _on_accepted(self) -> None:
        self.import_requested.emit(
            self.class_names, self.image_names, self._again.isChecked(), self._without_missing.isChecked()
        )
        self.accept()
