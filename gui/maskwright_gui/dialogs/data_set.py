"""The data set at a glance: all images with their objects, how the classes are balanced, pictures that occur twice."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QSize, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QListView,
    QPushButton,
    QScrollArea,
    QStackedWidget,
    QTabWidget,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from maskwright.document.values import Category
from maskwright_gui.panels.class_bars import ClassBar, ClassBars
from maskwright_gui.panels.grid_delegate import CELL, PICTURE_PX, GridDelegate
from maskwright_gui.panels.image_model import ImageListModel
from maskwright_gui.panels.image_query import ImageQuery
from maskwright_gui.panels.widgets import muted_label, named
from maskwright_gui.theme import Theme
from maskwright_gui.workers.overlays import OverlayReader
from maskwright_gui.workers.thumbnails import ThumbnailLoader

if TYPE_CHECKING:
    from maskwright.project.measures import Measures
    from maskwright.project.store import Project

_ID = Qt.ItemDataRole.UserRole


class DataSetWindow(QDialog):
    """Stays open beside the work; a double click opens an image in the main window."""

    image_chosen = Signal(int)
    duplicates_requested = Signal()
    measures_requested = Signal()
    """The person looks at the sizes and scores for the first time."""
    search_requested = Signal(str)
    """Words for the main window's search field."""

    def __init__(self, project: "Project", query: ImageQuery, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Data set {project.name}")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowFlag(Qt.WindowType.WindowMaximizeButtonHint)
        self.resize(1000, 680)
        reader = OverlayReader(project, project.categories())
        side_px = round(PICTURE_PX * parent.devicePixelRatioF())
        self._loader = ThumbnailLoader(self, max_side_px=side_px, read=reader)
        self.rows = ImageListModel(self._loader, self)
        self.rows.set_project(project)
        self.rows.refilter(query)
        self._loader.start()
        self._duplicates = named(QTreeWidget(self), "Pictures that occur more than once")
        self._look = QPushButton("Look for pictures that occur twice", self)
        self._measures = QStackedWidget(self)
        self._measures.addWidget(muted_label("Measuring the objects…", self, is_centred=True))
        self._has_asked = False
        tabs = named(QTabWidget(self), "Parts of the data set")
        images_tab = tabs.addTab(self._make_grid(theme), f"Images ({self.rows.rowCount()})")
        self.rows.modelReset.connect(lambda: tabs.setTabText(images_tab, f"Images ({self.rows.rowCount()})"))
        self._classes = named(QScrollArea(self), "Objects of each class")
        self._classes.setWidgetResizable(True)
        self._classes.setFrameShape(QScrollArea.Shape.NoFrame)
        self._classes.setWidget(muted_label("Counting the classes…", self._classes, is_centred=True))
        tabs.addTab(self._classes, "Classes")
        self._measures_tab = tabs.addTab(self._measures, "Sizes and scores")
        tabs.addTab(self._make_duplicates(), "Twice the same")
        tabs.currentChanged.connect(self._on_tab_changed)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.addWidget(tabs)

    def show_classes(self, bars: Sequence[ClassBar]) -> None:
        used = [bar for bar in bars if bar.instance_count]
        if not used:
            self._classes.setWidget(muted_label("There is no object yet.", self._classes, is_centred=True))
            return
        shown = ClassBars(used)
        shown.chosen.connect(lambda name: self.search_requested.emit(f'class:"{name}"'))
        self._classes.setWidget(shown)

    def show_measures(self, measures: "Measures", categories: Sequence[Category]) -> None:
        from maskwright_gui.panels.measure_plots import MeasurePlots

        plots = MeasurePlots(measures, categories, self)
        plots.search_requested.connect(self.search_requested)
        self._measures.addWidget(plots)
        self._measures.setCurrentWidget(plots)

    def show_duplicates(self, groups: Sequence[Sequence[int]], names: Mapping[int, str]) -> None:
        """`groups` of image ids; `names`: {image id: file name}."""
        self._look.setEnabled(True)
        self._look.setText(f"{len(groups)} groups found; look again" if groups else "None found; look again")
        self._duplicates.clear()
        for number, group in enumerate(groups, start=1):
            top = QTreeWidgetItem([f"Group {number}: {len(group)} images"])
            self._duplicates.addTopLevelItem(top)
            for image_id in group:
                item = QTreeWidgetItem([names.get(image_id, str(image_id))])
                item.setData(0, _ID, image_id)
                top.addChild(item)
            top.setExpanded(True)

    def stop(self) -> None:
        """End the thread that makes the pictures."""
        self.rows.stop()
        self._loader.stop()

    def _make_grid(self, theme: Theme) -> QListView:
        grid = named(QListView(self), "Images with their objects")
        grid.setViewMode(QListView.ViewMode.IconMode)
        grid.setResizeMode(QListView.ResizeMode.Adjust)
        grid.setMovement(QListView.Movement.Static)
        grid.setUniformItemSizes(True)
        grid.setLayoutMode(QListView.LayoutMode.Batched)
        grid.setGridSize(CELL + QSize(4, 4))
        grid.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        grid.setModel(self.rows)
        delegate = GridDelegate(grid)
        delegate.theme = theme
        grid.setItemDelegate(delegate)
        grid.activated.connect(self._on_activated)
        return grid

    def _make_duplicates(self) -> QWidget:
        page = QWidget(self)
        self._duplicates.setHeaderHidden(True)
        self._duplicates.itemActivated.connect(self._on_duplicate_activated)
        self._look.clicked.connect(self._on_look)
        column = QVBoxLayout(page)
        column.addWidget(self._look, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self._duplicates, 1)
        return page

    def _on_activated(self, index: QModelIndex) -> None:
        record = self.rows.record(index.row())
        if record is not None:
            self.image_chosen.emit(record.id)

    def _on_duplicate_activated(self, item: QTreeWidgetItem) -> None:
        if (image_id := item.data(0, _ID)) is not None:
            self.image_chosen.emit(image_id)

    def _on_tab_changed(self, tab: int) -> None:
        if tab == self._measures_tab and not self._has_asked:
            self._has_asked = True
            self.measures_requested.emit()

    def _on_look(self) -> None:
        self._look.setEnabled(False)
        self.duplicates_requested.emit()

    def done(self, result: int) -> None:
        self.stop()
        super().done(result)
