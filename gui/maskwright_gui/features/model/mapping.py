"""Opens the class mapping of the loaded model, keeps what was chosen and applies it to what is proposed."""

from collections.abc import Mapping

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from maskwright.errors import MaskwrightError
from maskwright_gui.dialogs.class_mapping import IGNORE, NEW, Choice, ClassMappingDialog, NewClass
from maskwright_gui.session import Session
from maskwright_gui.workers.requests import ModelSummary


class ClassMapping(QObject):
    """Which class of the project each class of a model is."""

    changed = Signal()
    """Proposals are to be made again from the candidates."""
    failed = Signal(str, object)
    """(what did not work, MaskwrightError)."""

    def __init__(self, session: Session, window: QWidget) -> None:
        super().__init__(window)
        self._session, self._window = session, window

    def open(self, model: ModelSummary) -> ClassMappingDialog | None:
        """None without a project."""
        from maskwright.inference.labels import ModelCategory
        from maskwright.prelabel.mapping import guess_mapping, stored_mapping

        project = self._session.project
        if project is None:
            return None
        labels = [ModelCategory(id_, name) for id_, name in model.labels]
        current: dict[int, Choice] = dict(guess_mapping(labels, self._session.classes.listed))
        for label_id, category_id in project.ask(lambda stored: stored_mapping(stored, model.content_hash)).items():
            current[label_id] = IGNORE if category_id is None else category_id
        dialog = ClassMappingDialog(model.labels, self._session.classes.listed, current, self._window)
        dialog.mapping_chosen.connect(lambda choices: self.use(model, choices))
        dialog.open()
        return dialog

    def use(self, model: ModelSummary, choices: Mapping[int, Choice]) -> None:
        """Make the new classes, keep the mapping with the project."""
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
            self.failed.emit("The class mapping was not kept", error)
            return
        self._session.classes.reload()
        self.changed.emit()
