"""The model catalogue: what is available and installed; downloads, adds, checks and removes models."""

import html
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QProgressBar,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from maskwright.errors import MaskwrightError
from maskwright.models.catalog import Availability, Listed, listed_models, remove, verify
from maskwright.monitor import Monitor
from maskwright.words import shown, shown_lines
from maskwright_gui.operation import Operation
from maskwright_gui.panels.widgets import muted_label, named

FILE_FILTER = "Models (*.pth *.pt *.pb *.tar.gz *.tgz *.onnx *.xml);;All files (*)"
_NAME = Qt.ItemDataRole.UserRole


class ModelsDialog(QDialog):
    """Stays open during work; not modal. Downloads and conversions run in the background, one at a time."""

    model_chosen = Signal(str)
    """Name of a bundled model or path of an installed one, to be used from now on."""

    def __init__(
        self,
        parent: QWidget | None = None,
        *,
        title: str = "Models",
        use_tip: str = "Pre-label with this model from now on",
        listed: Callable[[], Sequence[Listed]] = listed_models,
    ) -> None:
        """listed: which models of the catalogue to show."""
        super().__init__(parent)
        self.setWindowTitle(title)
        self._list = listed
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(760, 420)
        self._operation: Operation | None = None
        self._listed: dict[str, Listed] = {}
        self._table = self._make_table()
        self._about = muted_label("", self)
        self._about.setObjectName("about")
        self._about.setTextInteractionFlags(Qt.TextInteractionFlag.TextBrowserInteraction)
        self._about.setTextFormat(Qt.TextFormat.RichText)
        self._about.setOpenExternalLinks(True)
        self._bar = named(QProgressBar(self), "Progress")
        self._bar.setTextVisible(False)
        self._told = muted_label("", self)
        self._told.setObjectName("told")
        self._use = named(QPushButton("Use", self), "Use this model", tip=use_tip)
        self._use.setProperty("primary", True)
        self._get = named(QPushButton("Download", self), "Download this model")
        self._verify = named(
            QPushButton("Check", self), "Check this model", tip="Check that its files have not changed"
        )
        self._remove = named(QPushButton("Remove", self), "Remove this model", tip="Delete the installed copy")
        self._add = named(QPushButton("Add a file…", self), "Add a model file", tip=".pth, .pb, .tar.gz, .onnx or .xml")
        self._cancel = named(
            QPushButton("Cancel", self), "Cancel", tip="The downloaded part is kept, so you can resume"
        )
        self._lay_out()
        self._connect()
        self.reload()

    def reload(self) -> None:
        """Read the catalogue and the installed models again; the selection stays."""
        current = self._current_name()
        self._listed = {model.name: model for model in self._list()}
        self._table.clear()
        for model in self._listed.values():
            licence = model.card.license if model.card is not None else ""
            item = QTreeWidgetItem([shown(model.name), str(model.availability), _download_text(model), licence])
            item.setData(0, _NAME, model.name)
            self._table.addTopLevelItem(item)
            if model.name == current or self._table.currentItem() is None:
                self._table.setCurrentItem(item)
        self._refresh()

    def add_file(self, path: Path) -> None:
        """Convert and install a file that the user has."""
        self._begin(add_task(path, self), f"Reading {path.name}")

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        for button in (self._use, self._get, self._verify, self._remove):
            buttons.addWidget(button)
        buttons.addStretch(1)
        buttons.addWidget(self._add)
        work = QHBoxLayout()
        work.addWidget(self._bar, 1)
        work.addWidget(self._cancel)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 12, 12, 12)
        column.setSpacing(8)
        column.addWidget(self._table, 1)
        column.addWidget(self._about)
        column.addLayout(buttons)
        column.addLayout(work)
        column.addWidget(self._told)

    def _make_table(self) -> QTreeWidget:
        table = named(QTreeWidget(self), "Models")
        table.setRootIsDecorated(False)
        table.setHeaderLabels(["Model", "State", "Download", "Licence"])
        table.setAlternatingRowColors(True)
        table.header().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        return table

    def _connect(self) -> None:
        self._table.currentItemChanged.connect(self._refresh)
        self._table.itemActivated.connect(self._on_use)
        self._use.clicked.connect(self._on_use)
        self._get.clicked.connect(self._on_get)
        self._verify.clicked.connect(self._on_verify)
        self._remove.clicked.connect(self._on_remove)
        self._add.clicked.connect(self._on_add)
        self._cancel.clicked.connect(self._on_cancel)

    def _current_name(self) -> str | None:
        item = self._table.currentItem()
        return str(item.data(0, _NAME)) if item is not None else None

    def _current(self) -> Listed | None:
        name = self._current_name()
        return self._listed.get(name) if name is not None else None

    def _refresh(self) -> None:
        model, is_busy = self._current(), self._operation is not None
        is_absent = model is not None and model.availability is Availability.ABSENT
        is_installed = model is not None and model.installed is not None
        self._use.setEnabled(model is not None and not is_absent and not is_busy)
        self._get.setVisible(is_absent)
        self._get.setText("Resume" if model is not None and model.arrived_size else "Download")
        self._verify.setVisible(is_installed)
        self._remove.setVisible(is_installed)
        for button in (self._get, self._verify, self._remove, self._add):
            button.setEnabled(not is_busy)
        self._bar.setVisible(is_busy)
        self._cancel.setVisible(is_busy)
        self._about.setText(_about(model) if model is not None else "")

    def _begin(self, operation: Operation, text: str) -> None:
        if self._operation is not None:
            return
        self._operation = operation
        self._tell(text)
        self._bar.setRange(0, 0)
        operation.progressed.connect(self._on_progress)
        operation.cancelled.connect(self._on_cancelled)
        self._refresh()
        operation.on_success(self._on_done).on_failure(self._on_failed).start()

    def _tell(self, text: str, *, is_failure: bool = False) -> None:
        self._told.setProperty("tone", "error" if is_failure else "")
        self._told.style().polish(self._told)
        self._told.setText(text)

    def _end(self, text: str, *, is_failure: bool = False) -> None:
        if self._operation is not None:
            self._operation.settle()
            self._operation = None
        self._tell(text, is_failure=is_failure)
        self.reload()

    def _on_progress(self, done: int, total: int | None, text: str) -> None:
        self._bar.setRange(0, 1000 if total else 0)
        self._bar.setValue(1000 * done // total if total else 0)
        self._tell(text)

    def _on_done(self, text: str) -> None:
        self._end(text)

    def _on_failed(self, error: MaskwrightError) -> None:
        self._end(str(error), is_failure=True)

    def _on_cancelled(self) -> None:
        self._end("Cancelled. The downloaded part is kept, so you can resume.")

    def _on_use(self) -> None:
        model = self._current()
        if model is not None and self._use.isEnabled():
            self.model_chosen.emit(str(model.installed.path) if model.installed is not None else model.name)
            self.close()

    def _on_get(self) -> None:
        self._with_current(lambda model: self._begin(get_task(model.name, self), f"Downloading {shown(model.name)}"))

    def _on_verify(self) -> None:
        self._with_current(lambda model: self._begin(verify_task(model, self), f"Checking {shown(model.name)}"))

    def _on_remove(self) -> None:
        self._with_current(self._remove_model)

    def _remove_model(self, model: Listed) -> None:
        try:
            remove(model.name)
        except MaskwrightError as error:
            self._tell(str(error), is_failure=True)
        else:
            self._tell(f"{shown(model.name)} has been removed.")
        self.reload()

    def _on_add(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self, "Add a model file", "", FILE_FILTER)
        if name:
            self.add_file(Path(name))

    def _on_cancel(self) -> None:
        if self._operation is not None:
            self._tell("Stopping")
            self._operation.cancel()

    def _with_current(self, action: Callable[[Listed], None]) -> None:
        if (model := self._current()) is not None:
            action(model)

    def closeEvent(self, event: QCloseEvent) -> None:
        if self._operation is not None:
            operation, self._operation = self._operation, None
            operation.stop()
        super().closeEvent(event)


def _download_text(model: Listed) -> str:
    """The download size, and how much has been downloaded already; empty if there is nothing to download or the size is
    unknown.
    """
    size = model.card.download_size if model.card is not None else 0
    arrived = f"{model.arrived_size / 1e6:.0f} of " if model.arrived_size else ""
    return f"{arrived}{size / 1e6:.0f} MB" if size else ""


def _about(model: Listed) -> str:
    """Rich text: what the model is, how accurate, and where it comes from."""
    card = model.card
    if card is None:
        return _markup(f"{model.title}, family {model.installed.family}") if model.installed is not None else ""
    figures = ", ".join(f"{_markup(name)} {value:.3f}" for name, value in card.metrics.items())
    parts = [f"<b>{_markup(card.title)}</b>", _markup(" ".join(card.description.split())), figures]
    link = _markup(card.source)
    if card.source.startswith(("https://", "http://")):
        link = f'<a href="{link}">{link}</a>'
    return "<br>".join(filter(None, [*parts, link]))


def _markup(text: str) -> str:
    """Escape a text from a model card, which may come from anywhere, for rich text."""
    return html.escape(shown_lines(text))


def get_task(name: str, parent: QObject) -> Operation:
    """Download, check and convert a model of the catalogue."""

    def work(progress: Monitor) -> str:
        from maskwright.models.install import get_model  # the network client is imported on first use

        def report(done: int, size: int) -> None:
            if done < size:
                progress.report(done, size, f"{name}: {done / 1e6:.0f} of {size / 1e6:.0f} MB")
            else:
                progress.report(0, None, f"{name}: checking and converting")

        get_model(name, on_progress=report)
        return f"{name} is ready."

    return Operation(work, parent)


def add_task(path: Path, parent: QObject) -> Operation:
    """Convert and install a file."""

    def work(progress: Monitor) -> str:
        from maskwright.models.install import add_file

        progress.check()
        model = add_file(path, check=progress.check)
        return f"{model.name} (family {model.family}) is ready."

    return Operation(work, parent)


def verify_task(model: Listed, parent: QObject) -> Operation:
    """Compare an installed model's files with what was installed."""

    def work(progress: Monitor) -> str:
        progress.check()
        if model.installed is not None:
            verify(model.installed)
        return f"The files of {model.name} have not changed."

    return Operation(work, parent)
