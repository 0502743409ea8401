"""Offers ways to begin with a new project: a model that may suit its images, pointing, or learning from outlines."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from maskwright.document.values import ImageState
from maskwright.errors import MaskwrightError
from maskwright_gui.feature import Context, Feature
from maskwright_gui.features.model.feature import ModelFeature
from maskwright_gui.features.tools.feature import HOME, ToolsFeature
from maskwright_gui.features.tour import TourFeature
from maskwright_gui.panels.widgets import muted_label, named
from maskwright_gui.theme import Theme, themed_icon

if TYPE_CHECKING:
    from maskwright.operations.beginning import Beginning

WIDTH_PX = 620
LEAST_PX, MARGIN_PX = 360, 16
_SPARE_PX = 8
"""Rows of a grid layout come out slightly lower than their contents."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to begin."""

    name: str
    icon: str
    title: str
    sentence: str
    button: str


class StartCard(QFrame):
    """A card in the middle of `host`, with a sentence and a button for each way; Esc or "Not now" closes it."""

    chosen = Signal(str)
    """Name of a way."""
    dismissed = Signal()

    def __init__(self, subtitle: str, ways: Sequence[Way], theme: Theme, host: QWidget) -> None:
        super().__init__(host)
        self.setObjectName("startCard")
        self.setAccessibleName("How do you want to begin?")
        self._host, self._ways = host, tuple(ways)
        self._icons: list[QLabel] = []
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 16)
        column.setSpacing(6)
        title = QLabel("How do you want to begin?", self)
        title.setProperty("title", True)
        column.addWidget(title)
        column.addWidget(muted_label(subtitle, self))
        column.addSpacing(8)
        grid = QGridLayout()
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(18)
        grid.setColumnStretch(1, 1)
        self.buttons = [self._add_way(grid, row, way) for row, way in enumerate(self._ways)]
        column.addLayout(grid)
        column.addSpacing(8)
        column.addLayout(self._last_row())
        self.set_theme(theme)
        host.installEventFilter(self)
        self._place()

    def set_theme(self, theme: Theme) -> None:
        """Draw the icons in the theme's colours."""
        for label, way in zip(self._icons, self._ways, strict=True):
            label.setPixmap(themed_icon(way.icon, theme).pixmap(QSize(28, 28)))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._host and event.type() == QEvent.Type.Resize:
            self._place()
        return super().eventFilter(watched, event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.dismissed.emit()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            focused = self.focusWidget()
            if isinstance(focused, QPushButton):
                focused.click()
        else:
            super().keyPressEvent(event)

    def _add_way(self, grid: QGridLayout, row: int, way: Way) -> QPushButton:
        icon = QLabel(self)
        self._icons.append(icon)
        title = QLabel(way.title, self)
        title.setProperty("strong", True)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(title)
        words.addWidget(muted_label(way.sentence, self))
        button = named(QPushButton(way.button, self), f"{way.title}: {way.button}")
        button.setProperty("primary", row == 0)
        button.clicked.connect(lambda: self.chosen.emit(way.name))
        grid.addWidget(icon, row, 0, Qt.AlignmentFlag.AlignTop)
        grid.addLayout(words, row, 1)
        grid.addWidget(button, row, 2, Qt.AlignmentFlag.AlignVCenter)
        return button

    def _last_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.addWidget(muted_label("You can also find all of this in the toolbar and the menus.", self), 1)
        later = named(QPushButton("Not now", self), "Not now")
        later.setProperty("flat", True)
        later.clicked.connect(self.dismissed)
        row.addWidget(later)
        return row

    def _place(self) -> None:
        """Centre the card, as wide as there is room for and as high as its texts need."""
        layout, width = self.layout(), min(WIDTH_PX, max(LEAST_PX, self._host.width() - 2 * MARGIN_PX))
        assert layout is not None
        layout.activate()
        width = max(width, layout.minimumSize().width())
        height = layout.heightForWidth(width) + _SPARE_PX
        self.setFixedSize(width, max(height, layout.minimumSize().height()))
        left, top = (self._host.width() - self.width()) // 2, (self._host.height() - self.height()) // 2
        self.move(max(left, 0), max(top, 0))


ASKED_SETTING = "start.is_asked"
MODEL, POINT, LEARN = "model", "point", "learn"


class StartFeature(Feature):
    """Shows its card once per project, as long as nothing has been done in it."""

    def __init__(self, context: Context, model: ModelFeature, tools: ToolsFeature, tour: TourFeature) -> None:
        super().__init__(context)
        self._model, self._tools, self._tour = model, tools, tour
        self.card: StartCard | None = None
        self._ready = ""
        """What loads the model that the card offers; empty where one has to be got first."""
        model.fit.known.connect(self._on_known)
        self._session.project_changed.connect(lambda _project: self.close())
        self._session.document_changed.connect(lambda *_: self.close())
        self._canvas.tool_changed.connect(lambda *_: self.close())
        self._window.theme_changed.connect(lambda theme: self.card and self.card.set_theme(theme))

    def close(self) -> None:
        """Close the card."""
        if self.card is not None:
            card, self.card = self.card, None
            card.hide()
            card.deleteLater()

    def stop(self) -> None:
        self.close()

    def _on_known(self, beginning: "Beginning") -> None:
        if self._is_new() and not self._tour.is_on:
            self.show_card(beginning)

    def _is_new(self) -> bool:
        """Whether nothing has been done in the project and the card was not shown."""
        project = self._session.project
        if project is None or project.is_read_only or project.setting(ASKED_SETTING) or project.last_run() is not None:
            return False
        if self._session.classes.listed or self._canvas.tool.name != HOME:  # the user was quicker
            return False
        counts = project.state_counts()
        is_untouched = sum(counts.values()) == counts.get(ImageState.UNSEEN, 0) > 0
        return is_untouched and not (self._session.document is not None and len(self._session.document))

    def show_card(self, beginning: "Beginning") -> StartCard:
        """Show the card with the ways that suit these images."""
        self.close()
        looks = f"These images look like {beginning.kind}s." if beginning.kind is not None else ""
        self.card = card = StartCard(looks, self._ways(beginning), self._window.theme, self._canvas)
        self._window.toasts.keep_clear(card)
        card.chosen.connect(self._on_chosen)
        card.dismissed.connect(self._dismiss)
        card.show()
        card.raise_()
        card.buttons[0].setFocus()
        return card

    def _ways(self, beginning: "Beginning") -> tuple[Way, ...]:
        return (
            self._model_way(beginning),
            Way(
                POINT,
                "crosshair-simple",
                "Outline by pointing",
                "Name a class, click an object, and its outline appears. Nothing to download.",
                "Start pointing",
            ),
            Way(
                LEARN,
                "graduation-cap",
                "Teach it your classes",
                "Outline the objects on about ten images. A model of your own learns from them and proposes objects "
                "on the rest.",
                "Start with this image",
            ),
        )

    def _model_way(self, beginning: "Beginning") -> Way:
        from maskwright.models.catalog import Availability
        from maskwright.operations.beginning import card_of, source_of

        first = next(iter(beginning.models), None)
        chosen = self._model.choice.source
        self._ready, sentence = "", ""
        if card_of(chosen) is None:  # a file of the user's own; nobody knows what it was trained on
            self._ready, sentence = chosen, f"“{Path(chosen).stem}” is the model you used last."
        elif first is not None and first.availability is not Availability.ABSENT:
            self._ready, sentence = source_of(first), f"“{first.title}” is ready."
        if self._ready:
            sentence += " It proposes outlines and you correct them."
            return Way(MODEL, "lightning", "Let a model propose", sentence, "Propose on this image")
        if first is None or first.card is None:
            sentence = "No bundled model knows such images. Download one or use a file of your own."
        else:
            size = f", {first.card.download_size / 1e6:.0f} MB" if first.card.download_size else ""
            knows = first.card.description.partition(",")[0].strip()
            sentence = (
                f"No installed model knows such images. “{first.title}” knows {knows[:1].lower()}{knows[1:]} "
                f"({first.card.license}{size}). You can also use a file of your own."
            )
        return Way(MODEL, "lightning", "Let a model propose", sentence, "Get a model…")

    def _on_chosen(self, way: str) -> None:
        ready = self._ready
        self._dismiss()
        if way == MODEL and ready:
            self._model.choose(ready)
            self._model.run_on_image()
        elif way == MODEL:
            self._model.open_models()
        else:
            self._tools.use("point")

    def _dismiss(self) -> None:
        self.close()
        project = self._session.project
        if project is None:
            return
        try:
            project.set_setting(ASKED_SETTING, True)
        except MaskwrightError:  # the next start asks again
            return
