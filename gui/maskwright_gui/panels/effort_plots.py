"""Plots of the correction effort: quality of proposals, time per object, and better score thresholds."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QTabWidget

from maskwright.document.palette import category_colour
from maskwright.document.values import Category
from maskwright.review.report import MIN_ANSWERS
from maskwright_gui.panels.plots import BarPlot, Bars, Colour
from maskwright_gui.panels.widgets import named

if TYPE_CHECKING:
    from maskwright.review.report import ClassEffort, EffortReport

MOST_CLASSES = 16
"""Number of classes plotted, those with most objects; the table has all."""


def effort_plots(report: "EffortReport", categories: Sequence[Category]) -> QTabWidget:
    """One tab per question."""
    known = {category.id: category for category in categories}
    busiest = sorted(report.classes, key=lambda effort: -(effort.proposed + effort.drawn))[:MOST_CLASSES]
    tabs = named(QTabWidget(), "Effort plots")
    for tab, detail, unit, bars in (
        ("Accepted unchanged, by class", "", "share", rate_bars(busiest, known)),
        ("Accepted unchanged, by score", "", "proposals", score_bars(report)),
        ("Seconds per object", "median, including rejected ones", "s", seconds_bars(busiest, known)),
        ("Score to use", f"classes with {MIN_ANSWERS} answers or more", "score", suggestion_bars(busiest, known)),
    ):
        plot = BarPlot(f"{tab} ({detail})" if detail else tab, unit)
        plot.set_bars(bars)
        tabs.addTab(plot, tab)
    return tabs


def rate_bars(efforts: Sequence["ClassEffort"], known: Mapping[int, Category]) -> Bars:
    """Share of the answered proposals that were accepted unchanged."""
    shown = [effort for effort in efforts if effort.proposed]
    rates = [effort.untouched_rate or 0.0 for effort in shown]
    notes = [f"{effort.untouched} of {effort.proposed}" for effort in shown]
    return _bars(shown, known, rates, notes, backs=[1.0] * len(shown), top=1.0)


def score_bars(report: "EffortReport") -> Bars:
    """For each tenth of the score: how many were accepted unchanged, and how many were answered."""
    rows = report.answered_by_score
    notes = [f"{good / count:.0%}" if count else "" for _, count, good in rows]
    texts = [f"from {low:.1f}: {good} of {count}" for low, count, good in rows if count]
    return Bars(
        [good for _, _, good in rows],
        [f"{low:.1f}–{low + 0.1:.1f}" for low, _, _ in rows],
        notes,
        [count for _, count, _ in rows],
        texts=texts,
    )


def seconds_bars(efforts: Sequence["ClassEffort"], known: Mapping[int, Category]) -> Bars:
    """Median of the active seconds per object of each class."""
    values = [effort.median_seconds for effort in efforts]
    return _bars(efforts, known, values, [f"{value:.1f}" for value in values])


def suggestion_bars(efforts: Sequence["ClassEffort"], known: Mapping[int, Category]) -> Bars:
    """The score threshold with the least expected effort, for classes with enough answers."""
    shown = [effort for effort in efforts if effort.suggested_score is not None]
    values = [effort.suggested_score or 0.0 for effort in shown]
    return _bars(shown, known, values, [f"{value:.2f}" for value in values], top=1.0)


def _bars(
    efforts: Sequence["ClassEffort"],
    known: Mapping[int, Category],
    heights: Sequence[float],
    notes: Sequence[str],
    backs: Sequence[float] = (),
    top: float | None = None,
) -> Bars:
    ids = [effort.category_id for effort in efforts]
    labels = [known[id_].name if id_ in known else f"class {id_}" for id_ in ids]
    texts = [f"{label}: {note}" for label, note in zip(labels, notes, strict=True)]
    return Bars(heights, labels, notes, backs, [_colour(id_, known) for id_ in ids], texts, top=top)


def _colour(category_id: int, known: Mapping[int, Category]) -> Colour:
    return category_colour(known[category_id]) if category_id in known else (128, 128, 128)
