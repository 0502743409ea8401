"""Who hears whom: connects session, window, commands and threads of a workbench, and decides nothing else."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint
from PySide6.QtGui import QCloseEvent, QCursor

from maskwright.document.document import Document
from maskwright.document.values import Category, ImageRecord, ImageState, InstanceState
from maskwright.errors import MaskwrightError
from maskwright_gui.commands.space_key import SpaceTap
from maskwright_gui.commands.view import TOOLS
from maskwright_gui.dialogs.failures import FailuresDialog
from maskwright_gui.dialogs.models import ModelsDialog
from maskwright_gui.messages import Message
from maskwright_gui.workers.batch_status import BatchProgress, BatchState, Failure

if TYPE_CHECKING:
    from maskwright.project.store import Project
    from maskwright_gui.app import Workbench

_ALWAYS = frozenset({
    "open_folder", "open_project", "open_samples", "quit", "toggle_chrome", "toggle_theme", "reset_layout", "palette",
    "key_sheet", "keys", "about", "choose_model", "models",
})  # fmt: skip


def wire(bench: "Workbench") -> None:
    """Connect everything once, before the window is shown."""
    _wire_actions(bench)
    _wire_session(bench)
    _wire_panels(bench)
    _wire_messages(bench)
    _wire_progress(bench)
    window = bench.window
    window.path_dropped.connect(bench.projects.open_path)
    window.close_requested.connect(lambda event: _on_close(bench, event))
    SpaceTap(window.canvas, bench.images.done)


def _wire_actions(bench: "Workbench") -> None:
    edits, images, projects, model, view = bench.edits, bench.images, bench.projects, bench.model, bench.view
    shapes = bench.shapes
    window, canvas, strip = bench.window, bench.window.canvas, bench.window.thresholds
    slots: dict[str, Callable[[], object]] = {
        "open_folder": projects.open_folder,
        "open_project": projects.open_folder,
        "open_samples": projects.open_samples,
        "save": projects.save,
        "export": projects.export,
        "close_project": projects.close_project,
        "quit": window.close,
        "undo": edits.undo,
        "redo": edits.redo,
        "select_all": edits.select_all,
        "select_next": edits.select_next,
        "select_previous": edits.select_previous,
        "deselect": edits.deselect,
        "delete": edits.delete,
        "change_class": lambda: _pick_class(bench, QCursor.pos()),
        "toggle_hidden": edits.toggle_hidden,
        "toggle_locked": edits.toggle_locked,
        "copy": shapes.copy,
        "paste": shapes.paste,
        "duplicate": shapes.duplicate,
        "merge": shapes.merge,
        "subtract": shapes.subtract,
        "intersect": shapes.intersect,
        "group": shapes.group,
        "ungroup": shapes.ungroup,
        "fill_holes": shapes.fill_holes,
        "smooth": shapes.smooth,
        "to_box": shapes.to_box,
        "bring_forward": shapes.bring_forward,
        "send_backward": shapes.send_backward,
        "next_image": images.next_image,
        "previous_image": images.previous_image,
        "next_open": images.next_open,
        "previous_open": images.previous_open,
        "done": images.done,
        "reopen": images.reopen,
        "find_image": window.images.focus_search,
        "run_model": model.run_on_image,
        "run_batch": model.run_batch,
        "pause_batch": model.pause_or_resume,
        "cancel_batch": model.cancel_batch,
        "accept": edits.accept,
        "reject": edits.reject,
        "accept_above": lambda: edits.accept_above(strip.thresholds.score),
        "accept_view": lambda: edits.accept_in_view(canvas.viewport.visible_box),
        "reject_below": lambda: edits.reject_below(strip.thresholds.score),
        "choose_model": model.browse,
        "models": lambda: _show_models(bench),
        "map_classes": model.map_classes,
        "compare": bench.review.compare_with_model,
        "next_doubt": bench.review.next_doubt,
        "effort": bench.review.open_effort,
        "show_failures": model.failures_wanted.emit,
        "fit": canvas.zoom_to_fit,
        "zoom_100": canvas.zoom_to_actual,
        "zoom_in": canvas.zoom_in,
        "zoom_out": canvas.zoom_out,
        "zoom_selection": canvas.zoom_to_selection,
        "cycle_labels": view.cycle_labels,
        "toggle_chrome": window.toggle_chrome,
        "toggle_theme": view.toggle_theme,
        "reset_layout": window.reset_layout,
        "display": bench.canvas_options.open_display,
        "palette": view.open_palette,
        "key_sheet": view.open_key_sheet,
        "keys": view.open_keys,
        "about": view.open_about,
    }
    slots |= {f"class_{digit}": partial(edits.set_category_by_digit, digit) for digit in range(1, 10)}
    slots |= {f"tool_{tool_id}": partial(view.use_tool, tool_id) for tool_id in TOOLS}
    window.actions_table.connect(slots)


def _wire_session(bench: "Workbench") -> None:
    session, window, canvas = bench.session, bench.window, bench.window.canvas
    canvas.context.allocate_id = session.new_instance_id
    canvas.change_requested.connect(session.edit)
    canvas.selection_requested.connect(session.select)
    canvas.context_menu_requested.connect(bench.menu.open)
    session.selection_changed.connect(canvas.set_selection)
    session.document_changed.connect(window.instances.apply_change)
    session.document_replaced.connect(window.instances.set_document)
    session.selection_changed.connect(window.instances.set_selection)
    session.categories_changed.connect(lambda categories: _on_categories(bench, categories))
    session.current_category_changed.connect(window.categories.set_current)
    session.current_category_changed.connect(lambda id_: canvas.set_category(id_ or None))
    session.document_replaced.connect(lambda document: _on_document(bench, document))
    session.document_changed.connect(lambda _change, document: _on_document(bench, document))
    session.image_changed.connect(lambda image: _on_image(bench, image))
    session.record_changed.connect(bench.changed_records.note)
    bench.changed_records.gathered.connect(lambda image_ids: _on_records(bench, image_ids))
    session.project_changed.connect(lambda project: _on_project(bench, project))
    session.history_changed.connect(lambda: _on_history(bench))
    bench.history_timer.timeout.connect(session.read_history)
    _on_history(bench)
    _enable(bench, has_project=False)


def _wire_panels(bench: "Workbench") -> None:
    session, window, edits = bench.session, bench.window, bench.edits
    window.images.image_chosen.connect(session.show_image)
    window.instances.selection_requested.connect(session.select)
    window.instances.visibility_requested.connect(edits.set_visible)
    window.instances.category_requested.connect(lambda: _pick_class(bench, QCursor.pos()))
    classes = window.categories
    classes.category_chosen.connect(session.set_current_category)
    classes.category_applied.connect(edits.set_category)
    classes.add_requested.connect(bench.classes.add)
    classes.rename_requested.connect(bench.classes.rename)
    classes.colour_requested.connect(bench.classes.set_colour)
    window.thresholds.accept_requested.connect(edits.accept_above)
    window.thresholds.reject_requested.connect(edits.reject_below)
    window.model.browse_requested.connect(bench.model.browse)
    window.model.failures_requested.connect(bench.model.failures_wanted)
    empty = window.empty_state
    empty.folder_requested.connect(bench.projects.open_folder)
    empty.samples_requested.connect(bench.projects.open_samples)
    empty.model_requested.connect(bench.model.browse)
    bench.projects.model_dropped.connect(bench.model.choose)
    bench.projects.opened.connect(lambda: _on_opened(bench))
    bench.projects.images_added.connect(window.images.refilter)
    bench.projects.images_added.connect(lambda: _show_counts(bench))


def _wire_messages(bench: "Workbench") -> None:
    show = bench.window.toasts.show_message

    def tell_failure(what: str, error: MaskwrightError) -> None:
        show(Message.of_error(what, error))

    bench.session.failed.connect(tell_failure)
    bench.images.failed.connect(tell_failure)
    bench.classes.failed.connect(tell_failure)
    bench.mapping.failed.connect(tell_failure)
    bench.session.save_recovered.connect(lambda: show(Message("All edits are saved again")))
    bench.images.ended.connect(lambda text: show(Message(text)))
    bench.edits.told.connect(lambda text: show(Message(text, action_text="Undo", action=bench.edits.undo)))
    bench.shapes.told.connect(lambda text: show(Message(text)))
    bench.projects.told.connect(show)
    bench.model.told.connect(show)
    bench.model.failures_wanted.connect(
        lambda: _show_failures(bench, bench.model.failures(), "Images that were not pre-labelled", can_retry=True)
    )
    bench.projects.failures_wanted.connect(partial(_show_failures, bench))


def _wire_progress(bench: "Workbench") -> None:
    window, status = bench.window, bench.window.status
    window.canvas.hint_changed.connect(status.show_hint)
    window.canvas.zoom_changed.connect(status.show_zoom)
    status.zoom_clicked.connect(window.canvas.zoom_to_actual)
    status.work_clicked.connect(window.docks["Model"].raise_)
    for source in (bench.projects, bench.live, bench.review):
        source.work_changed.connect(status.show_task)
    bench.live.candidates_missing.connect(bench.model.run_on_image)
    bench.live.told.connect(window.toasts.show_message)
    bench.review.told.connect(window.toasts.show_message)
    bench.review.compared.connect(lambda: window.images.set_order("disagreement"))
    bench.model.mapping_wanted.connect(bench.mapping.open)
    bench.mapping.changed.connect(bench.live.apply_everywhere)
    bench.model.predicted.connect(lambda _result: bench.live.candidates_changed())
    bench.model.busy_changed.connect(lambda text: status.show_task(text, 0, None))
    bench.model.batch_changed.connect(window.model.set_batch)
    bench.model.batch_changed.connect(status.show_batch)
    bench.model.batch_changed.connect(lambda state, _progress: _on_batch(bench, state, _progress))


def _on_project(bench: "Workbench", project: "Project | None") -> None:
    bench.images.forget()
    bench.review.stop()
    bench.thumbnails.forget()
    bench.window.images.reset()
    bench.rows.set_project(project)
    bench.window.show_canvas(project is not None)
    name = project.name if project is not None else None
    bench.window.header.show_project(f"{name} (read only)" if project is not None and project.is_read_only else name)
    bench.window.setWindowTitle(project.name if project is not None else "Maskwright")
    _enable(bench, has_project=project is not None)
    _show_counts(bench)


def _on_opened(bench: "Workbench") -> None:
    bench.images.show_first()
    bench.window.canvas.setFocus()


def _on_image(bench: "Workbench", image: ImageRecord | None) -> None:
    bench.window.images.show_current(image.id if image is not None else None)
    bench.window.model.set_has_image(image is not None)


def _on_records(bench: "Workbench", image_ids: frozenset[int]) -> None:
    bench.rows.refresh(image_ids)
    _show_counts(bench)


def _on_document(bench: "Workbench", document: Document | None) -> None:
    proposed = sum(instance.state is InstanceState.PROPOSED for instance in document or ())
    bench.window.thresholds.set_proposal_count(proposed)
    bench.window.categories.count(document)


def _on_categories(bench: "Workbench", categories: tuple[Category, ...]) -> None:
    window = bench.window
    window.categories.set_categories(categories)
    window.categories.set_current(bench.session.current_category_id)
    window.categories.count(bench.session.document)
    window.instances.set_categories(categories)
    window.canvas.set_style(window.canvas.style_values.with_categories(categories))


def _on_history(bench: "Workbench") -> None:
    """Name the steps in the menu; those of earlier days are read when the person stays on the image."""
    table, session = bench.window.actions_table, bench.session
    if not session.is_history_known:
        table.set_enabled(("undo", "redo"), True)
        bench.history_timer.start()
        return
    for action_id, label in (("undo", session.undo_label), ("redo", session.redo_label)):
        name = action_id.capitalize()
        table[action_id].setText(f"{name} {label[0].lower()}{label[1:]}" if label else name)
        table[action_id].setEnabled(label is not None)


def _on_batch(bench: "Workbench", state: BatchState, _progress: BatchProgress) -> None:
    is_running = state in (BatchState.RUNNING, BatchState.PAUSED)
    bench.window.actions_table.set_enabled(("pause_batch", "cancel_batch"), is_running)
    bench.window.actions_table["run_batch"].setEnabled(state is BatchState.IDLE and bench.session.project is not None)


def _enable(bench: "Workbench", *, has_project: bool) -> None:
    table = bench.window.actions_table
    for action_id in table.specs:
        if action_id not in _ALWAYS:
            table[action_id].setEnabled(has_project)
    table.set_enabled(("pause_batch", "cancel_batch"), False)
    _on_history(bench)


def _show_counts(bench: "Workbench") -> None:
    if bench.session.project is not None:
        counts = bench.session.project.state_counts()
        done = counts.get(ImageState.DONE, 0) + counts.get(ImageState.EMPTY, 0)
        bench.window.header.show_counts(done, sum(counts.values()))


def _show_failures(bench: "Workbench", failures: list[Failure], title: str, *, can_retry: bool = False) -> None:
    dialog = FailuresDialog(failures, title=title, can_retry=can_retry, parent=bench.window)
    dialog.image_chosen.connect(bench.session.show_image)
    dialog.retry_requested.connect(bench.model.retry_failures)
    dialog.show()


def _show_models(bench: "Workbench") -> None:
    dialog = ModelsDialog(bench.window)
    dialog.model_chosen.connect(bench.model.choose)
    dialog.show()


def _pick_class(bench: "Workbench", at: QPoint) -> None:
    bench.view.open_class_picker(at, bench.edits.set_category, bench.classes.add_and_apply)


def _on_close(bench: "Workbench", event: QCloseEvent) -> None:
    if bench.session.project is not None and not bench.projects.may_lose_edits():
        event.ignore()
        return
    bench.window.save_layout(bench.settings)
    for dialog in bench.window.findChildren(ModelsDialog):
        dialog.close()  # ends a download
    bench.stop()
    event.accept()
