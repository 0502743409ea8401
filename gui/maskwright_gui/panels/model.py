"""The model panel: which model on which device, running it on this image or on all, and the batch progress."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QProgressBar,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from maskwright_gui.keymap import WithKeys
from maskwright_gui.panels.widgets import AskingComboBox, ElidedLabel, named
from maskwright_gui.workers.requests import BatchProgress, BatchState, progress_text

BUNDLED = "nuclei"
_OTHER, _TO_GET = "\0other", "\0get"
_LIST_PAD_PX = 24
_LEAST_PX = 184


class ModelPanel(QWidget):
    """Shows what it is given and answers with signals; it owns no model."""

    model_chosen = Signal(str)
    """Name of a bundled model or path of a file."""
    models_requested = Signal()
    """The list of models is opened for the first time."""
    get_requested = Signal()
    """A model that is not installed was chosen: show how to get it."""
    browse_requested = Signal()
    device_chosen = Signal(str)
    devices_requested = Signal()
    """The list of devices is opened for the first time."""
    mapping_requested = Signal()
    run_requested = Signal()
    batch_requested = Signal()
    pause_requested = Signal()
    resume_requested = Signal()
    cancel_requested = Signal()
    failures_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = named(AskingComboBox(self), "Model")
        self._model.addItem("Nuclei (bundled)", BUNDLED)
        self._model.addItem("Open a model file…", _OTHER)
        self._model.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._model.setMinimumContentsLength(10)
        self._device = named(AskingComboBox(self), "Device")
        self._device.addItem("CPU")
        self._device.setMinimumContentsLength(5)
        self._note = ElidedLabel(self)
        self._note.show_text("Loaded when needed.")
        self._classes = named(QToolButton(self), "Map classes", tip="Map model classes to project classes")
        self._classes.setText("Classes…")
        self._run = named(QPushButton("This image", self), "Run on this image", tip="Run the model on this image")
        self._batch = named(QPushButton("All images", self), "Run on all images")
        self._batch.setProperty("primary", True)
        self._pause = QPushButton("Pause", self)
        self._cancel = named(
            QPushButton("Cancel", self), "Cancel the batch", tip="Stop the batch; finished images keep their proposals"
        )
        self._bar = named(QProgressBar(self), "Progress of the batch")
        self._bar.setTextVisible(False)
        self._progress = ElidedLabel(self)
        self._failures = named(QPushButton(self), "Show images that failed", tip="Show which images failed and why")
        self._failures.setProperty("tight", True)
        self._state = BatchState.IDLE
        self._last = BatchProgress(0, 0)
        self._failed = (0, 0)
        """How many images failed, and how many have no file."""
        self._has_image = False
        self._lay_out()
        self._connect()
        self._refresh()

    def show_keys(self, with_keys: WithKeys) -> None:
        """Show the current keys in the tooltips."""
        self._run.setToolTip(with_keys("Run the model on this image ({run_model})"))
        self._batch.setToolTip(with_keys("Run the model on all images not done yet ({run_batch})"))

    def set_models(
        self, entries: Sequence[tuple[str, str]], current: str, *, to_get: Sequence[tuple[str, str]] = ()
    ) -> None:
        """entries: (text, name or path), most recent first. to_get: the same for models that are not installed."""
        self._model.blockSignals(True)
        self._model.clear()
        for text, value in entries:
            self._model.addItem(text, value)
            self._model.setItemData(self._model.count() - 1, value, 3)
        if to_get:
            self._model.insertSeparator(self._model.count())
        for text, name in to_get:
            self._model.addItem(text, _TO_GET)
            self._model.setItemData(self._model.count() - 1, name, Qt.ItemDataRole.ToolTipRole)
        self._model.addItem("Open a model file…", _OTHER)
        widest = max(
            self._model.fontMetrics().horizontalAdvance(self._model.itemText(row)) for row in range(self._model.count())
        )
        self._model.view().setMinimumWidth(widest + _LIST_PAD_PX)
        self._model.setCurrentIndex(max(self._model.findData(current), 0))
        self._model.blockSignals(False)

    def set_devices(self, devices: Sequence[str], current: str) -> None:
        """List the devices that OpenVINO has found."""
        self._device.blockSignals(True)
        self._device.clear()
        self._device.addItems(list(devices))
        self._device.setCurrentText(current)
        self._device.blockSignals(False)

    def set_note(self, text: str) -> None:
        """Show the state of the model: loading, ready, on another device, failed."""
        self._note.show_text(text)

    def set_has_image(self, has_image: bool) -> None:
        """Set whether there is an image to run the model on."""
        self._has_image = has_image
        self._refresh()

    def set_batch(self, state: BatchState, progress: BatchProgress) -> None:
        """Show the progress of the batch."""
        self._state, self._last = state, progress
        self._refresh()

    def set_failure_counts(self, failed: int, missing: int) -> None:
        """Show the number of images that failed, and of those without a file."""
        self._failed = failed, missing
        self._refresh()

    @property
    def devices(self) -> list[str]:
        """The devices listed."""
        return [self._device.itemText(row) for row in range(self._device.count())]

    def _lay_out(self) -> None:
        runs = QHBoxLayout()
        runs.setSpacing(6)
        of_all = QHBoxLayout()  # half the width each, so that the first does not move while a batch runs
        of_all.setSpacing(6)
        for button in (self._batch, self._pause, self._cancel):
            button.setProperty("tight", button is not self._batch)
            of_all.addWidget(button, 1)
        runs.addWidget(self._run, 1)
        runs.addLayout(of_all, 1)
        rest = QHBoxLayout()
        rest.setSpacing(6)
        rest.addWidget(self._device)
        rest.addStretch(1)
        rest.addWidget(self._classes)
        rest.addWidget(self._failures)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 6, 6, 6)
        column.setSpacing(4)
        column.addWidget(self._model)
        column.addLayout(runs)
        column.addLayout(rest)
        # space for a running batch is reserved from the start, so that the dock does not jump
        bar = self._bar.sizePolicy()
        bar.setRetainSizeWhenHidden(True)
        self._bar.setSizePolicy(bar)
        column.addWidget(self._note)
        column.addWidget(self._progress)
        column.addWidget(self._bar)
        column.addStretch(1)
        self.setMinimumWidth(_LEAST_PX)
        rows = (self._model, self._run, self._batch, self._pause, self._cancel, self._device, self._classes)
        for one, following in pairwise((*rows, self._failures)):
            self.setTabOrder(one, following)

    def _connect(self) -> None:
        self._model.activated.connect(self._on_model_activated)
        self._classes.clicked.connect(self.mapping_requested)
        self._device.first_opened.connect(self.devices_requested)
        self._model.first_opened.connect(self.models_requested)
        self._device.textActivated.connect(self.device_chosen)
        self._run.clicked.connect(self.run_requested)
        self._batch.clicked.connect(self.batch_requested)
        self._pause.clicked.connect(self._on_pause)
        self._cancel.clicked.connect(self.cancel_requested)
        self._failures.clicked.connect(self.failures_requested)

    def _refresh(self) -> None:
        is_idle = self._state is BatchState.IDLE
        self._run.setEnabled(self._has_image)
        self._classes.setEnabled(self._has_image)
        self._batch.setEnabled(self._has_image)
        self._batch.setVisible(is_idle)
        self._pause.setVisible(not is_idle)
        self._cancel.setVisible(not is_idle)
        self._pause.setText("Resume" if self._state is BatchState.PAUSED else "Pause")
        is_stopping = self._state is BatchState.STOPPING
        self._pause.setEnabled(not is_stopping)
        self._cancel.setEnabled(not is_stopping)
        self._bar.setVisible(not is_idle)
        self._bar.setRange(0, max(self._last.total, 1))
        self._bar.setValue(self._last.done)
        self._progress.setVisible(not is_idle)
        self._note.setVisible(is_idle)
        self._progress.show_text(progress_text(self._last, self._state))
        self._failures.setVisible(any(self._failed))
        self._failures.setText(f"{failure_text(*self._failed)}…")

    def _on_model_activated(self, row: int) -> None:
        value = self._model.itemData(row)
        if value == _OTHER:
            self.browse_requested.emit()
        elif value == _TO_GET:
            self.get_requested.emit()
        else:
            self.model_chosen.emit(value)

    def _on_pause(self) -> None:
        if self._state is BatchState.PAUSED:
            self.resume_requested.emit()
        else:
            self.pause_requested.emit()


def failure_text(failed: int, missing: int) -> str:
    """How many images a model failed on and how many had no file; empty for none."""
    return ", ".join(f"{count:,} {what}" for count, what in ((failed, "failed"), (missing, "missing")) if count)


def model_title(value: str) -> str:
    """A model's title in the list: the bundled one by name, a file by folder and name."""
    if value == BUNDLED:
        return "Nuclei (bundled)"
    path = Path(value)
    return f"{path.stem} ({path.parent.name})"
