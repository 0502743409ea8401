"""The history of the image: its steps with pictures, any of which can be gone back to, and what changed today."""

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QPixmap

from maskwright_gui.actions import Action, Menu
from maskwright_gui.feature import Context, Feature
from maskwright_gui.history import Step
from maskwright_gui.panels.steps import StepsPanel, step_picture

if TYPE_CHECKING:
    from collections.abc import Sequence

    from maskwright.project.history import StepCount


class HistoryFeature(Feature):
    """Shows the history of the image and goes back to any moment in it."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.panel = StepsPanel(self._window)
        area = Qt.DockWidgetArea.RightDockWidgetArea
        self.dock = self._window.add_dock("History", self.panel, area, size_px=240, is_shown=False)
        self._pictures: dict[int, tuple[Step, QPixmap]] = {}
        """By the id() of the step, which is kept alive with it."""
        self._declare(
            Action(
                "history",
                "History of this image",
                Menu.IMAGE,
                2,
                self.open,
                keys=("Ctrl+H",),
                words="log versions changes undo steps",
            ),
            Action("today", "What changed today…", Menu.IMAGE, 2, self.open_today, words="log work day report"),
        )
        self.panel.wanted.connect(self._session.history.go_to)
        self.panel.all_requested.connect(self.open_with_times)
        self.panel.today_requested.connect(self.open_today)
        self._session.history.changed.connect(lambda: self._window.later.put("history", self._show))
        self._canvas.renderer.image_changed.connect(
            lambda *_: self._window.later.put("history pictures", self._show_anew)
        )
        self.dock.visibilityChanged.connect(lambda is_visible: self._show() if is_visible else None)

    def open(self) -> None:
        """Show or hide the panel."""
        is_shown = self.dock.isVisible() and not self.dock.visibleRegion().isEmpty()
        if not is_shown and self.dock.isHidden():
            self._share_place()
        self.dock.setVisible(not is_shown)
        if not is_shown:
            self._session.history.read()
            self.dock.raise_()
        else:
            self._canvas.setFocus()

    def _share_place(self) -> None:
        """Share the place of the objects panel, as tabs, unless the user has put it elsewhere: three panels fill one
        side.
        """
        objects = self._window.docks["Objects"]
        is_beside = self._window.dockWidgetArea(self.dock) == self._window.dockWidgetArea(objects)
        if is_beside and not (self.dock.isFloating() or objects.isHidden() or objects.isFloating()):
            self._window.tabifyDockWidget(objects, self.dock)

    def open_with_times(self) -> None:
        """List all steps on the current image, including those of models and of earlier days."""
        from maskwright_gui.dialogs.history import HistoryDialog

        project, image = self._session.project, self._session.image
        if project is None or image is None:
            return
        self._session.save()
        dialog = HistoryDialog(project.ask(lambda stored: stored.history.of(image.id)), self._window)
        dialog.return_requested.connect(partial(self.go_back, image.id))
        dialog.show()

    def open_today(self) -> None:
        """Count what was done since midnight."""
        project = self._session.project
        if project is None:
            return
        self._session.save()
        midnight = datetime.now().astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
        since = midnight.astimezone(UTC).isoformat(timespec="milliseconds")
        stored = project.stored
        self._run_beside(
            lambda _monitor: stored.history.counts_since(since), self._show_today, "The steps could not be counted"
        )

    def go_back(self, image_id: int, when: str) -> None:
        """Restore the image's state at `when` (ISO 8601, UTC), as one step."""
        if self._session.project is not None:
            change = self._session.project.ask(lambda stored: stored.history.change_back_to(image_id, when))
            self._session.edit_image(image_id, change, "Go back")

    def _show_today(self, counts: "Sequence[StepCount]") -> None:
        from maskwright_gui.dialogs.history import TodayDialog

        dialog = TodayDialog(counts, self._window)
        dialog.image_chosen.connect(self._session.show_image)
        dialog.show()

    def _show_anew(self) -> None:
        """The pixels have arrived or changed."""
        self._pictures.clear()
        self._show()

    def _show(self) -> None:
        if not self.dock.isVisible():
            return
        if not self._session.history.is_known:
            self._session.history.read()  # emits the signal that leads here again
            return
        done, undone = self._session.history.steps
        shown = {id(step) for step in (*done, *undone)}
        self._pictures = {key: known for key, known in self._pictures.items() if key in shown}
        self.panel.show_steps(done, undone, self._picture)

    def _picture(self, step: Step) -> QPixmap:
        """The picture of a step, made once."""
        known = self._pictures.get(id(step))
        if known is None:
            shown, ratio = self._canvas.renderer, self._canvas.devicePixelRatioF()
            known = self._pictures[id(step)] = step, step_picture(step.change, shown.pyramid, shown.style, ratio=ratio)
        return known[1]
