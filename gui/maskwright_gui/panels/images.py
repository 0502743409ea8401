"""The image list: thumbnails with states, and filters by state and name."""

from collections.abc import Mapping

from PySide6.QtCore import QItemSelectionModel, QModelIndex, QPoint, Qt, QTimer, Signal
from PySide6.QtWidgets import QAbstractItemView, QComboBox, QLineEdit, QListView, QVBoxLayout, QWidget

from maskwright.document.values import ImageStanding, ImageState
from maskwright_gui.panels.image_delegate import ImageDelegate
from maskwright_gui.panels.image_model import ImageListModel
from maskwright_gui.panels.image_query import HELP, PLACEHOLDER, SEARCH_DELAY_MS, ImageQuery
from maskwright_gui.panels.widgets import Inviting, muted_label, named
from maskwright_gui.theme import Theme

_FILTERS: tuple[tuple[str, frozenset[ImageState] | None], ...] = (
    ("All images", None),
    ("Not done", frozenset({ImageState.UNSEEN, ImageState.PRELABELLED, ImageState.IN_PROGRESS})),
    ("Not seen", frozenset({ImageState.UNSEEN})),
    ("Pre-labelled", frozenset({ImageState.PRELABELLED})),
    ("In progress", frozenset({ImageState.IN_PROGRESS})),
    ("Done", frozenset({ImageState.DONE})),
    ("Verified empty", frozenset({ImageState.EMPTY})),
)
_OUTSIDE = (("Excluded", ImageStanding.EXCLUDED), ("Removed", ImageStanding.REMOVED))
"""Filters offered only if there are such images."""
SHOW_ALL = '<a href="all">Show all</a>'
_ORDERS = (
    ("By name", "name"),
    ("Most uncertain first", "uncertainty"),
    ("Rare classes first", "rarity"),
    ("Models disagree first", "disagreement"),
)


