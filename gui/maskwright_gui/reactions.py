"""What the window shows when something has changed: each function puts one piece of news where it belongs."""

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint
from PySide6.QtGui import QCloseEvent

from maskwright.document.change import Change
from maskwright.document.document import Document
from maskwright.document.values import Category, ImageRecord, ImageState, InstanceState
from maskwright_gui.dialogs.failures import FailuresDialog
from maskwright_gui.dialogs.models import ModelsDialog
from maskwright_gui.messages import Message
from maskwright_gui.workers.batch_status import BatchProgress, BatchState, Failure
from maskwright_gui.workers.lane import NoAnswerError

if TYPE_CHECKING:
    from maskwright.project.store import Project
    from maskwright_gui.app import Workbench


def on_project(bench: "Workbench", project: "Project | None") -> None:
    bench.images.forget()
    bench.review.stop()
    bench.exchange.stop()
    bench.classes.stop()
    bench.data_set.stop()
    bench.relocating.stop()
    bench.thumbnails.forget()
    bench.window.images.reset()
    bench.rows.set_project(project)
    bench.window.show_canvas(project is not None)
    name = project.name if project is not None else None
    bench.window.header.show_project(f"{name} (read only)" if project is not None and project.is_read_only else name)
    bench.window.setWindowTitle(project.name if project is not None else "Maskwright")
    enable(bench)
    show_counts(bench)


def on_opened(bench: "Workbench") -> None:
    bench.images.show_first()
    bench.window.canvas.setFocus()


def on_image(bench: "Workbench", image: ImageRecord | None) -> None:
    bench.window.model.set_has_image(image is not None)
    bench.later.put("row", partial(show_row, bench))


def show_row(bench: "Workbench") -> None:
    image = bench.session.image
    bench.window.images.show_current(image.id if image is not None else None)


def show_objects(bench: "Workbench") -> None:
    """The objects of the image on screen in the lists."""
    session, instances = bench.session, bench.window.instances
    instances.set_document(session.document)
    instances.set_image_state(session.image.state if session.image is not None else None)
    instances.set_selection(session.selection)
    on_document(bench, session.document)


def on_selection(bench: "Workbench", ids: frozenset[int]) -> None:
    if not bench.later.waits("objects"):
        bench.window.instances.set_selection(ids)


def on_document_changed(bench: "Workbench", change: Change, document: Document) -> None:
    bench.later.flush()  # the lists have to show the image that the change is of
    bench.window.instances.apply_change(change, document)
    on_document(bench, document)


def on_records(bench: "Workbench", image_ids: frozenset[int]) -> None:
    image = bench.session.image
    if image is not None and image.id in image_ids and not bench.later.waits("objects"):
        bench.window.instances.set_image_state(image.state)
    bench.rows.refresh(image_ids)
    bench.data_set.refresh(image_ids)
    show_counts(bench)


def on_doubts(bench: "Workbench", image_id: int) -> None:
    bench.marks.refresh(image_id)
    bench.changed_records.note(image_id)
    bench.window.images.refresh_reason()


def on_applied(bench: "Workbench") -> None:
    """Thresholds have reached the whole project: a queue by doubts is in another order."""
    if bench.rows.order == "uncertainty":
        bench.window.images.refilter()


def on_document(bench: "Workbench", document: Document | None) -> None:
    proposed = sum(instance.state is InstanceState.PROPOSED for instance in document or ())
    bench.window.thresholds.set_proposal_count(proposed)
    bench.window.categories.count(document)


def on_categories(bench: "Workbench", categories: tuple[Category, ...]) -> None:
    window = bench.window
    window.categories.set_categories(categories, bench.session.class_keys)
    merges = bench.session.project.merges() if bench.session.project is not None else []
    window.categories.set_merges((merge.id, merge.source.name) for merge in merges)
    window.categories.set_current(bench.session.current_category_id)
    window.categories.count(bench.session.document)
    window.instances.set_categories(categories)
    window.canvas.set_style(window.canvas.style_values.with_categories(categories))


def on_history(bench: "Workbench") -> None:
    """Name the steps in the menu; those of earlier days are read when the person stays on the image."""
    table, session = bench.window.actions_table, bench.session
    if bench.window.canvas.is_busy:
        table["undo"].setText("Undo last step of the drawing")
        for action_id in ("undo", "redo"):
            table[action_id].setEnabled(True)
        return
    if not session.is_history_known:
        table.refresh(session, "undo", "redo")
        bench.history_timer.start()
        return
    for action_id, label in (("undo", session.undo_label), ("redo", session.redo_label)):
        name = action_id.capitalize()
        table[action_id].setText(f"{name} {label[0].lower()}{label[1:]}" if label else name)
        table.refresh(session, action_id)


