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
    QTabWidget,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from maskwright_gui.panels.class_bars import ClassBar, ClassBars
from maskwright_gui.panels.grid_delegate import CELL, PICTURE_PX, GridDelegate
from maskwright_gui.panels.image_model import ImageListModel
from maskwright_gui.panels.image_query import ImageQuery
from maskwright_gui.panels.widgets import muted_label, named
from maskwright_gui.theme import Theme
from maskwright_gui.workers.overlays import OverlayReader
from maskwright_gui.workers.thumbnails import ThumbnailLoader

if TYPE_CHECKING:
    from maskwright.project.store import Project

_ID = Qt.ItemDataRole.UserRole


class DataSetWindow(QDialog):
    """Stays open beside the work; a double click opens an image in the main window."""

    image_chosen = Signal(int)
    duplicates_requested = Signal()

    def __init__(
        self, project: "Project", query: ImageQuery, bars: Sequence[ClassBar], theme: Theme, parent: QWidget
    ) -> None:
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
        tabs = QTabWidget(self)
        tabs.addTab(self._make_grid(theme), f"Images ({self.rows.rowCount()})")
        tabs.addTab(self._make_bars(bars), "Classes")
        tabs.addTab(self._make_duplicates(), "Twice the same")
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.addWidget(tabs)

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

    def _make_bars(self, bars: Sequence[ClassBar]) -> QScrollArea:
        area = QScrollArea(self)
        area.setWidgetResizable(True)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        used = [bar for bar in bars if bar.instance_count]
        area.setWidget(ClassBars(used) if used else muted_label("There is no object yet.", area, is_centred=True))
        return area

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

    def _on_look(self) -> None:
        self._look.setEnabled(False)
        self.duplicates_requested.emit()

    def done(self, result: int) -> None:
        self.stop()
        super().done(result)
