"""Offers ways to begin with a new project: a model that may suit its images, pointing, or learning from outlines."""

from pathlib import Path
from typing import TYPE_CHECKING

from maskwright.document.values import ImageState
from maskwright.errors import MaskwrightError
from maskwright_gui.feature import Context, Feature
from maskwright_gui.features.model.feature import ModelFeature
from maskwright_gui.features.start.card import StartCard, Way
from maskwright_gui.features.tools.feature import HOME, ToolsFeature
from maskwright_gui.features.tour import TourFeature

if TYPE_CHECKING:
    from maskwright.operations.beginning import Beginning

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
