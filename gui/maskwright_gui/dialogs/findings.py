"""What a check of the annotations has found; a double click goes to the object."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QLabel,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from maskwright.formats.gate import Finding
from maskwright.words import shown, shown_lines
from maskwright_gui.panels.widgets import named

_FINDING = Qt.ItemDataRole.UserRole


class FindingsDialog(QDialog):
    """Stays open during work; not modal."""

    place_chosen = Signal(object, object)
    """(image id, instance id or 0)."""
    fix_requested = Signal(object)
    """Ids of the images with problems that can be fixed safely."""
    force_requested = Signal()
    """Write the file anyway."""

    def __init__(self, findings: Sequence[Finding], *, can_force: bool, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Annotation check")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(760, 420)
        self._findings = tuple(findings)
        errors = sum(finding.is_error for finding in self._findings)
        notes = len(self._findings) - errors
        text = "No problems found." if not self._findings else f"{errors} to fix, {notes} worth a look."
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 12, 12, 12)
        column.setSpacing(8)
        column.addWidget(QLabel(text, self))
        column.addWidget(self._make_table(), 1)
        column.addWidget(self._make_buttons(can_force=can_force))

    def _make_table(self) -> QTreeWidget:
        table = named(QTreeWidget(self), "Findings")
        table.setRootIsDecorated(False)
        table.setHeaderLabels(["", "What", "Image", "Object", "More"])
        for column, width in enumerate((64, 170, 60, 70)):
            table.header().resizeSection(column, width)
        table.header().setSectionResizeMode(4, QHeaderView.ResizeMode.Stretch)
        ordered = sorted(self._findings, key=lambda finding: not finding.is_error)
        for finding in ordered:
            places = [str(id_) if id_ else "" for id_ in (finding.image_id, finding.instance_id)]
            row = ["fix" if finding.is_error else "note", finding.kind.value, *places, shown(finding.message)]
            item = QTreeWidgetItem(row)
            item.setData(0, _FINDING, finding)
            item.setToolTip(4, shown_lines(finding.message))
            table.addTopLevelItem(item)
        table.itemActivated.connect(self._on_activated)
        table.itemClicked.connect(self._on_activated)
        return table

    def _make_buttons(self, *, can_force: bool) -> QDialogButtonBox:
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        buttons.rejected.connect(self.close)
        if any(finding.is_fixable for finding in self._findings):
            fix = QPushButton("Fix what is safe", self)
            fix.setToolTip("Makes outlines valid and cuts them to the image; nothing else changes (can be undone)")
            fix.clicked.connect(self._on_fix)
            buttons.addButton(fix, QDialogButtonBox.ButtonRole.ActionRole)
        if can_force:
            force = QPushButton("Export anyway", self)
            force.clicked.connect(self.force_requested)
            force.clicked.connect(self.close)
            buttons.addButton(force, QDialogButtonBox.ButtonRole.ActionRole)
        return buttons

    def _on_activated(self, item: QTreeWidgetItem) -> None:
        finding = item.data(0, _FINDING)
        if finding.image_id:
            self.place_chosen.emit(finding.image_id, finding.instance_id)

    def _on_fix(self) -> None:
        self.fix_requested.emit(sorted({f.image_id for f in self._findings if f.is_fixable and f.image_id}))
        self.close()
