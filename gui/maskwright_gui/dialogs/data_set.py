"""The data set at a glance: all images with their objects, the class balance, and duplicate images."""

from collections.abc import Sequence, Set
from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QSize, Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QLineEdit,
    QListView,
    QStackedWidget,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from maskwright.document.values import Category
from maskwright.words import shown
from maskwright_gui.open_project import OpenProject
from maskwright_gui.panels.class_bars import ClassBar, ClassBars
from maskwright_gui.panels.duplicates import DuplicatesPage
from maskwright_gui.panels.image_delegate import CELL, PICTURE_PX, GridDelegate
from maskwright_gui.panels.image_model import ImageListModel
from maskwright_gui.panels.image_query import HELP, PLACEHOLDER, SEARCH_DELAY_MS, ImageQuery
from maskwright_gui.panels.widgets import Inviting, muted_label, named
from maskwright_gui.theme import Theme
from maskwright_gui.workers.thumbnails import OverlayReader, ThumbnailLoader

if TYPE_CHECKING:
    from maskwright.project.measures import Measures


class DataSetWindow(QDialog):
    """Stays open during work and shows the same images as the image list; a double click opens an image in the main
    window.
    """

    image_chosen = Signal(object)
    measures_requested = Signal()
    """The tab of sizes and scores was opened for the first time."""
    search_requested = Signal(str)
    """Text for the main window's search field."""

    def __init__(self, project: OpenProject, query: ImageQuery, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Data set {shown(project.name)}")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowFlag(Qt.WindowType.WindowMaximizeButtonHint)
        self.resize(QSize(1040, 700).boundedTo(parent.screen().availableSize() * 0.9))
        reader = OverlayReader(project.stored, project.ask(lambda stored: stored.categories.listed()))
        side_px = round(PICTURE_PX * parent.devicePixelRatioF())
        self._loader = ThumbnailLoader(self, max_side_px=side_px, read=reader)
        self.rows = ImageListModel(self._loader, self)
        self.rows.set_project(project)
        self._loader.start()
        self.duplicates = DuplicatesPage(
            lambda record: self._loader.thumbnail(record.id, project.image_path(record)), self
        )
        self.duplicates.image_chosen.connect(self.image_chosen)
        self._loader.loaded.connect(self.duplicates.refresh)
        self._search = named(QLineEdit(self), "Find images by file name, class, score and more", tip=HELP)
        self._search.setPlaceholderText(PLACEHOLDER)
        self._search.setClearButtonEnabled(True)
        self._delay = QTimer(self, singleShot=True, interval=SEARCH_DELAY_MS)
        self._search.textEdited.connect(self._delay.start)
        self._delay.timeout.connect(lambda: self.search_requested.emit(self._search.text()))
        self._delegate = GridDelegate(self)
        self._grid = Inviting(self._make_grid(), "No image matches the filter.", self)
        self._measures = QStackedWidget(self)
        self._measures.addWidget(muted_label("Measuring the objects…", self, is_centred=True))
        self._has_asked = False
        self._classes = QStackedWidget(self)
        self._classes.addWidget(muted_label("Counting the classes…", self, is_centred=True))
        self._tabs = named(QTabWidget(self), "Parts of the data set")
        self._tabs.addTab(self._make_images_page(), "Images")
        self._tabs.addTab(self._classes, "Classes")
        self._measures_tab = self._tabs.addTab(self._measures, "Sizes and scores")
        self._tabs.addTab(self.duplicates, "Duplicates")
        self._tabs.currentChanged.connect(self._on_tab_changed)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.addWidget(self._tabs)
        self.rows.modelReset.connect(self._on_rows_changed)
        self.set_theme(theme)
        self.show_query(query)

    def set_theme(self, theme: Theme) -> None:
        """Set the theme of the plots, which are painted by hand."""
        self._delegate.theme = theme
        self._grid.update()

    def show_query(self, query: ImageQuery) -> None:
        """Show the images that the query finds."""
        if query.text != self._search.text():
            self._search.setText(query.text)
        self.rows.refilter(query)

    def refresh(self, image_ids: Set[int]) -> None:
        """Something on these images has changed."""
        self._loader.renew(image_ids)
        self.rows.refresh(image_ids)

    def show_classes(self, bars: Sequence[ClassBar]) -> None:
        """Show the number of objects and images of each class."""
        if not any(bar.instance_count for bar in bars):
            shown: QWidget = muted_label("There are no objects yet.", self, is_centred=True)
        else:
            shown = ClassBars(bars, self)
            shown.chosen.connect(lambda name: self._find(f'class:"{name}"'))
        self._classes.setCurrentIndex(self._classes.addWidget(shown))

    def show_measures(self, measures: "Measures", categories: Sequence[Category]) -> None:
        """Show plots of sizes, positions and scores."""
        from maskwright_gui.panels.measure_plots import MeasurePlots

        plots = MeasurePlots(measures, categories, self)
        plots.search_requested.connect(self._find)
        self._measures.addWidget(plots)
        self._measures.setCurrentWidget(plots)

    def stop(self) -> None:
        """End the thread that makes the thumbnails."""
        self.rows.stop()
        self._loader.stop()

    def _make_images_page(self) -> QWidget:
        page = QWidget(self)
        column = QVBoxLayout(page)
        column.setContentsMargins(8, 8, 0, 0)
        column.addWidget(self._search)
        column.addWidget(self._grid, 1)
        return page

    def _make_grid(self) -> QListView:
        grid = named(QListView(self), "Images with their objects")
        grid.setViewMode(QListView.ViewMode.IconMode)
        grid.setResizeMode(QListView.ResizeMode.Adjust)
        grid.setMovement(QListView.Movement.Static)
        grid.setUniformItemSizes(True)
        grid.setLayoutMode(QListView.LayoutMode.Batched)
        grid.setGridSize(CELL + QSize(4, 4))
        grid.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        grid.setModel(self.rows)
        grid.setItemDelegate(self._delegate)
        grid.activated.connect(self._on_activated)
        return grid

    def _on_activated(self, index: QModelIndex) -> None:
        record = self.rows.record(index.row())
        if record is not None:
            self.image_chosen.emit(record.id)

    def _find(self, words: str) -> None:
        """List the images that the search text finds, here and in the main window."""
        self.search_requested.emit(words)
        self._tabs.setCurrentIndex(0)

    def _on_rows_changed(self) -> None:
        count = self.rows.rowCount()
        self._tabs.setTabText(0, f"Images ({count:,})")
        self._grid.show_content(count > 0)

    def _on_tab_changed(self, tab: int) -> None:
        if tab == self._measures_tab and not self._has_asked:
            self._has_asked = True
            self.measures_requested.emit()

    def done(self, result: int) -> None:
        self.stop()
        super().done(result)