def on_batch(bench: "Workbench", state: BatchState, _progress: BatchProgress) -> None:
    is_running = state in (BatchState.RUNNING, BatchState.PAUSED)
    for action_id in ("pause_batch", "cancel_batch"):
        bench.window.actions_table[action_id].setEnabled(is_running)
    bench.window.actions_table["run_batch"].setEnabled(state is BatchState.IDLE and bench.session.project is not None)


def enable(bench: "Workbench") -> None:
    bench.window.actions_table.refresh(bench.session)
    on_batch(bench, bench.batch.state, bench.batch.progress)
    on_history(bench)


def go_to(bench: "Workbench", image_id: int, instance_id: int) -> None:
    """Show an image and, unless 0, one of its objects."""
    bench.session.show_image(image_id)
    if instance_id:
        bench.session.select(frozenset({instance_id}))
        bench.window.canvas.zoom_to_selection()


def left_open(bench: "Workbench", image_id: int, count: int) -> Message:
    """An image is done with proposals that nobody answered: they will be missing in what is exported."""
    were = "1 proposal was" if count == 1 else f"{count} proposals were"
    detail = "What is not accepted is not exported. Enter accepts, X rejects, Ctrl+Enter accepts all in view."
    return Message(f"{were} not answered", detail, "warning", "Go back", lambda: bench.session.show_image(image_id))


def end_of_list(bench: "Workbench", open_count: int) -> Message:
    """What is left to do when the last image of the list is done."""
    if open_count:
        are = "1 image is" if open_count == 1 else f"{open_count} images are"
        return Message("The list ends here", f"{are} not done yet.", "info", "Go there", bench.images.show_first)
    return Message("All images are done", "", "info", "Export…", bench.exchange.open_export)


def undo(bench: "Workbench") -> None:
    """The last point of what is being drawn, else the latest step of the image."""
    if not bench.window.canvas.step_back():
        bench.edits.undo()


def redo(bench: "Workbench") -> None:
    if not bench.window.canvas.step_forward():
        bench.edits.redo()


def accept(bench: "Workbench") -> None:
    """What may have been missed at the place that was gone to, else the selected proposals."""
    if not bench.marks.accept_missed():
        bench.edits.accept()


def reject(bench: "Workbench") -> None:
    if not bench.marks.reject_missed():
        bench.edits.reject()


def on_located(bench: "Workbench") -> None:
    """The image files are where the project expects them again: read what is on screen once more."""
    bench.thumbnails.forget()
    bench.images.forget()
    bench.window.images.refilter()
    image_id = bench.session.image.id if bench.session.image is not None else None
    bench.session.show_image(None)
    if image_id is not None:
        bench.session.show_image(image_id)


def on_taken_in(bench: "Workbench") -> None:
    bench.session.refresh()
    bench.window.images.refilter()
    if bench.session.image is None:
        bench.images.show_first()
    show_counts(bench)


def show_counts(bench: "Workbench") -> None:
    if bench.session.project is not None:
        try:
            counts = bench.session.project.state_counts()
        except NoAnswerError:
            return  # what is shown stays until it does
        done = counts.get(ImageState.DONE, 0) + counts.get(ImageState.EMPTY, 0)
        bench.window.header.show_counts(done, sum(counts.values()))
        bench.window.images.show_counts(counts)


def show_failures(bench: "Workbench", failures: list[Failure], title: str, *, can_retry: bool = False) -> None:
    dialog = FailuresDialog(failures, title=title, can_retry=can_retry, parent=bench.window)
    dialog.image_chosen.connect(bench.session.show_image)
    dialog.retry_requested.connect(bench.batch.retry_failures)
    dialog.show()


def show_models(bench: "Workbench") -> None:
    dialog = ModelsDialog(bench.window)
    dialog.model_chosen.connect(bench.model.choose)
    dialog.show()


def ask_for_a_class(bench: "Workbench") -> None:
    """A person wants to draw and the project has no class yet: typing its name comes first."""
    view, session = bench.view, bench.session
    prompt = "Name what you want to draw"
    view.open_class_picker(view.place_for_popup(), session.set_current_category, bench.classes.add, prompt=prompt)


def pick_class(bench: "Workbench", at: QPoint) -> None:
    bench.view.open_class_picker(at, bench.edits.set_category, bench.classes.add_and_apply)


def on_close(bench: "Workbench", event: QCloseEvent) -> None:
    if bench.session.project is not None and not bench.projects.may_lose_edits():
        event.ignore()
        return
    bench.window.save_layout(bench.settings)
    for dialog in bench.window.findChildren(ModelsDialog):
        dialog.close()  # ends a download
    bench.window.hide()  # threads may take a moment to end
    bench.stop()
    event.accept()