class ImagesPanel(QWidget):
    """Shows the model's rows; asks for an image by `image_chosen`."""

    image_chosen = Signal(object)
    menu_requested = Signal(object, QPoint)
    """(ids of the images, position on the screen): open a menu for them."""
    order_changed = Signal(str)
    query_changed = Signal(object)
    """ImageQuery; emitted again with the same query when the project has changed."""

    def __init__(self, model: ImageListModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._is_syncing = False
        self._shown_id: int | None = None
        self._told_order = model.order
        self._filter = named(QComboBox(self), "Show images by state")
        for text, states in _FILTERS:
            self._filter.addItem(text, states)
        self._filter.addItems([text for text, _ in _OUTSIDE])
        self._offer_outside({})
        self._order = named(QComboBox(self), "Order of the images", tip="Which images come first")
        for text, order in _ORDERS:
            self._order.addItem(text, order)
        for box in (self._filter, self._order):  # otherwise as wide as the longest entry
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(8)
        self._reason = muted_label("", self)
        self._reason.hide()
        self._total = 0
        self._found = muted_label("", self)
        self._found.hide()
        self._search = named(QLineEdit(self), "Find images by file name, class, score and more", tip=HELP)
        self._search.setPlaceholderText(PLACEHOLDER)
        self._search.setClearButtonEnabled(True)
        self.list_view = named(QListView(self), "Images")
        self.list_view.setUniformItemSizes(True)  # the view measures one row, not 100,000
        self.list_view.setModel(model)
        self._delegate = ImageDelegate(self.list_view)
        self.list_view.setItemDelegate(self._delegate)
        self.list_view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list_view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        # opaque: a step to the next image scrolls the rows and paints only two of them
        self.list_view.viewport().setAutoFillBackground(True)
        self.list_view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list_view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.list_view.customContextMenuRequested.connect(self._on_menu_requested)
        self._stack = Inviting(self.list_view, "", self)
        self._delay = QTimer(self, singleShot=True, interval=SEARCH_DELAY_MS)
        self._lay_out()
        self._connect()

    def set_theme(self, theme: Theme) -> None:
        """Set the theme of the parts painted by hand."""
        self._delegate.theme = theme
        self.list_view.viewport().update()

    def show_current(self, image_id: int | None) -> None:
        """Mark the row of the current image, without asking for that image again."""
        self._shown_id = image_id
        row = self._model.row_of(image_id) if image_id is not None else None
        selection = self.list_view.selectionModel()
        self._is_syncing = True
        if row is None:
            selection.clear()
        else:
            index = self._model.index(row)
            if index != selection.currentIndex() or not selection.hasSelection():  # else several are being selected
                selection.setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
            self.list_view.scrollTo(index)
        self._is_syncing = False
        self._tell_reason(image_id)

    @property
    def selected_ids(self) -> list[int]:
        """The images whose rows are selected, in the order of the list."""
        rows = sorted(index.row() for index in self.list_view.selectionModel().selectedIndexes())
        return [int(self._model.ids[row]) for row in rows]

    @property
    def query(self) -> ImageQuery:
        """The current query."""
        text, order = self._search.text(), self._order.currentData()
        outside = self._filter.currentIndex() - len(_FILTERS)
        if outside >= 0:
            return ImageQuery(None, text, order, (_OUTSIDE[outside][1],))
        return ImageQuery(self._filter.currentData(), text, order)

    def refilter(self) -> None:
        """Ask the project again which images pass; the current image stays marked if it still does."""
        self._model.refilter(self.query)
        if self._model.is_counting:
            self._show_reason("Counting the classes…")
        self.query_changed.emit(self.query)

    def show_counts(self, counts: Mapping[ImageState, int], outside: Mapping[ImageStanding, int]) -> None:
        """Show in the filters how many images of the set are in each state, and how many are `outside` of it."""
        self._total = sum(counts.values()) + outside.get(ImageStanding.EXCLUDED, 0)
        self._offer_outside(outside)
        for place, (text, states) in enumerate(_FILTERS):
            count = sum(counts.get(state, 0) for state in states) if states is not None else self._total
            self._filter.setItemText(place, f"{text} ({count:,})")
        self._tell_found()

    def _offer_outside(self, outside: Mapping[ImageStanding, int]) -> None:
        view = self._filter.view()
        assert isinstance(view, QListView)  # what a QComboBox creates for itself
        for place, (text, standing) in enumerate(_OUTSIDE, len(_FILTERS)):
            count = outside.get(standing, 0)
            self._filter.setItemText(place, f"{text} ({count:,})")
            view.setRowHidden(place, not count)
            if not count and self._filter.currentIndex() == place:
                self._filter.setCurrentIndex(0)

    def clear_filters(self) -> None:
        """Show all images again, in the same order."""
        self._filter.setCurrentIndex(0)
        self.search("")

    @property
    def reason_text(self) -> str:
        """Why the current image has its place in the queue, and which model proposed on it."""
        return self._reason.text()

    def refresh_reason(self) -> None:
        """Update the reason of the current image."""
        self._tell_reason(self._shown_id)

    def set_order(self, order: str) -> None:
        """Use one of the orders of `maskwright.review.order`."""
        self._order.setCurrentIndex(max(self._order.findData(order), 0))

    def reset(self) -> None:
        """Show all images by name again, for another project."""
        # each signal would query a project that is still being opened
        for widget in (self._filter, self._order, self._search):
            widget.blockSignals(True)
        self._filter.setCurrentIndex(0)
        self._order.setCurrentIndex(0)
        self._search.clear()
        for widget in (self._filter, self._order, self._search):
            widget.blockSignals(False)
        for place, (text, _) in enumerate(_FILTERS):
            self._filter.setItemText(place, text)
        self._offer_outside({})

    def search(self, text: str) -> None:
        """Search as if the text had been typed, without the delay."""
        self._search.setText(text)
        self._delay.stop()
        self.refilter()

    def _on_menu_requested(self, at: QPoint) -> None:
        index = self.list_view.indexAt(at)
        if index.isValid():
            image_id = int(self._model.ids[index.row()])
            chosen = self.selected_ids
            ids = chosen if image_id in chosen else [image_id]
            self.menu_requested.emit(ids, self.list_view.viewport().mapToGlobal(at))

    def focus_search(self) -> None:
        """Move the focus to the search field."""
        self._search.setFocus()
        self._search.selectAll()

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        column.setSpacing(4)
        top = QVBoxLayout()
        top.setContentsMargins(6, 0, 6, 0)
        top.setSpacing(4)
        top.addWidget(self._filter)
        top.addWidget(self._order)
        top.addWidget(self._search)
        top.addWidget(self._found)
        top.addWidget(self._reason)
        column.addLayout(top)
        column.addWidget(self._stack, 1)
        self._on_reset()

    def _connect(self) -> None:
        self.list_view.selectionModel().currentChanged.connect(self._on_current_changed)
        self._filter.currentIndexChanged.connect(self.refilter)
        self._order.currentIndexChanged.connect(self.refilter)
        for label in (self._found, self._stack.label):
            flag = Qt.TextInteractionFlag
            label.setTextFormat(Qt.TextFormat.RichText)
            label.setTextInteractionFlags(flag.LinksAccessibleByMouse | flag.LinksAccessibleByKeyboard)
            label.linkActivated.connect(self.clear_filters)
        self._search.returnPressed.connect(self.list_view.setFocus)
        self._search.textChanged.connect(self._delay.start)
        self._delay.timeout.connect(self.refilter)
        self._model.modelReset.connect(self._on_reset)

    def _on_reset(self) -> None:
        is_empty = self._model.rowCount() == 0
        is_filtered = self._filter.currentIndex() != 0 or bool(self._search.text().strip())
        self._stack.set_text(
            f"No image matches the filter. {SHOW_ALL}" if is_filtered else "The project's images will appear here."
        )
        self._stack.show_content(not is_empty)
        self._tell_found()
        self.show_current(self._shown_id)
        if self._model.order != self._told_order:
            self._told_order = self._model.order
            self.order_changed.emit(self._told_order)

    def _tell_found(self) -> None:
        count = self._model.rowCount()
        is_filtered = not self.query.is_everything and count > 0
        self._found.setText(f"{count:,} of {self._total:,} images. {SHOW_ALL}")
        self._found.setVisible(is_filtered)

    def _tell_reason(self, image_id: int | None) -> None:
        reason = self._model.reason(image_id) if image_id is not None else ""
        # with a reason only: a line that comes and goes would move the list at each step
        origin = self._model.origin(image_id) if image_id is not None and reason else ""
        self._show_reason("\n".join(filter(None, (reason, origin))))

    def _show_reason(self, text: str) -> None:
        self._reason.setText(text)
        self._reason.setVisible(bool(text))

    def _on_current_changed(self, current: QModelIndex) -> None:
        if self._is_syncing:
            return
        record = self._model.record(current.row()) if current.isValid() else None
        if record is not None:
            self.image_chosen.emit(record.id)
