"""The classes of the project: adding, renaming, recolouring, merging."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QCursor, QGuiApplication
from PySide6.QtWidgets import QMessageBox

from maskwright.document.values import Category
from maskwright.errors import MaskwrightError
from maskwright.words import count_of, shown
from maskwright_gui.actions import Action, Menu, Under, may_edit
from maskwright_gui.canvas.view import CanvasView
from maskwright_gui.dialogs.quick import ClassPicker
from maskwright_gui.feature import Context, Feature
from maskwright_gui.features.classes import sentences
from maskwright_gui.features.classes.choosing import DrawnClass, LikelyClasses
from maskwright_gui.features.editing import EditingFeature
from maskwright_gui.features.images.feature import ImagesFeature
from maskwright_gui.features.objects import ObjectsFeature
from maskwright_gui.features.tools.feature import HOME, ToolsFeature
from maskwright_gui.messages import Message
from maskwright_gui.panels.categories import CategoriesPanel

if TYPE_CHECKING:
    from maskwright.project.merging import Merge


class ClassesFeature(Feature):
    """Creates, renames, recolours, merges and deletes classes, assigns their keys, and chooses the next one."""

    merged = Signal()
    """Objects on any image may have another class now."""

    def __init__(
        self,
        context: Context,
        editing: EditingFeature,
        objects: ObjectsFeature,
        tools: ToolsFeature,
        images: ImagesFeature,
    ) -> None:
        super().__init__(context)
        self._editing = editing
        self.panel = CategoriesPanel(self._window)
        self._dock = self._window.add_dock("Classes", self.panel, Qt.DockWidgetArea.RightDockWidgetArea, size_px=200)
        self._declare(
            Action(
                "change_class",
                "Change class…",
                Menu.EDIT,
                2,
                self.pick_for_selection,
                keys=("Ctrl+E",),
                presets={"labelme": ("Ctrl+E",)},
                icon="tag",
                words="label category type name",
                canvas_menu=((Under.OBJECT, 1),),
                needs=may_edit,
            ),
            Action(
                "toggle_ask_class",
                "Ask for the class after drawing",
                Menu.EDIT,
                2,
                is_checkable=True,
                needs=may_edit,
            ),
        )
        self._declare(*(self._digit(n) for n in range(1, 10)))
        switch = self._actions["toggle_ask_class"]
        self.likely = LikelyClasses(self._session, self)
        self._drawn = DrawnClass(self._session, self._canvas, editing, switch, self._settings)
        self._drawn.asked.connect(self.pick_for_selection)
        tools.class_missing.connect(self.ask_for_first)
        objects.panel.category_requested.connect(lambda: self._pick_for_selection(QCursor.pos()))
        self.merged.connect(images.panel.refilter)
        self._connect_session()
        self._connect_panel()

    def _digit(self, digit: int) -> Action:
        return Action(
            f"class_{digit}",
            f"Class {digit}",
            Menu.CLASSES,
            0,
            lambda: self._drawn.choose_by_digit(digit),
            keys=(str(digit),),
            presets={"CVAT": (f"Ctrl+{digit}",)},
            needs=may_edit,
        )

    def _connect_session(self) -> None:
        session = self._session
        session.project_changed.connect(self.stop)
        session.project_changed.connect(lambda _project: self.panel.set_changeable(may_edit(session)))
        session.classes.is_drawing = lambda: self._canvas.is_busy
        session.classes.changed.connect(self._on_categories_changed)
        session.classes.current_changed.connect(self.panel.set_current)
        session.classes.current_changed.connect(lambda id_: self._canvas.set_category(id_ or None))
        session.document_changed.connect(lambda _change, document: self.panel.count(document))
        session.document_replaced.connect(lambda _document: self._window.later.put("classes", self._count))

    def _connect_panel(self) -> None:
        panel = self.panel
        panel.category_chosen.connect(self._session.classes.pick)
        panel.category_applied.connect(self._editing.set_category)
        panel.add_requested.connect(self._on_add_requested)
        panel.rename_requested.connect(self.rename)
        panel.colour_requested.connect(self.set_colour)
        panel.key_requested.connect(self.set_key)
        panel.merge_requested.connect(self.merge)
        panel.merge_undone.connect(self.undo_merge)
        panel.delete_requested.connect(self.delete)

    def _on_add_requested(self, name: str) -> None:
        """Return the focus to the canvas; if the name was refused, keep it in the field."""
        if self.add(name) is not None:
            self._canvas.setFocus()

    def pick_for_selection(self) -> None:
        """Ask for the class of the selection, else of the object under the pointer, next to the pointer."""
        pointed_at = self._canvas.id_under_pointer if self._canvas.tool.name == HOME else None
        if not self._session.selection and pointed_at is not None:
            self._session.select(frozenset({pointed_at}))
        self._pick_for_selection(place_for_popup(self._canvas))

    def ask_for_first(self) -> None:
        """Ask for the first class when the user wants to draw in a project without classes."""
        at, prompt = place_for_popup(self._canvas), "Class of the object, such as car"
        self.open_picker(at, self._session.classes.pick, self.add, prompt=prompt)

    def open_picker(
        self,
        at: QPoint,
        on_chosen: Callable[[int], None],
        on_created: Callable[[str], object],
        *,
        prompt: str = "Class",
    ) -> None:
        """at: position on the screen, adjusted so that the popup stays on it."""
        selected = self._session.selected_instances()
        current = selected[0].category_id if selected else self._session.classes.current_id
        listing = self._session.classes.listing
        categories = [
            each for each in self._session.classes.listed if each.id not in listing.hidden or each.id == current
        ]
        keys = listing.keys
        picker = ClassPicker(
            categories,
            keys,
            current,
            at,
            self._window,
            prompt=prompt,
            likely=self.likely.ids(),
            offered=[each.name for each in self._session.classes.offered],
            seen=self._seen_there(current),
        )
        screen = QGuiApplication.screenAt(at) or self._window.screen()
        area = screen.availableGeometry()
        picker.move(min(at.x(), area.right() - picker.width()), min(at.y(), area.bottom() - picker.height()))
        picker.chosen.connect(on_chosen)
        picker.created.connect(on_created)
        picker.pop_up()

    def _seen_there(self, current_id: int) -> list[str]:
        """Names of the classes that the model considers possible for the object, without its current one."""
        objects = self._session.selected_instances() or self._canvas.tool.overlay().instances[-1:]
        return self.likely.names_at(objects[0].bounds_xyxy, but=current_id) if objects else []

    def _pick_for_selection(self, at: QPoint) -> None:
        self.open_picker(at, self._editing.set_category, self.add_and_apply)

    def _count(self) -> None:
        self.panel.count(self._session.document)

    def _on_categories_changed(self, categories: tuple[Category, ...]) -> None:
        listing = self._session.classes.listing
        self.panel.set_categories(categories, listing.keys, listing.hidden)
        merges = (
            self._session.project.ask(lambda stored: stored.merges.all()) if self._session.project is not None else []
        )
        self.panel.set_merges((merge.id, merge.source.name) for merge in merges)
        self.panel.set_current(self._session.classes.current_id)
        self._count()
        named = (*categories, *self._session.classes.unlisted)
        self._canvas.set_style(self._canvas.renderer.style.with_categories(named))

    def add(self, name: str) -> Category | None:
        """Add a class and make it current; None if it was refused."""
        project = self._session.project
        if project is None:
            return None
        try:
            category = project.ask(lambda stored: stored.categories.add(name))
        except MaskwrightError as error:
            self._tell_error("The class was not added", error)
            return None
        self._session.classes.reload()
        self.panel.note_added(category.id)
        self._session.classes.pick(category.id)
        return category

    def add_and_apply(self, name: str) -> None:
        """Add a class and give it to the selection."""
        if (category := self.add(name)) is not None:
            self._editing.set_category(category.id)

    def rename_in_list(self, category_id: int) -> None:
        """Let the user type another name for the class in the panel, which is shown for that."""
        self._dock.show()
        self._dock.raise_()
        self.panel.rename(category_id)

    def rename(self, category_id: int, name: str) -> None:
        """Rename the class everywhere in the project."""
        if self._session.project is None:
            return
        try:
            self._session.project.ask(lambda stored: stored.categories.rename(category_id, name))
        except MaskwrightError as error:
            self._tell_error("The class was not renamed", error)
        self._session.classes.reload()

    def set_colour(self, category_id: int, colour: str) -> None:
        """Set the class colour, as `#rrggbb`."""
        if self._session.project is None:
            return
        try:
            self._session.project.ask(lambda stored: stored.categories.set_colour(category_id, colour))
        except MaskwrightError as error:
            self._tell_error("The colour was not changed", error)
        self._session.classes.reload()

    def set_key(self, category_id: int, digit: int) -> None:
        """Give a digit to the class; the class that had it gets the old digit of this one."""
        listing = self._session.classes.listing
        self._session.classes.list_as(listing.with_key(category_id, digit), arranged=[category_id])

    def merge(self, source_id: int, target_id: int) -> QMessageBox | None:
        """Ask whether all objects of one class are to become objects of another, then merge."""
        project = self._session.project
        names = {category.id: shown(category.name) for category in self._session.classes.listed}
        if project is None or self.is_working or not {source_id, target_id} <= names.keys():
            return None
        self._session.save()
        source, target = names[source_id], names[target_id]
        box = QMessageBox(QMessageBox.Icon.Question, "Merge classes", f"Merge “{source}” into “{target}”?")
        box.setParent(self._window, box.windowFlags())
        box.setInformativeText(
            sentences.what_merges(project.ask(lambda stored: stored.categories.use(source_id)), source, target)
        )
        box.addButton("Merge", QMessageBox.ButtonRole.AcceptRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        work = partial(project.stored.merges.make, source_id, target_id)
        done = partial(self._on_merged, f"“{source}” is part of “{target}” now")
        box.accepted.connect(partial(self._run, f"Merging “{source}”", work, done))
        box.finished.connect(box.deleteLater)
        box.open()
        return box

    def undo_merge(self, merge_id: int) -> None:
        """Separate two merged classes again, as they were."""
        if self._session.project is not None and not self.is_working:
            self._session.save()
            work = partial(self._session.project.stored.merges.undo, merge_id)
            self._run("Undoing a merge", work, self._on_merge_undone)

    def delete(self, category_id: int) -> QMessageBox | None:
        """Delete a class; if it has objects, ask whether to delete them or move them to another class first."""
        project = self._session.project
        category = next((each for each in self._session.classes.listed if each.id == category_id), None)
        if project is None or self.is_working or category is None:
            return None
        self._session.save()
        use = project.ask(lambda stored: stored.categories.use(category_id))
        work = partial(project.stored.categories.delete, category_id)
        run = partial(self._run, f"Deleting “{category.name}”", work, partial(self._on_deleted, category.name))
        if not use.instances:
            run()
            return None
        box = QMessageBox(QMessageBox.Icon.Question, "Delete class", f"Delete “{category.name}” and its objects?")
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setParent(self._window, box.windowFlags())
        box.setInformativeText(sentences.what_is_deleted(use, category.name))
        delete = box.addButton(
            f"Delete with {count_of(use.instances, 'object')}", QMessageBox.ButtonRole.DestructiveRole
        )
        if len(self._session.classes.listed) > 1:
            move = box.addButton("Move its objects…", QMessageBox.ButtonRole.ActionRole)
            move.clicked.connect(lambda: self._pick_target(category))
        # an accidental Enter must not delete objects
        box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Cancel))
        delete.clicked.connect(lambda: run())
        box.finished.connect(box.deleteLater)
        box.open()
        return box

    def _pick_target(self, category: Category) -> None:
        """Ask which class the objects of a deleted one are to get."""
        others = [each for each in self._session.classes.listed if each.id != category.id]
        prompt = f"New class for the objects of “{category.name}”"
        at = place_for_popup(self._canvas)
        picker = ClassPicker(others, self._session.classes.keys, others[0].id, at, self._window, prompt=prompt)
        picker.chosen.connect(lambda target_id: self.merge(category.id, target_id))
        picker.created.connect(lambda name: self._merge_into_new(category.id, name))
        picker.pop_up()

    def _merge_into_new(self, source_id: int, name: str) -> None:
        if (target := self.add(name)) is not None:
            self.merge(source_id, target.id)

    def _run(self, text: str, work: Callable[[], object], on_done: Callable[..., object]) -> None:
        """Run in the background. A merge is done entirely or not at all, so it cannot be cancelled."""
        self._run_beside(lambda _monitor: work(), on_done, "The classes were not changed")
        self.work_changed.emit(text, 0, None)

    def _on_merged(self, text: str, merge: "Merge") -> None:
        if self._session.classes.current_id == merge.source.id:
            self._session.classes.set_current(merge.target_id)
        self._session.reload_classes()
        detail = count_of(merge.instance_count, "object") + " changed class."
        self.told.emit(Message(text, detail, action_text="Undo", action=partial(self.undo_merge, merge.id)))
        self.merged.emit()

    def _on_deleted(self, name: str, count: int) -> None:
        former = self._session.classes.current_id
        self._session.reload_classes()
        is_draft_of_another = self._canvas.is_busy and self._session.classes.current_id != former
        draft = sentences.what_becomes_of_draft(self._canvas.context.category_name) if is_draft_of_another else ""
        deleted = f"“{name}” deleted" + (f", with {count_of(count, 'object')}" if count else "")
        self.told.emit(Message(deleted, f"{draft}{sentences.how_it_comes_back(has_objects=count > 0)}"))
        self.merged.emit()

    def _on_merge_undone(self, category: Category) -> None:
        self._session.reload_classes()
        self.told.emit(Message(f"“{shown(category.name)}” is a class of its own again"))
        self.merged.emit()


def place_for_popup(canvas: CanvasView) -> QPoint:
    """Next to the pointer, or on the canvas if the pointer is elsewhere. Position on the screen."""
    at = QCursor.pos()
    return at if canvas.rect().contains(canvas.mapFromGlobal(at)) else canvas.mapToGlobal(canvas.place_of_selection())
