"""The tour: begins by itself when the samples are opened for the first time, and from the Help menu."""

from maskwright.document.change import Change
from maskwright.document.values import InstanceState
from maskwright_gui.actions import Action, Menu, nothing
from maskwright_gui.feature import Context, Feature
from maskwright_gui.features.projects.feature import ProjectsFeature
from maskwright_gui.features.tour.card import TourCard
from maskwright_gui.features.tour.steps import LAST, STEPS, Done, done_by
from maskwright_gui.keymap import WithKeys

OVER_SETTING = "tour/is_over"


class TourFeature(Feature):
    def __init__(self, context: Context, projects: ProjectsFeature) -> None:
        super().__init__(context)
        self._projects = projects
        self._is_wanted = False
        """It begins as soon as the samples are open."""
        self.number: int | None = None
        """Of the step that is shown, from 0; one above the last: the end. None without a tour."""
        self.card: TourCard | None = None
        self._with_keys: WithKeys = lambda text: text
        self._declare(
            Action(
                "tour",
                "Take the tour",
                Menu.HELP,
                0,
                self.begin,
                needs=nothing,
                words="tutorial introduction learn first steps guide",
            )
        )
        self._follow_keys(self._on_keys)
        projects.opened.connect(self._on_opened)
        session = self._session
        session.project_changed.connect(lambda _project: self._close())
        session.document_changed.connect(self._on_document_changed)
        session.document_replaced.connect(lambda _document: self._on_shown())
        session.selection_changed.connect(lambda ids: self._note({Done.SELECTED} if ids else set()))
        session.image_changed.connect(lambda image: self._note({Done.NEXT_IMAGE} if image is not None else set()))

    @property
    def is_on(self) -> bool:
        return self.number is not None

    def begin(self) -> None:
        """On the samples, which are opened where something else is."""
        if not self._has_samples():
            self._is_wanted = True
            self._projects.open_samples()
            return
        self._is_wanted = False
        self.card = self.card or self._make_card()
        self._show(0)
        self._on_shown()

    def stop(self) -> None:
        super().stop()
        self._close()

    def _make_card(self) -> TourCard:
        card = TourCard(self._canvas)
        card.ended.connect(self._end)
        card.skipped.connect(lambda: self._show((self.number or 0) + 1))
        return card

    def _has_samples(self) -> bool:
        from maskwright.samples.project import PROJECT_NAME

        project = self._session.project
        return project is not None and project.path.name == PROJECT_NAME

    def _on_opened(self) -> None:
        is_over = str(self._settings.value(OVER_SETTING, "false")) == "true"
        if self._has_samples() and (self._is_wanted or not is_over):
            self.begin()

    def _on_keys(self, with_keys: WithKeys) -> None:
        self._with_keys = with_keys
        if self.number is not None:
            self._show(self.number)

    def _on_shown(self) -> None:
        """Proposals that are there already need no model."""
        document = self._session.document
        if document is not None and any(each.state is InstanceState.PROPOSED for each in document):
            self._note({Done.PROPOSED})

    def _on_document_changed(self, change: Change, _document: object) -> None:
        if self.is_on:
            self._note(done_by(change))

    def _note(self, done: set[Done]) -> None:
        if self.number is not None and self.number < len(STEPS) and STEPS[self.number].waits_for in done:
            self._show(self.number + 1)

    def _show(self, number: int) -> None:
        self.number = number
        title, text = (STEPS[number].title, STEPS[number].text) if number < len(STEPS) else LAST
        if self.card is not None:
            self.card.show_step(number + 1, len(STEPS), title, self._with_keys(text))

    def _end(self) -> None:
        """For good: it is in the Help menu for whoever wants it again."""
        self._settings.setValue(OVER_SETTING, "true")
        self._close()

    def _close(self) -> None:
        self.number = None
        if self.card is not None:
            card, self.card = self.card, None
            card.hide()
            card.deleteLater()
