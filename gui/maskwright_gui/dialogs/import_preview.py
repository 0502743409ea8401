"""Shows what an import would bring: images found and missing, objects, what each class becomes, what is left out."""

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
    from maskwright.operations.exchange import ImportPreview, IncomingClass

LEAVE_OUT = None
_MOST_NAMED = 3
_MOST_REASONS = 6


class ImportPreviewDialog(QDialog):
    """Emits `import_requested` once, when the user agrees."""

    import_requested = Signal(object, bool, bool)
    """({class in the file: its name in the project, or None to leave it out} where they differ, add objects again,
    leave out images that are missing).
    """

    def __init__(self, preview: "ImportPreview", known: tuple[str, ...], parent: QWidget | None = None) -> None:
        """`known`: names of the project's classes."""
        super().__init__(parent)
        self.setWindowTitle("Import annotations")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(600)
        self._preview, self._known = preview, known
        self._choices: dict[str, QComboBox] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 12)
        column.setSpacing(12)
        column.addLayout(self._facts())
        if preview.classes:
            column.addWidget(QLabel("Classes", self))
            column.addWidget(self._make_table(), 1)
        for text in self._reasons():
            column.addWidget(self._plain(text, tone="error" if text.startswith("Left out") else ""))
        self._again = QCheckBox("Add objects again even if the project has them already", self)
        there = preview.result.instance_count - preview.result.added_count
        self._again.setVisible(there > 0)
        column.addWidget(self._again)
        missing = count_of(preview.missing_count, "missing image")
        self._without_missing = QCheckBox(f"Leave out {missing} with what is on them", self)
        self._without_missing.setVisible(0 < preview.missing_count < preview.image_count)
        column.addWidget(self._without_missing)
        column.addWidget(self._make_buttons())

    @property
    def class_names(self) -> dict[str, str | None]:
        """The classes whose name in the project differs from the file's."""
        chosen = {name: box.currentData() for name, box in self._choices.items()}
        known = {each.name: each.known_as or each.name for each in self._preview.classes}
        return {name: choice for name, choice in chosen.items() if choice != known[name]}

    def _facts(self) -> QFormLayout:
        preview, result = self._preview, self._preview.result
        form = QFormLayout()
        form.setVerticalSpacing(8)
        form.addRow("File", self._plain(f"{preview.path.name} ({preview.format_title})"))
        found = preview.image_count - preview.missing_count
        images = f"{found:,} of {count_of(preview.image_count, 'image')} found in the image folder"
        form.addRow("Images", self._plain(images))
        if preview.missing_count:
            names = ", ".join(preview.missing[:_MOST_NAMED])
            more = f" and {preview.missing_count - _MOST_NAMED:,} more" if preview.missing_count > _MOST_NAMED else ""
            after = "They will be in the list as missing." if found else "Open their folder, then import again."
            form.addRow("Missing", self._plain(f"{names}{more}. {after}", tone="error"))
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

    def _make_table(self) -> QTableWidget:
        classes = self._preview.classes
        table = named(QTableWidget(len(classes), 3, self), "Classes in the file")
        table.setHorizontalHeaderLabels(["In the file", "Objects", "Project class"])
        table.verticalHeader().hide()
        table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        table.setSelectionMode(QTableWidget.SelectionMode.NoSelection)
        header = table.horizontalHeader()
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)
        for row, each in enumerate(classes):
            table.setItem(row, 0, QTableWidgetItem(each.name))
            count = QTableWidgetItem(f"{each.object_count:,}")
            count.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            table.setItem(row, 1, count)
            table.setCellWidget(row, 2, self._make_choice(each))
        table.setMinimumHeight(min(4, len(classes)) * 30 + 40)
        return table

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
        self._refresh()
        return buttons

    def _refresh(self) -> None:
        left = [name for name, choice in self.class_names.items() if choice is LEAVE_OUT]
        is_all = bool(self._preview.classes) and len(left) == len(self._preview.classes)
        self._import.setEnabled(not is_all and self._preview.image_count > self._preview.missing_count)

    def _on_accepted(self) -> None:
        self.import_requested.emit(self.class_names, self._again.isChecked(), self._without_missing.isChecked())
        self.accept()
