"""Asks what goes into the COCO file and where, and says what that will be."""

from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from maskwright.document.values import ImageState
from maskwright.formats.coco import CocoExportOptions
from maskwright_gui.panels.widgets import muted_label, named


class ExportDialog(QDialog):
    """Emits `export_requested` once, with the path and the options."""

    export_requested = Signal(object, object)
    """(Path, CocoExportOptions)."""

    def __init__(self, path: Path, counts: Mapping[ImageState, int], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Export COCO")
        self.setMinimumWidth(520)
        self._counts = counts
        self._path = named(QLineEdit(str(path), self), "COCO file to write")
        self._proposals = QCheckBox("Proposals that nobody has decided on", self)
        self._unreviewed = QCheckBox("Images that nobody has looked at", self)
        self._provenance = QCheckBox("Origin, score and model of each object, as attributes", self)
        self._holes = named(QComboBox(self), "Objects with holes")
        self._holes.addItem("as one ring with a bridge (every reader)", "keyhole")
        self._holes.addItem("as run lengths, RLE", "rle")
        self._summary = muted_label("", self)
        self._buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self)
        self._export = QPushButton("Export", self, default=True)
        self._export.setProperty("primary", True)
        self._buttons.addButton(self._export, QDialogButtonBox.ButtonRole.AcceptRole)
        self._lay_out()
        self._connect()
        self._refresh()

    @property
    def options(self) -> CocoExportOptions:
        return CocoExportOptions(
            include_proposals=self._proposals.isChecked(),
            include_unreviewed=self._unreviewed.isChecked(),
            include_provenance=self._provenance.isChecked(),
            holes=self._holes.currentData(),
        )

    def _lay_out(self) -> None:
        browse = QPushButton("Choose…", self)
        browse.clicked.connect(self._on_browse)
        where = QHBoxLayout()
        where.addWidget(self._path, 1)
        where.addWidget(browse)
        form = QFormLayout()
        form.setVerticalSpacing(8)
        form.addRow("File", where)
        form.addRow("Also write", self._proposals)
        form.addRow("", self._unreviewed)
        form.addRow("", self._provenance)
        form.addRow("Holes", self._holes)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 12)
        column.setSpacing(12)
        column.addLayout(form)
        column.addWidget(self._summary)
        column.addWidget(self._buttons)

    def _connect(self) -> None:
        self._buttons.rejected.connect(self.reject)
        self._buttons.accepted.connect(self._on_accepted)
        self._path.textChanged.connect(self._refresh)
        for box in (self._proposals, self._unreviewed):
            box.toggled.connect(self._refresh)

    def _refresh(self) -> None:
        counts, options = self._counts, self.options
        taken = counts.get(ImageState.DONE, 0) + counts.get(ImageState.EMPTY, 0) + counts.get(ImageState.IN_PROGRESS, 0)
        prelabelled, unseen = counts.get(ImageState.PRELABELLED, 0), counts.get(ImageState.UNSEEN, 0)
        taken += prelabelled if options.include_proposals or options.include_unreviewed else 0
        taken += unseen if options.include_unreviewed else 0
        left = sum(counts.values()) - taken
        lines = [f"{taken} image" + ("" if taken == 1 else "s") + " will be written"]
        if left:
            lines.append(f"{left} left out because nobody has worked on them")
        if in_progress := counts.get(ImageState.IN_PROGRESS, 0):
            lines.append(f"{in_progress} of those written " + ("is" if in_progress == 1 else "are") + " not done yet")
        self._summary.setText(". ".join(lines) + ".")
        self._export.setEnabled(bool(self._path.text().strip()))

    def _on_browse(self) -> None:
        name, _ = QFileDialog.getSaveFileName(self, "COCO file", self._path.text(), "COCO JSON (*.json)")
        if name:
            self._path.setText(name)

    def _on_accepted(self) -> None:
        path = Path(self._path.text().strip()).expanduser()
        self.export_requested.emit(path if path.suffix else path.with_suffix(".json"), self.options)
        self.accept()
