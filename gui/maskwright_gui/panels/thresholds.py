"""The strip under the canvas: thresholds that choose among the model's candidates, and what to do with the result."""

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QPushButton, QWidget

from maskwright_gui.panels.threshold_slider import ScoreHistogram, ThresholdSlider
from maskwright_gui.theme import Theme

if TYPE_CHECKING:
    from maskwright.prelabel.settings import PrelabelSettings

THRESHOLDS_SETTING = "window.thresholds"
"""Name of the project's setting."""
_RANGES = {"score": (0.05, 0.99), "nms_iou": (0.1, 0.95), "mask_threshold": (0.1, 0.9), "min_iou": (0.85, 1.0)}


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What turns candidates into proposals; see `Candidates.select`."""

    score: float = 0.5
    nms_iou: float = 0.5
    mask_threshold: float = 0.5
    min_iou: float = 0.98

    def settings(self) -> "PrelabelSettings":
        """As the pipeline wants them."""
        from maskwright.prelabel.settings import PrelabelSettings

        return PrelabelSettings(
            score=self.score, nms_iou=self.nms_iou, mask_threshold=self.mask_threshold, min_iou=self.min_iou
        )

    @classmethod
    def from_json(cls, stored: object) -> "Thresholds":
        """What `asdict` gave, or the defaults for anything else."""
        if not isinstance(stored, dict) or not all(isinstance(value, int | float) for value in stored.values()):
            return cls()
        names = {field.name for field in fields(cls)}
        return cls(**{name: float(value) for name, value in stored.items() if name in names})


class ThresholdStrip(QWidget):
    """Four sliders and two buttons; the current values travel with each signal."""

    moved = Signal(object)
    """Thresholds, at every step of a slider."""
    released = Signal(object)
    """Thresholds, when a slider is let go."""
    accept_requested = Signal(float)
    """Accept every proposal that scores at least this."""
    reject_requested = Signal(float)
    """Reject every proposal that scores less."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("strip")
        self._thresholds = Thresholds()
        self.histogram = ScoreHistogram(*_RANGES["score"], self)
        self._sliders = self._make_sliders()
        self._accept = QPushButton("Accept all above", self)
        self._reject = QPushButton("Reject rest", self)
        self._accept.clicked.connect(lambda: self.accept_requested.emit(self._thresholds.score))
        self._reject.clicked.connect(lambda: self.reject_requested.emit(self._thresholds.score))
        self._lay_out()
        self.set_proposal_count(0)

    @property
    def thresholds(self) -> Thresholds:
        return self._thresholds

    def set_thresholds(self, thresholds: Thresholds) -> None:
        self._thresholds = thresholds
        for field, slider in self._sliders.items():
            slider.set_value(getattr(thresholds, field))
        self.histogram.set_threshold(thresholds.score)

    def set_theme(self, theme: Theme) -> None:
        self.histogram.theme = theme
        self.histogram.update()

    def set_proposal_count(self, count: int) -> None:
        """The two buttons act on proposals: without any they rest."""
        self._accept.setEnabled(count > 0)
        self._reject.setEnabled(count > 0)
        self._accept.setToolTip("Accept all proposals that reach the score (Shift+Enter)")
        self._reject.setToolTip("Reject all proposals below the score (Shift+Backspace)")

    def _make_sliders(self) -> dict[str, ThresholdSlider]:
        named = {
            "score": ("Score", "Proposals need at least this score"),
            "nms_iou": ("Overlap", "Two proposals of a class may overlap by this IoU (NMS)"),
            "mask_threshold": ("Mask", "Probability from which a pixel belongs to an object"),
            "min_iou": ("Detail", "IoU that the outline keeps with the mask: lower means fewer vertices"),
        }
        sliders = {}
        for field, (title, tip) in named.items():
            value, (low, high) = getattr(self._thresholds, field), _RANGES[field]
            above = self.histogram if field == "score" else None
            slider = ThresholdSlider(title, low=low, high=high, value=value, tip=tip, above=above, parent=self)
            slider.moved.connect(lambda value, field=field: self._on_moved(field, value))
            slider.released.connect(lambda: self.released.emit(self._thresholds))
            sliders[field] = slider
        return sliders

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(12, 4, 12, 6)
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(2)
        for column, field in enumerate(_RANGES):
            grid.addWidget(self._sliders[field], 0, column, Qt.AlignmentFlag.AlignBottom)
            grid.setColumnStretch(column, 3 if field == "score" else 2)
        grid.addWidget(self._accept, 0, 4)
        grid.addWidget(self._reject, 0, 5)

    def _on_moved(self, field: str, value: float) -> None:
        self._thresholds = replace(self._thresholds, **{field: value})
        if field == "score":
            self.histogram.set_threshold(value)
        self.moved.emit(self._thresholds)
