"""The strip below the canvas: thresholds that select from the model's candidates, and buttons for the result."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QPushButton, QToolButton, QVBoxLayout, QWidget

from maskwright.document.values import Category
from maskwright.inference.thresholds import Defaults, Thresholds
from maskwright_gui.keymap import WithKeys
from maskwright_gui.panels.class_filter import ClassFilter
from maskwright_gui.panels.threshold_slider import ScoreHistogram, ThresholdSlider
from maskwright_gui.panels.widgets import muted_label, named
from maskwright_gui.theme import Theme

_DEFAULTS = Defaults()
_ACROSS = "Overlapping proposals also count as one object if their classes differ"
_ALWAYS_ACROSS = f"{_ACROSS}.\nAlways on for this model: its classes exclude each other"
_RANGES = {"score": (0.05, 0.99), "nms_iou": (0.1, 0.95), "mask_threshold": (0.1, 0.9), "min_iou": (0.85, 1.0)}

_USUAL = Thresholds(_DEFAULTS.score, _DEFAULTS.nms_iou)
_LEAST_STEP = 0.01
NONE_BELOW = (
    "What does not reach the score is not proposed at all: it is neither saved nor exported.\n"
    "Lower the score to see it."
)
ROOM_FOR = 999
"""Up to this number of proposals the buttons keep their width."""


@dataclass(frozen=True, slots=True)
class ProposalCounts:
    """How many proposals on the image each of the buttons affects."""

    above: int = 0
    """Proposals that reach the score."""
    below: int = 0
    in_view: int = 0


class ThresholdStrip(QWidget):
    """Four sliders, two switches and three buttons; the current values are sent with each signal."""

    moved = Signal(object)
    """Thresholds, at every step of a slider."""
    released = Signal(object)
    """Thresholds, when a slider is released."""
    accept_requested = Signal(float)
    """Accept every proposal that scores at least this."""
    reject_requested = Signal(float)
    """Reject every proposal that scores less."""
    reset_requested = Signal()
    """Reset the score to the model's operating point."""
    reject_shown_requested = Signal()
    """Reject every proposal in view."""
    expert_toggled = Signal(bool)
    """The user has shown or hidden the second row."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("strip")
        self._thresholds = Thresholds(_DEFAULTS.score, _DEFAULTS.nms_iou)
        self._with_keys: WithKeys = str
        self.histogram = ScoreHistogram(*_RANGES["score"], self)
        self._agnostic = named(
            QCheckBox("Across classes", self),
            "Suppress overlaps across classes",
            tip=_ACROSS,
        )
        self._agnostic.toggled.connect(lambda is_on: self._on_switched(is_class_agnostic=is_on))
        self._effect = muted_label("", self, wraps=False)
        self._filter = ClassFilter(self)
        self._filter.changed.connect(lambda left_out: self._on_switched(left_out=left_out))
        self._reaches_all = named(
            QCheckBox("All images", self),
            "Thresholds for all images",
            tip="On: a moved threshold applies to all images that nobody has worked on, and stays.\n"
            "Off: it applies to the image on screen only; the next image has its own.",
        )
        self._reaches_all.setChecked(True)
        self._reset = named(QToolButton(self), "Back to the model's score")
        self._reset.setText("↺")
        self._reset.clicked.connect(self.reset_requested)
        self._own: Defaults | None = None
        self._expert = QWidget(self)
        self._more = self._make_more()
        self._sliders = self._make_sliders()
        self._counts = ProposalCounts()
        self._accept, self._reject, self._reject_shown = (QPushButton(self) for _ in range(3))
        self._accept.clicked.connect(lambda: self.accept_requested.emit(self.score))
        self._reject.clicked.connect(lambda: self.reject_requested.emit(self.score))
        self._reject_shown.clicked.connect(self.reject_shown_requested)
        self._lay_out()
        self.show_expert(False)
        self._explain_more()
        self.set_counts(self._counts)

    @property
    def thresholds(self) -> Thresholds:
        """The values of the sliders, always with a score and an overlap."""
        return self._thresholds

    @property
    def score(self) -> float:
        """The value of the score slider."""
        return self._thresholds.over(_DEFAULTS).score

    def set_thresholds(self, thresholds: Thresholds) -> None:
        """Move the sliders without emitting anything."""
        shown = thresholds.over(_DEFAULTS)
        self._thresholds = thresholds = replace(thresholds, score=shown.score, nms_iou=shown.nms_iou)
        for field, slider in self._sliders.items():
            slider.set_value(getattr(thresholds, field))
        self.histogram.set_threshold(shown.score)
        self._explain_reset()
        self._show_agnostic()
        self._filter.set_left_out(thresholds.left_out)
        self._explain_more()

    @property
    def reaches_all(self) -> bool:
        """Whether moved thresholds apply to all images, not only to the current one."""
        return self._reaches_all.isChecked()

    @property
    def scope_switch(self) -> QCheckBox:
        """The switch between all images and the current one."""
        return self._reaches_all

    @property
    def is_moving(self) -> bool:
        """Whether a slider is held."""
        return any(slider.is_held for slider in self._sliders.values())

    def set_own(self, own: Defaults | None) -> None:
        """Set the model's operating point; None if it is not known yet."""
        self._own = own
        self._explain_reset()
        self._show_agnostic()

    def _show_agnostic(self) -> None:
        """Show what applies: a model whose classes exclude each other always suppresses across classes."""
        is_always = self._own is not None and self._own.is_class_agnostic
        self._agnostic.blockSignals(True)
        self._agnostic.setChecked(is_always or self._thresholds.is_class_agnostic)
        self._agnostic.blockSignals(False)
        self._agnostic.setEnabled(not is_always)
        self._agnostic.setToolTip(_ALWAYS_ACROSS if is_always else _ACROSS)

    def set_score(self, score: float) -> None:
        """Set the score as if the slider had been moved."""
        self.step_score(score - self._sliders["score"].value)

    def _explain_reset(self) -> None:
        own = self._own.score if self._own is not None else None
        self._reset.setEnabled(own is not None and abs(own - self.score) >= _LEAST_STEP / 2)
        said = "" if own is None else f" {own:.2f}"
        self._reset.setToolTip(self._with_keys(f"Reset to the model's own score{said} ({{score_reset}})"))

    def set_categories(self, categories: Sequence[Category], unlisted: Sequence[Category] = ()) -> None:
        """Set the classes that can be left out; unlisted: those that can only be proposed again once they are."""
        self._filter.set_categories(categories, unlisted)

    def show_effect(self, added: int, removed: int) -> None:
        """Show how many proposals the current values would add to the current image and remove; nothing for 0 and 0."""
        parts = [f"{word} {count}" for word, count in (("adds", added), ("removes", removed)) if count]
        self._effect.setText(", ".join(parts))

    def step_score(self, change: float) -> None:
        """Raise or lower the score as its slider would."""
        self._sliders["score"].step(change)

    @property
    def effect_text(self) -> str:
        """The text about what would be added and removed."""
        return self._effect.text()

    def set_theme(self, theme: Theme) -> None:
        """Set the theme of the histogram."""
        self.histogram.theme = theme
        self.histogram.update()

    def show_keys(self, with_keys: WithKeys) -> None:
        """Show the current keys in the tooltips."""
        self._with_keys = with_keys
        self._sliders["score"].setToolTip(with_keys("Proposals need at least this score ({score_up}, {score_down})"))
        self._explain_buttons()
        self._explain_reset()

    def set_counts(self, counts: ProposalCounts) -> None:
        """Show on each button how many proposals it affects; disable it at 0."""
        self._counts = counts
        for button, count, text, none in (
            (self._accept, counts.above, "Accept {:,} above", "None above"),
            (self._reject, counts.below, "Reject {:,} below", "None below"),
            (self._reject_shown, counts.in_view, "Reject {:,} shown", "None shown"),
        ):
            button.setText(text.format(ROOM_FOR))
            button.setMinimumWidth(button.sizeHint().width())  # nothing moves when the number gets another digit
            button.setText(text.format(count) if count else none)
            button.setEnabled(count > 0)
        self._explain_buttons()

    def _explain_buttons(self) -> None:
        score = f"{self.score:.2f}"
        below = f"Reject all proposals of this image that score less than {score} ({{reject_below}})"
        for button, tip in (
            (self._accept, f"Accept all proposals of this image that score {score} or more ({{accept_above}})"),
            (self._reject, below if self._counts.below else f"No proposal scores less than {score}.\n{NONE_BELOW}"),
            (self._reject_shown, "Reject all proposals in view ({reject_view})"),
        ):
            button.setToolTip(self._with_keys(tip))

    def show_expert(self, is_on: bool) -> None:
        """Show or hide the second row of sliders, which are rarely used."""
        self._expert.setVisible(is_on)
        self._more.setChecked(is_on)
        self._more.setArrowType(Qt.ArrowType.DownArrow if is_on else Qt.ArrowType.UpArrow)

    def _explain_more(self) -> None:
        """Mark changed values even while their sliders are hidden."""
        shown = self._thresholds
        moved = (shown.mask_threshold, shown.min_iou) != (_USUAL.mask_threshold, _USUAL.min_iou)
        is_changed = moved or shown.is_class_agnostic or bool(shown.left_out)
        self._more.setText("More •" if is_changed else "More")
        told = "Overlap, mask, detail and classes to propose"
        self._more.setToolTip(f"{told}\n• some have been changed" if is_changed else told)

    def _make_more(self) -> QToolButton:
        more = named(QToolButton(self), "More thresholds")
        more.setCheckable(True)
        more.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        more.clicked.connect(self.show_expert)
        more.clicked.connect(self.expert_toggled)
        return more

    def _make_sliders(self) -> dict[str, ThresholdSlider]:
        titles = {
            "score": ("Score", "Proposals need at least this score"),
            "nms_iou": ("Overlap", "Two proposals of one class may overlap up to this IoU (NMS)"),
            "mask_threshold": ("Mask", "Probability above which a pixel belongs to an object"),
            "min_iou": ("Detail", "IoU of the outline with the mask: lower means fewer vertices"),
        }
        sliders = {}
        for field, (title, tip) in titles.items():
            value, (low, high) = getattr(self._thresholds, field), _RANGES[field]
            above, beside = (self.histogram, self._reset) if field == "score" else (None, None)
            slider = ThresholdSlider(
                title, low=low, high=high, value=value, tip=tip, above=above, beside=beside, parent=self
            )
            slider.moved.connect(lambda value, field=field: self._on_moved(field, value))
            slider.released.connect(lambda: self.released.emit(self._thresholds))
            sliders[field] = slider
        return sliders

    def _lay_out(self) -> None:
        """One row for what is used on every image; the second is hidden at first."""
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 0, 12, 1)
        column.setSpacing(4)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self._sliders["score"], 1)
        for widget in (self._reaches_all, self._effect, self._accept, self._reject, self._reject_shown, self._more):
            row.addWidget(widget)
        column.addLayout(row)
        beside = QHBoxLayout(self._expert)
        beside.setContentsMargins(0, 0, 0, 0)
        beside.setSpacing(12)
        for field in ("nms_iou", "mask_threshold", "min_iou"):
            beside.addWidget(self._sliders[field], 1)
        beside.addWidget(self._agnostic)
        beside.addWidget(self._filter)
        column.addWidget(self._expert)
        self._order_focus()

    def _order_focus(self) -> None:
        """Tab goes through the controls as they stand."""
        score, *others = (slider.handle for slider in self._sliders.values())
        buttons = (self._accept, self._reject, self._reject_shown, self._more)
        for one, following in pairwise(
            (score, self._reset, self._reaches_all, *buttons, *others, self._agnostic, self._filter)
        ):
            QWidget.setTabOrder(one, following)

    def _on_switched(self, **changed: Any) -> None:
        self._thresholds = replace(self._thresholds, **changed)
        self._explain_more()
        self.released.emit(self._thresholds)

    def _on_moved(self, field: str, value: float) -> None:
        changed: dict[str, Any] = {field: value}
        self._thresholds = replace(self._thresholds, **changed)
        self._explain_more()
        if field == "score":
            self.histogram.set_threshold(value)
            self._explain_reset()
        self.moved.emit(self._thresholds)
