"""How large the objects of a data set are and how certain the model was, for all classes or one."""

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from maskwright.document.palette import category_colour
from maskwright.document.values import Category
from maskwright.words import shown
from maskwright_gui.panels.plots import BarPlot, Bars, Colour
from maskwright_gui.panels.widgets import muted_label, named

if TYPE_CHECKING:
    from maskwright.project.measures import Measures

SIDE_EDGES_PX = tuple(float(2**k) for k in range(1, 13))
"""Square root of an object's area: 2, 4 ... 4096; smaller or larger values count to the outermost bars."""
SHARE_EDGES = tuple(100 / 2**k for k in range(12, -1, -1))
"""Percent of the image's area."""
SCORE_STEP = 0.05
SMALL_PX, LARGE_PX = 32.0, 96.0
"""COCO's limits between small, medium and large objects."""


class MeasurePlots(QWidget):
    """Plots of sizes, positions and scores; a click on a score bar lists its images."""

    search_requested = Signal(str)
    """Search text for the images of a bar."""

    def __init__(self, measures: "Measures", categories: Sequence[Category], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._measures, self._categories = measures, tuple(categories)
        self._class = named(QComboBox(self), "Class to plot")
        self._class.addItem("All classes", None)
        for category in self._categories:
            self._class.addItem(shown(category.name), category.id)
        self._unit = named(QComboBox(self), "Unit of size")
        self._unit.addItems(["Side of a square of equal area, in pixels", "Share of the image"])
        self._summary = QLabel(self)
        self.sizes = BarPlot("Sizes", "objects", self)
        self.scores = BarPlot("Scores", "objects", self, is_choice=True)
        self.scores.bar_clicked.connect(self._on_score_clicked)
        self._lay_out()
        self._class.currentIndexChanged.connect(self.refresh)
        self._unit.currentIndexChanged.connect(self.refresh)
        self.refresh()

    def choose(self, category_id: int | None) -> None:
        """Plot one class, or all."""
        self._class.setCurrentIndex(max(self._class.findData(category_id), 0))

    @property
    def summary(self) -> str:
        """The conclusion below the plots."""
        return self._summary.text()

    def refresh(self) -> None:
        """Plot again, for the class chosen above."""
        chosen = self._class.currentData()
        measures = self._measures
        here = np.ones(len(measures), np.bool_) if chosen is None else measures.category_ids == chosen
        colour = next((category_colour(c) for c in self._categories if c.id == chosen), None)
        sides = np.sqrt(measures.areas_px[here])
        if self._unit.currentIndex() == 0:
            self.sizes.set_bars(size_bars(sides, SIDE_EDGES_PX, " px", colour))
        else:
            self.sizes.set_bars(size_bars(100 * measures.shares[here], SHARE_EDGES, " %", colour))
        self.scores.set_bars(score_bars(measures.scores[here], colour))
        self._summary.setText(summary_text(sides, measures.scores[here]))

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.addWidget(self._class)
        row.addWidget(self._unit)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.addLayout(row)
        column.addWidget(self._summary)
        column.addWidget(self.sizes, 1)
        column.addWidget(self.scores, 1)
        column.addWidget(
            muted_label(
                "Click a bar of the scores, or use arrow keys and Enter, to list the images with such objects.", self
            )
        )

    def _on_score_clicked(self, bar: int) -> None:
        low = bar * SCORE_STEP
        words = [f"score>{low:.2f}", f"score<{low + SCORE_STEP:.2f}"]
        if self._class.currentData() is not None:
            words.append(f'class:"{self._class.currentText()}"')
        self.search_requested.emit(" ".join(words))


def size_bars(values: NDArray[np.float32], edges: Sequence[float], unit: str, colour: Colour | None) -> Bars:
    """The histogram; values beyond the edges count to the first and last bar."""
    inside = np.clip(values, edges[0], np.nextafter(edges[-1], 0))
    counts = np.histogram(inside, bins=np.array(edges))[0].tolist()
    named_edges = [f"{edge:.2g}" if edge < 1 else f"{edge:.0f}" for edge in edges]
    labels = [f"{low}–{high}" for low, high in pairwise(named_edges)]
    texts = [f"{label}{unit}: {count}" for label, count in zip(labels, counts, strict=True)]
    return Bars(counts, labels, texts=texts, colours=[colour] * len(counts) if colour else ())


def score_bars(scores: NDArray[np.float32], colour: Colour | None) -> Bars:
    """The histogram of the scores."""
    known = scores[~np.isnan(scores)]
    count = round(1 / SCORE_STEP)
    counts = np.histogram(np.clip(known, 0, 1), bins=count, range=(0, 1))[0].tolist()
    labels = [f"{place * SCORE_STEP:.1f}" if place % 2 == 0 else "" for place in range(count + 1)]
    texts = [f"from {place * SCORE_STEP:.2f}: {number}" for place, number in enumerate(counts)]
    return Bars(counts, labels, texts=texts, colours=[colour] * count if colour else (), at_edges=True)


def summary_text(sides_px: NDArray[np.float32], scores: NDArray[np.float32]) -> str:
    """How many objects are small, medium and large, and how many have a score."""
    if not len(sides_px):
        return "There are no objects of this class yet."
    small, large = int((sides_px < SMALL_PX).sum()), int((sides_px >= LARGE_PX).sum())
    drawn = int(np.isnan(scores).sum())
    return (
        f"{len(sides_px):,} objects: {small:,} below {SMALL_PX:.0f} px, {len(sides_px) - small - large:,} to "
        f"{LARGE_PX:.0f} px, {large:,} larger; median {float(np.median(sides_px)):.0f} px. "
        f"{len(scores) - drawn:,} with a score, {drawn:,} without."
    )
