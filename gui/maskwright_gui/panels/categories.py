"""The classes panel: digit, colour, name and number of objects of each class; the marked class is drawn with."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from functools import partial

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QAction, QColor, QGuiApplication
from PySide6.QtWidgets import (
    QColorDialog,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QToolButton,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from maskwright.document.class_listing import DIGITS, ClassKeys
from maskwright.document.document import Document
from maskwright.document.palette import category_colour
from maskwright.document.values import Category, InstanceState
from maskwright.words import shown
from maskwright_gui.panels.class_tree import CLASS_ID, ClassTree
from maskwright_gui.panels.widgets import Inviting, named
from maskwright_gui.plain_style import in_menu
from maskwright_gui.theme import swatch

MOST_WITHOUT_SEARCH = 12
"""Up to this many classes there is no search field."""
MOST_WHOLE = 20
"""If there are more, only classes with objects are listed."""


class CategoriesPanel(QWidget):
    """Lists the project's classes; every request is a signal."""

    category_chosen = Signal(object)
    """The class to draw with."""
    category_applied = Signal(object)
    """The class to give to the selection."""
    add_requested = Signal(str)
    rename_requested = Signal(object, str)
    colour_requested = Signal(object, str)
    key_requested = Signal(object, object)
    """(class, digit)."""
    merge_requested = Signal(object, object)
    """(class to merge away, class that gets its objects)."""
    merge_undone = Signal(object)
    """Id of a merge."""
    delete_requested = Signal(object)
    hide_requested = Signal(object, bool)
    """(class, whether to hide it from the list)."""
    order_requested = Signal(object)
    """Ids of the classes, as tuple."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._is_syncing = False
        self._categories: dict[int, Category] = {}
        self._keys: ClassKeys = {}
        self._merges: tuple[tuple[int, str], ...] = ()
        self._hidden: frozenset[int] = frozenset()
        self._used: frozenset[int] | None = None
        """Classes with objects; None: not known."""
        self._counts: Counter[int] = Counter()
        self._current_id = 0
        self._waiting: tuple[Sequence[Category], ClassKeys, Collection[int]] | None = None
        """What is to be shown once the name that is being typed is whole."""
        self._asked_for: set[int] = set()
        """Classes that the user has added; listed whether or not they have objects."""
        self._tree = self._make_tree()
        self._stack = Inviting(self._tree, "Classes come from the model. Add your own below.", self)
        self._name = named(QLineEdit(self), "Name of a new class")
        self._name.setPlaceholderText("New class")
        self._name.returnPressed.connect(self._on_add)
        add = named(QToolButton(self), "Add class", tip="Add the class (Enter)")
        add.setText("Add")
        add.clicked.connect(self._on_add)
        row = QHBoxLayout()
        row.setContentsMargins(6, 0, 6, 6)
        row.setSpacing(4)
        self._adding = (self._name, add)
        row.addWidget(self._name, 1)
        row.addWidget(add)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        column.setSpacing(4)
        self._search = named(QLineEdit(self), "Find a class")
        self._search.setPlaceholderText("Find a class")
        self._search.setClearButtonEnabled(True)
        self._search.textChanged.connect(self._filter)
        self._search.hide()
        self._whole = self._make_whole_switch()
        finding = QHBoxLayout()
        finding.setContentsMargins(6, 0, 6, 0)
        finding.addWidget(self._search, 1)
        finding.addWidget(self._whole, 0, Qt.AlignmentFlag.AlignRight)
        column.addLayout(finding)
        column.addWidget(self._stack, 1)
        column.addLayout(row)

    def set_categories(
        self, categories: Sequence[Category], keys: ClassKeys, hidden: Collection[int] = frozenset()
    ) -> None:
        """Show the classes, with their digits and without those that are hidden; not while a name is being typed."""
        if self._tree.is_editing:
            self._waiting = (categories, keys, hidden)
            return
        self._waiting = None
        self._is_syncing = True
        self._hidden = frozenset(hidden)
        self._categories = {category.id: category for category in categories}
        self._tree.clear()
        self._keys = keys
        digits = {category_id: str(digit) for digit, category_id in keys.items()}
        for category in categories:
            self._tree.addTopLevelItem(self._make_item(category, digits.get(category.id, "")))
        self._is_syncing = False
        self._search.setVisible(len(categories) > MOST_WITHOUT_SEARCH or bool(self._search.text()))
        self._filter()
        self._stack.show_content(bool(categories))
        self._show_counts()
        self.set_current(self._current_id)

    def _on_editing_ended(self) -> None:
        if self._waiting is not None:
            self.set_categories(*self._waiting)
        else:
            self.set_current(self._current_id)

    def set_changeable(self, is_changeable: bool) -> None:
        """Set whether a class can be added."""
        for widget in self._adding:
            widget.setEnabled(is_changeable)

    def set_used(self, used: Collection[int] | None) -> None:
        """Set the classes with objects; None if unknown, so that none is left out."""
        self._used = frozenset(used) if used is not None else None
        self._filter()

    def forget(self) -> None:
        """Forget the choices made for the previous project."""
        self._tree.stop_editing()
        self._asked_for.clear()
        self._used = None
        self._search.clear()
        self._whole.setChecked(False)

    def note_added(self, category_id: int) -> None:
        """The user has added a class: list it, although it has no objects yet."""
        self._asked_for.add(category_id)
        self._filter()

    def _filter(self) -> None:
        """Show the classes whose name contains the typed text; without one, those worth a row."""
        wanted = self._search.text().strip().casefold()
        left_out = 0
        for item in self._tree.items:
            category_id = item.data(0, CLASS_ID)
            is_hidden = category_id in self._hidden or not (wanted or self._is_worth_a_row(item))
            left_out += is_hidden
            is_found = wanted in item.text(1).casefold()
            item.setHidden(not is_found or (is_hidden and not self._whole.isChecked()))
        self._whole.setText(f"All {len(self._categories)}")
        self._whole.setVisible(bool(left_out))

    def _is_worth_a_row(self, item: QTreeWidgetItem) -> bool:
        category_id = item.data(0, CLASS_ID)
        is_current = item is self._tree.currentItem()
        is_needed = is_current or bool(item.text(2)) or category_id in self._asked_for
        return len(self._categories) <= MOST_WHOLE or self._used is None or category_id in self._used or is_needed

    def set_merges(self, merges: Iterable[tuple[int, str]]) -> None:
        """Set the merges that can be undone: (id, name of the merged class)."""
        self._merges = tuple(merges)

    def set_current(self, category_id: int) -> None:
        """Mark the class that is drawn with."""
        self._current_id = category_id
        if self._tree.is_editing:  # another current row would end it, and Qt crashes where that happens at its commit
            return
        if (item := self._tree.item_of(category_id)) is not None:
            self._is_syncing = True
            self._tree.setCurrentItem(item)
            self._is_syncing = False
            self._filter()

    def count(self, document: Document | None) -> None:
        """Show the number of objects of each class on the image."""
        self._counts = Counter(i.category_id for i in document or () if i.state is not InstanceState.REJECTED)
        self._show_counts()

    def _show_counts(self) -> None:
        self._is_syncing = True
        for item in self._tree.items:
            number = self._counts[item.data(0, CLASS_ID)]
            item.setText(2, str(number) if number else "")
        self._is_syncing = False
        if self._used is not None and not self._counts.keys() <= self._used:
            self._used |= self._counts.keys()
            self._filter()

    def _make_tree(self) -> ClassTree:
        tree = named(ClassTree(self), "Classes")
        tree.customContextMenuRequested.connect(self._open_menu)
        tree.order_requested.connect(self.order_requested)
        tree.currentItemChanged.connect(self._on_current_changed)
        tree.itemDoubleClicked.connect(lambda item: self._start_renaming(item))
        tree.itemChanged.connect(self._on_item_changed)
        tree.editing_ended.connect(self._on_editing_ended)
        return tree

    def _make_whole_switch(self) -> QToolButton:
        switch = named(QToolButton(self), "List all classes", tip="Including classes without objects and hidden ones")
        switch.setCheckable(True)
        switch.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        switch.toggled.connect(self._filter)
        switch.hide()
        return switch

    def _make_item(self, category: Category, digit: str) -> QTreeWidgetItem:
        item = QTreeWidgetItem([digit, shown(category.name), ""])
        item.setIcon(1, swatch(category_colour(category)))
        item.setData(0, CLASS_ID, category.id)
        item.setTextAlignment(2, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        if category.id in self._hidden:
            font = item.font(1)
            font.setItalic(True)
            item.setFont(1, font)
        item.setFlags(item.flags() & ~Qt.ItemFlag.ItemIsDropEnabled)
        key = f" · key {digit}" if digit else ""
        hidden = "\nHidden from the list; its menu shows it again" if category.id in self._hidden else ""
        told = "Double-click to rename, drag to move"
        item.setToolTip(1, f"{shown(category.name)} (id {category.id}){key}\n{told}{hidden}")
        return item

    def _open_menu(self, at: QPoint) -> None:
        self.make_menu(self._tree.itemAt(at)).popup(self._tree.viewport().mapToGlobal(at))

    def make_menu(self, item: QTreeWidgetItem | None) -> QMenu:
        """The menu of a class, including the classes merged into it."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if item is not None:
            menu.addAction("Assign to the selected objects").triggered.connect(
                partial(self._apply, item.data(0, CLASS_ID))
            )
            rename = QAction("Rename", menu)
            rename.triggered.connect(lambda: self._start_renaming(item))
            colour = QAction("Change colour…", menu)
            colour.triggered.connect(lambda: self._choose_colour(item.data(0, CLASS_ID)))
            copy = QAction("Copy name", menu)
            copy.triggered.connect(partial(self._copy_name, item.data(0, CLASS_ID)))
            menu.addActions([rename, copy, colour])
            self._add_keys(menu.addMenu("Key"), item.data(0, CLASS_ID))
            self._add_targets(menu.addMenu("Merge into"), item.data(0, CLASS_ID))
            menu.addSeparator()
            self._add_places(menu, item)
            menu.addAction("Delete…").triggered.connect(partial(self._delete, item.data(0, CLASS_ID)))
        for merge_id, name in reversed(self._merges):
            menu.addAction(f"Undo the merge of “{name}”").triggered.connect(partial(self._undo_merge, merge_id))
        return menu

    def _add_places(self, menu: QMenu, item: QTreeWidgetItem) -> None:
        category_id = item.data(0, CLASS_ID)
        menu.addAction("Move up\tCtrl+Up").triggered.connect(lambda: self._tree.move_item(item, -1))
        menu.addAction("Move down\tCtrl+Down").triggered.connect(lambda: self._tree.move_item(item, 1))
        menu.addAction("Move to the top").triggered.connect(lambda: self._tree.move_item(item, -len(self._categories)))
        is_hidden = category_id in self._hidden
        hide = menu.addAction("Show in the list" if is_hidden else "Hide from the list")
        hide.triggered.connect(lambda: self.hide_requested.emit(category_id, not is_hidden))

    def _apply(self, category_id: int, _is_checked: bool = False) -> None:
        self.category_applied.emit(category_id)

    def _add_keys(self, menu: QMenu, category_id: int) -> None:
        for digit in DIGITS:
            holder = self._categories.get(self._keys.get(digit, 0))
            action = menu.addAction(f"&{digit}  {holder.name}" if holder is not None else f"&{digit}")
            action.setCheckable(True)
            action.setChecked(holder is not None and holder.id == category_id)
            action.triggered.connect(partial(self._give_key, category_id, digit))

    def _give_key(self, category_id: int, digit: int, _is_checked: bool = False) -> None:
        self.key_requested.emit(category_id, digit)

    def _add_targets(self, menu: QMenu, source_id: int) -> None:
        others = [category for category in self._categories.values() if category.id != source_id]
        for category in others:
            menu.addAction(in_menu(category.name)).triggered.connect(partial(self._merge, source_id, category.id))
        menu.setEnabled(bool(others))

    def _merge(self, source_id: int, target_id: int, _is_checked: bool = False) -> None:
        self.merge_requested.emit(source_id, target_id)

    def _delete(self, category_id: int, _is_checked: bool = False) -> None:
        self.delete_requested.emit(category_id)

    def _undo_merge(self, merge_id: int, _is_checked: bool = False) -> None:
        self.merge_undone.emit(merge_id)

    def _copy_name(self, category_id: int, _is_checked: bool = False) -> None:
        QGuiApplication.clipboard().setText(self._categories[category_id].name)

    def rename(self, category_id: int) -> None:
        """Let the user type another name for the class, also where its row is left out of the list."""
        self._search.clear()
        if (item := self._tree.item_of(category_id)) is not None:
            item.setHidden(False)
            self._tree.scrollToItem(item)
            self._start_renaming(item)

    def _start_renaming(self, item: QTreeWidgetItem) -> None:
        self._is_syncing = True
        item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
        self._is_syncing = False
        self._tree.editItem(item, 1)

    def _choose_colour(self, category_id: int) -> None:
        known = QColor(*category_colour(self._categories[category_id]))
        colour = QColorDialog.getColor(known, self, f"Colour of {shown(self._categories[category_id].name)}")
        if colour.isValid():
            self.colour_requested.emit(category_id, colour.name())

    def _on_add(self) -> None:
        if name := self._name.text().strip():
            self.add_requested.emit(name)
            self._name.clear()

    def _on_current_changed(self, current: QTreeWidgetItem | None) -> None:
        if current is not None and not self._is_syncing:
            self.category_chosen.emit(current.data(0, CLASS_ID))

    def _on_item_changed(self, item: QTreeWidgetItem, column: int) -> None:
        if self._is_syncing or column != 1:
            return
        category = self._categories[item.data(0, CLASS_ID)]
        name = item.text(1).strip()
        if name and name not in (category.name, shown(category.name)):
            self.rename_requested.emit(category.id, name)
        elif not name:
            item.setText(1, shown(category.name))
