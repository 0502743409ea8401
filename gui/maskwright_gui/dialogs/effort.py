"""What correcting has cost so far: per class, and how many proposals were good as they came, by score."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QLabel,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from maskwright_gui.panels.widgets import muted_label, named
from maskwright_gui.workers.batch_status import duration_text

if TYPE_CHECKING:
    from maskwright.review.report import ClassEffort, EffortReport

_COLUMNS = ("Class", "Proposed", "Untouched", "Edited", "Refused", "Drawn", "Seconds", "Better score")
_NOTHING = "No proposal has been answered yet. Accept, edit or reject some, and what they cost is summed up here."


class EffortDialog(QDialog):
    """Read from the project's own history; nothing of it leaves the computer."""

    def __init__(self, report: "EffortReport", names: Mapping[int, str], parent: QWidget | None) -> None:
        """`names`: {class id: name}."""
        super().__init__(parent)
        self.setWindowTitle("Correction effort")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(760, 560)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 12)
        column.setSpacing(12)
        column.addWidget(QLabel(summary_text(report), self))
        column.addWidget(self._make_table(report, names), 1)
        column.addWidget(muted_label("Proposals accepted as they came, by score (the grey bar: all answered)", self))
        column.addWidget(ScoreBars(report.answered_by_score, self))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        buttons.rejected.connect(self.close)
        column.addWidget(buttons)

    def _make_table(self, report: "EffortReport", names: Mapping[int, str]) -> QTreeWidget:
        table = named(QTreeWidget(self), "Effort by class")
        table.setRootIsDecorated(False)
        table.setHeaderLabels(list(_COLUMNS))
        table.header().setStretchLastSection(False)
        table.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in range(1, len(_COLUMNS)):
            table.header().setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        for effort in report.classes:
            item = QTreeWidgetItem(class_row(effort, names.get(effort.category_id, f"class {effort.category_id}")))
            for column in range(1, len(_COLUMNS)):
                item.setTextAlignment(column, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            table.addTopLevelItem(item)
        return table


class ScoreBars(QWidget):
    """For each tenth of the score: how many proposals were answered, and how many of them needed nothing."""

    def __init__(self, bins: tuple[tuple[float, int, int], ...], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bins = bins
        shares = ", ".join(f"from {low:.1f}: {good} of {count}" for low, count, good in bins if count)
        self.setAccessibleName(f"Accepted untouched by score: {shares or 'nothing yet'}")
        self.setFixedHeight(140)

    def sizeHint(self) -> QSize:
        return QSize(400, 140)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, palette = QPainter(self), self.palette()
        line = painter.fontMetrics().height()
        width, height = self.width() / max(len(self._bins), 1), self.height() - 2 * line - 4
        peak = max((count for _, count, _ in self._bins), default=0) or 1
        for place, (low, count, good) in enumerate(self._bins):
            left, foot = place * width + 4, float(line + height)
            for number, role in ((count, QPalette.ColorRole.Mid), (good, QPalette.ColorRole.Accent)):
                tall = height * number / peak
                painter.fillRect(QRectF(left, foot - tall, width - 8, tall), palette.color(role))
            painter.setPen(palette.color(QPalette.ColorRole.WindowText))
            below = QRectF(place * width, foot + 4, width, line)
            painter.drawText(below, Qt.AlignmentFlag.AlignCenter, f"{low:.1f}")
            if count:
                above = QRectF(place * width, foot - height * count / peak - line, width, line)
                painter.drawText(above, Qt.AlignmentFlag.AlignCenter, f"{round(100 * good / count)} %")


def summary_text(report: "EffortReport") -> str:
    if not report.classes:
        return _NOTHING
    saved = duration_text(abs(report.saved_seconds))
    word = "saved" if report.saved_seconds >= 0 else "lost"
    return (
        f"{duration_text(report.seconds)} of active work on {report.images} images. "
        f"Drawing one object takes {report.draw_seconds:.1f} s, refusing one {report.refuse_seconds:.1f} s.\n"
        f"The model has {word} about {saved} against drawing everything by hand."
    )


def class_row(effort: "ClassEffort", name: str) -> list[str]:
    rate = effort.untouched_rate
    return [
        name,
        str(effort.proposed),
        f"{effort.untouched} ({rate:.0%})" if rate is not None else str(effort.untouched),
        str(effort.edited),
        str(effort.refused),
        str(effort.drawn),
        f"{effort.median_seconds:.1f}",
        f"{effort.suggested_score:.2f}" if effort.suggested_score is not None else "–",
    ]
