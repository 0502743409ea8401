"""Asks what to export, in which format and where, and says what the result will contain."""

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
from maskwright.formats.coco.options import PROFILES, profile_named
from maskwright.formats.registry import FORMATS, format_named
from maskwright.operations.exporting import ExportRequest
from maskwright_gui.panels.widgets import muted_label, named


class ExportDialog(QDialog):
    """Emits `export_requested` once."""

    export_requested = Signal(object)
    """ExportRequest."""

    def __init__(
        self, folder: Path, name: str, counts: Mapping[ImageState, int], parent: QWidget | None = None
    ) -> None:
        """folder, name: where to offer to save. counts: number of images in each state."""
        super().__init__(parent)
        self.setWindowTitle("Export annotations")
        self.setMinimumWidth(560)
        self._folder, self._name, self._counts = folder, name, counts
        self._target = self._make_target()
        self._path = named(QLineEdit(self), "File or folder to export to")
        self._proposals = QCheckBox("Proposals not reviewed yet", self)
        self._unreviewed = QCheckBox("Images nobody has looked at", self)
        self._used_classes = QCheckBox("Only classes that are used", self)
        self._provenance = named(QComboBox(self), "State, score, model and thresholds of each object")
        self._provenance.addItem("as imported (none on new objects)", None)
        self._provenance.addItem("as attributes of each object", True)
        self._provenance.addItem("leave out", False)
        self._holes = named(QComboBox(self), "Objects with holes")
        self._holes.addItem("as one ring with a bridge (works everywhere)", "keyhole")
        self._holes.addItem("as run lengths (RLE)", "rle")
        self._shares = named(
            QLineEdit(self), "Parts", tip="Percentage of the images in each part; the same images every time"
        )
        self._shares.setPlaceholderText("one part; or train=80,val=20")
        self._by_class = QCheckBox("Spread rare classes evenly over the parts", self)
        self._images = named(QComboBox(self), "Image files")
        for text, placing in (
            ("leave where they are", None),
            ("copy", "copy"),
            ("link", "link"),
            ("copy, rotated upright", "upright"),
        ):
            self._images.addItem(text, placing)
        self._summary = muted_label("", self)
        self._buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self)
        self._export = QPushButton("Export", self, default=True)
        self._export.setProperty("primary", True)
        self._buttons.addButton(self._export, QDialogButtonBox.ButtonRole.AcceptRole)
        self._lay_out()
        self._connect()
        self._offer_path()

    @property
    def request(self) -> ExportRequest:
        """The request as the fields stand."""
        profile, format_name = self._target.currentData()
        return ExportRequest(
            Path(self._path.text().strip()).expanduser(),
            CocoExportOptions(
                include_proposals=self._proposals.isChecked(),
                include_unreviewed=self._unreviewed.isChecked(),
                include_provenance=self._provenance.currentData(),
                holes=self._holes.currentData(),
                classes="used" if self._used_classes.isChecked() else "all",
            ),
            profile,
            format_name,
            self._shares.text().strip(),
            self._by_class.isChecked(),
            self._images.currentData(),
        )

    def _make_target(self) -> QComboBox:
        """A choice of COCO for each of its readers, then of the other formats."""
        box = named(QComboBox(self), "Format and reader")
        for profile in PROFILES:
            what = "COCO" if profile.format_name == "coco" else format_named(profile.format_name).title
            text = f"{what} for {profile.title}" if profile.format_name == "coco" else what
            box.addItem(text, (profile.name, profile.format_name))
        taken = {profile.format_name for profile in PROFILES}
        for known in FORMATS:
            if known.name not in taken:
                box.addItem(known.title, ("generic", known.name))
        return box

    def _lay_out(self) -> None:
        browse = QPushButton("Choose…", self)
        browse.clicked.connect(self._on_browse)
        where = QHBoxLayout()
        where.addWidget(self._path, 1)
        where.addWidget(browse)
        form = QFormLayout()
        form.setVerticalSpacing(8)
        form.addRow("Format", self._target)
        form.addRow("Where", where)
        form.addRow("Also write", self._proposals)
        form.addRow("", self._unreviewed)
        form.addRow("Classes", self._used_classes)
        form.addRow("Write origin", self._provenance)
        form.addRow("Holes", self._holes)
        form.addRow("Parts", self._shares)
        form.addRow("", self._by_class)
        form.addRow("Images", self._images)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 12)
        column.setSpacing(12)
        column.addLayout(form)
        column.addWidget(self._summary)
        column.addWidget(self._buttons)

    def _connect(self) -> None:
        self._buttons.rejected.connect(self.reject)
        self._buttons.accepted.connect(self._on_accepted)
        self._target.currentIndexChanged.connect(self._offer_path)
        self._shares.textChanged.connect(self._offer_path)
        self._path.textChanged.connect(self._refresh)
        for box in (self._proposals, self._unreviewed):
            box.toggled.connect(self._refresh)

    def _offer_path(self) -> None:
        """Offer a path of the format's kind in the image folder."""
        _, format_name = self._target.currentData()
        kind = format_named(format_name)
        if kind.is_folder or self._shares.text().strip():
            self._path.setText(str(self._folder / f"{self._name}-{format_name}"))
        else:
            self._path.setText(str(self._folder / f"{self._name}.{format_name}{kind.suffix}"))
        self._refresh()

    def _refresh(self) -> None:
        options, counts = self.request.options, self._counts
        worked_on = (ImageState.DONE, ImageState.EMPTY, ImageState.IN_PROGRESS)
        taken = sum(counts.get(state, 0) for state in worked_on)
        prelabelled, unseen = counts.get(ImageState.PRELABELLED, 0), counts.get(ImageState.UNSEEN, 0)
        taken += prelabelled if options.include_proposals or options.include_unreviewed else 0
        taken += unseen if options.include_unreviewed else 0
        lines = [f"{taken} image" + ("" if taken == 1 else "s") + " will be written"]
        if unfinished := taken - counts.get(ImageState.DONE, 0) - counts.get(ImageState.EMPTY, 0):
            lines.append(f"{unfinished} of these " + ("is" if unfinished == 1 else "are") + " not done yet")
        if left := sum(counts.values()) - taken:
            lines.append(f"{left} left out because nobody has worked on them")
        self._by_class.setEnabled(bool(self.request.shares))
        profile = profile_named(self.request.profile)
        lines += [f"not written: {loss}" for loss in profile.losses] + list(profile.notes)
        self._summary.setText(". ".join(line[0].upper() + line[1:] for line in lines) + ".")
        self._export.setEnabled(bool(self._path.text().strip()))

    def _on_browse(self) -> None:
        kind = format_named(self._target.currentData()[1])
        if kind.is_folder or self._shares.text().strip():
            name = QFileDialog.getExistingDirectory(self, "Export to folder", str(self._folder))
        else:
            asks_later = QFileDialog.Option.DontConfirmOverwrite
            pattern = f"*{kind.suffix}"
            name, _ = QFileDialog.getSaveFileName(
                self, "Export to file", self._path.text(), pattern, options=asks_later
            )
        if name:
            self._path.setText(name)

    def _on_accepted(self) -> None:
        self.export_requested.emit(self.request)
        self.accept()
