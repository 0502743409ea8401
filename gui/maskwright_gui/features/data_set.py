"""The data set overview: opens its window, measures the objects and finds duplicate images."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from maskwright.document.palette import category_colour
from maskwright.monitor import Monitor
from maskwright.words import shown
from maskwright_gui.actions import Action, Menu
from maskwright_gui.dialogs.data_set import DataSetWindow
from maskwright_gui.feature import Context, Feature
from maskwright_gui.features.images.feature import ImagesFeature
from maskwright_gui.operation import Operation
from maskwright_gui.panels.class_bars import ClassBar
from maskwright_gui.panels.image_query import ImageQuery
from maskwright_gui.theme import Theme

if TYPE_CHECKING:
    from maskwright.project.measures import Measures
    from maskwright.project.store import Project


class DataSetFeature(Feature):
    """The data set overview: images, classes, measures, duplicates."""

    def __init__(self, context: Context, images: ImagesFeature) -> None:
        super().__init__(context)
        self._images = images
        self._open: DataSetWindow | None = None
        self._looking: Operation | None = None
        self._declare(
            Action(
                "data_set",
                "Data set overview…",
                Menu.IMAGE,
                2,
                self.open,
                keys=("Ctrl+G",),
                icon="squares-four",
                words="grid gallery thumbnails overview statistics",
            ),
        )
        self._session.project_changed.connect(self.stop)
        self._window.theme_changed.connect(self._on_theme_changed)
        images.records_changed.connect(self._on_records_changed)
        images.panel.query_changed.connect(self._on_query_changed)

    def open(self) -> DataSetWindow | None:
        """Open the overview; None without a project."""
        project = self._session.project
        if project is None:
            return None
        self.stop()
        self._session.save()
        self._open = DataSetWindow(project, self._images.panel.query, self._window.theme, self._window)
        self._open.image_chosen.connect(self._session.show_image)
        self._open.duplicates.look_requested.connect(self.find_duplicates)
        self._open.duplicates.stop_requested.connect(self._stop_looking)
        self._open.measures_requested.connect(self.measure)
        self._open.search_requested.connect(self._images.panel.search)
        self._open.finished.connect(self._on_closed)
        self._open.show()
        self._run(_count_classes, self._on_counted, "The classes were not counted")
        return self._open

    def _on_records_changed(self, image_ids: frozenset[int]) -> None:
        if self._open is not None:
            self._open.refresh(image_ids)

    def _on_theme_changed(self, theme: Theme) -> None:
        if self._open is not None:
            self._open.set_theme(theme)

    def find_duplicates(self) -> None:
        """Find images that show the same picture, whatever their names."""
        self._looking = self._run(_find_duplicates, self._on_found, "The search for duplicates failed")
        if self._looking is not None and self._open is not None:
            page = self._open.duplicates
            self._looking.progressed.connect(page.show_progress)
            self._looking.finished.connect(page.show_stopped)

    def measure(self) -> None:
        """Measure sizes, positions and scores of all objects."""
        self._run(_measure, self._on_measured, "The objects were not measured")

    def _run(
        self,
        work: Callable[["Project", Monitor], object],
        on_done: Callable[..., object],
        complaint: str,
    ) -> Operation | None:
        """Start an operation beside those already running; None without a project."""
        project = self._session.project
        if project is None:
            return None
        return self._run_beside(partial(work, project.stored), on_done, complaint, joins=True)

    def _stop_looking(self) -> None:
        if self._looking is not None:
            self._looking.cancel()

    def stop(self) -> None:
        """Close the overview and end its operations."""
        super().stop()
        self._looking = None
        if self._open is not None:
            self._open.close()
            self._open = None

    def _on_query_changed(self, query: ImageQuery) -> None:
        if self._open is not None:
            self._open.show_query(query)

    def _on_closed(self) -> None:
        self._open = None

    def _on_found(self, groups: list[list[int]]) -> None:
        project = self._session.project
        if project is None or self._open is None:
            return
        self._open.duplicates.show_groups(
            project.ask(lambda stored: [stored.images.records(group) for group in groups])
        )

    def _on_counted(self, bars: list[ClassBar]) -> None:
        if self._open is not None:
            self._open.show_classes(bars)

    def _on_measured(self, measures: "Measures") -> None:
        if self._open is not None:
            self._open.show_measures(measures, self._session.classes.listed)


def class_bars(project: "Project") -> list[ClassBar]:
    """The number of objects and images of each class; rejected proposals left out."""
    counts = project.instances.category_counts()
    return [
        ClassBar(shown(category.name), category_colour(category), *counts.get(category.id, (0, 0)))
        for category in project.categories.listed()
    ]


def _count_classes(project: "Project", progress: Monitor) -> list[ClassBar]:
    progress.report(0, None, "Counting the classes")
    return class_bars(project)


def _find_duplicates(project: "Project", progress: Monitor) -> list[list[int]]:
    from maskwright.operations.duplicates import find_duplicates

    return find_duplicates(project, progress)


def _measure(project: "Project", progress: Monitor) -> "Measures":
    progress.report(0, None, "Measuring the objects")
    return project.instances.measures(lambda done: progress.report(done, None, f"Measuring the objects: {done:,}"))
