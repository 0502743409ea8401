"""Maps each class of the loaded model to a class of the project: asked for, stored, and applied to proposals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from maskwright.document.values import Category
from maskwright.errors import MaskwrightError
from maskwright.words import shown
from maskwright_gui.panels.widgets import muted_label, named
from maskwright_gui.session import Session
from maskwright_gui.workers.requests import ModelSummary

NEW, IGNORE = "new", "ignore"
"""Choices besides the ids of the project's classes."""
_EXPLANATION = (
    "Several model classes can become one project class; type a name to make a new one. Ignored classes are not "
    "proposed. Objects that you accepted, edited or drew do not change."
)


@dataclass(frozen=True, slots=True)
class NewClass:
    """A new class of the project, named differently from the model's class."""

    name: str


Choice = int | str | NewClass
"""A class id of the project, NEW (with the model's name), IGNORE or a new class."""


class ClassMappingDialog(QDialog):
    """`mapping_chosen` is emitted once, with a choice for each class of the model."""

    mapping_chosen = Signal(object)
    """{the model's class id: Choice}."""

    def __init__(
        self,
        labels: Sequence[tuple[int, str]],
        categories: Sequence[Category],
        current: Mapping[int, Choice],
        parent: QWidget | None = None,
    ) -> None:
        """labels: (id, name) of the model's classes. current: the current choices; NEW if missing."""
        super().__init__(parent)
        self.setWindowTitle("Map model classes")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(520, min(560, 240 + 30 * len(labels)))
        self._categories = tuple(categories)
        self._find = named(QLineEdit(self), "Find a model class")
        self._find.setPlaceholderText("Find a model class")
        self._find.setClearButtonEnabled(True)
        self._find.textChanged.connect(self._filter)
        self._boxes: dict[int, QComboBox] = {}
        self._table = self._make_table(labels, current)
        self._lay_out()

    def choice(self, label_id: int) -> Choice:
        """What is chosen for a class of the model."""
        box = self._boxes[label_id]
        typed = box.currentText().strip()
        place = box.findText(typed, Qt.MatchFlag.MatchFixedString)  # match the whole name, ignoring case
        if place < 0 and typed:
            return NewClass(typed)
        chosen: Choice = box.itemData(max(place, 0))
        return chosen

    def choose(self, label_id: int, choice: Choice) -> None:
        """Choose as if picked from the list."""
        box = self._boxes[label_id]
        box.setCurrentIndex(max(box.findData(choice), 0))

    def _make_table(self, labels: Sequence[tuple[int, str]], current: Mapping[int, Choice]) -> QTreeWidget:
        table = named(QTreeWidget(self), "Model classes and the project classes they become")
        table.setRootIsDecorated(False)
        table.setHeaderLabels(["Model class", "Project class"])
        table.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        table.header().setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        for label_id, name in labels:
            item = QTreeWidgetItem([name])
            table.addTopLevelItem(item)
            self._boxes[label_id] = self._make_box(label_id, name, current.get(label_id, NEW))
            table.setItemWidget(item, 1, self._boxes[label_id])
        return table

    def _make_box(self, label_id: int, name: str, choice: Choice) -> QComboBox:
        box = named(QComboBox(self), f"{name} becomes")
        box.setEditable(True)
        box.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        taken = {category.name.casefold() for category in self._categories}
        if name.casefold() not in taken:
            box.addItem(f"New class “{name}”", NEW)
        for category in self._categories:
            box.addItem(shown(category.name), category.id)
        box.addItem("– ignore –", IGNORE)
        box.setCurrentIndex(max(box.findData(choice), 0))
        return box

    def _lay_out(self) -> None:
        every = QHBoxLayout()
        for text, slot in (("Ignore all shown", self._ignore_shown), ("Keep the model's names", self._use_names)):
            button = QPushButton(text, self)
            button.clicked.connect(slot)
            every.addWidget(button)
        every.addStretch(1)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self)
        use = QPushButton("Use", self)
        use.setProperty("primary", True)
        use.setDefault(True)
        buttons.addButton(use, QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.accepted.connect(self._on_accepted)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 12, 12, 12)
        column.setSpacing(8)
        column.addWidget(muted_label(_EXPLANATION, self))
        column.addWidget(self._find)
        column.addWidget(self._table, 1)
        column.addLayout(every)
        column.addWidget(buttons)

    def _filter(self, text: str) -> None:
        wanted = text.strip().casefold()
        for row, item in enumerate(self._items()):
            self._table.setRowHidden(row, self._table.rootIndex(), wanted not in item.text(0).casefold())

    def _items(self) -> list[QTreeWidgetItem]:
        rows = (self._table.topLevelItem(row) for row in range(self._table.topLevelItemCount()))
        return [item for item in rows if item is not None]

    def _ignore_shown(self) -> None:
        for item, label_id in zip(self._items(), self._boxes, strict=True):
            if not item.isHidden():
                self.choose(label_id, IGNORE)

    def _use_names(self) -> None:
        """Choose for each the class of the same name, or a new one."""
        by_name = {category.name.casefold(): category.id for category in self._categories}
        for item, label_id in zip(self._items(), self._boxes, strict=True):
            if not item.isHidden():
                self.choose(label_id, by_name.get(item.text(0).casefold(), NEW))

    def _on_accepted(self) -> None:
        self.mapping_chosen.emit({label_id: self.choice(label_id) for label_id in self._boxes})
        self.accept()


class ClassMapping(QObject):
    """Stores which class of the project each class of a model becomes."""

    changed = Signal()
    """Proposals must be made again from the candidates."""
    failed = Signal(str, object)
    """(what failed, MaskwrightError)."""

    def __init__(self, session: Session, window: QWidget) -> None:
        super().__init__(window)
        self._session, self._window = session, window

    def open(self, model: ModelSummary) -> ClassMappingDialog | None:
        """Open the dialog; None without a project."""
        from maskwright.inference.labels import ModelCategory
        from maskwright.prelabel.mapping import guess_mapping, stored_mapping

        project = self._session.project
        if project is None:
            return None
        labels = [ModelCategory(id_, name) for id_, name in model.labels]
        current: dict[int, Choice] = dict(guess_mapping(labels, self._session.classes.listed))
        for label_id, category_id in project.ask(lambda stored: stored_mapping(stored, model.content_hash)).items():
            current[label_id] = IGNORE if category_id is None else category_id
        classes = self._session.classes
        chosen = [each for each in classes.offered if each.id in current.values()]  # that have no objects any more
        dialog = ClassMappingDialog(model.labels, (*classes.listed, *chosen), current, self._window)
        dialog.mapping_chosen.connect(lambda choices: self.use(model, choices))
        dialog.open()
        return dialog

    def use(self, model: ModelSummary, choices: Mapping[int, Choice]) -> None:
        """Create the new classes and store the mapping in the project."""
        from maskwright.prelabel.mapping import store_mapping

        project = self._session.project
        if project is None:
            return
        names = {id_: name for id_, name in model.labels if choices.get(id_) == NEW}
        names |= {id_: choice.name for id_, choice in choices.items() if isinstance(choice, NewClass)}
        try:
            made = project.ask(lambda stored: stored.categories.ensure(names.items()))
            mapping = {
                label_id: choice if isinstance(choice, int) else made.get(label_id)
                for label_id, choice in choices.items()
            }
            project.ask(lambda stored: store_mapping(stored, model.content_hash, mapping))
        except MaskwrightError as error:
            self.failed.emit("The class mapping was not saved", error)
            return
        self._session.classes.reload()
        self.changed.emit()
