"""Who hears whom: connects session, window, commands and threads of a workbench, and decides nothing else."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtGui import QCursor

from maskwright.errors import MaskwrightError
from maskwright_gui import reactions
from maskwright_gui.commands.space_key import SpaceTap
from maskwright_gui.messages import Message
from maskwright_gui.reactions import show_objects
from maskwright_gui.repetition import UnmarkedRepetition
from maskwright_gui.trouble import wire_trouble

SCORE_STEP = 0.05
"""Of the keys that raise and lower the score."""

if TYPE_CHECKING:
    from maskwright_gui.app import Workbench


def wire(bench: "Workbench") -> None:
    """Connect everything once, before the window is shown."""
    _wire_actions(bench)
    _wire_session(bench)
    _wire_panels(bench)
    _wire_messages(bench)
    _wire_progress(bench)
    wire_trouble(bench)
    window = bench.window
    window.path_dropped.connect(bench.projects.open_path)
    window.close_requested.connect(lambda event: reactions.on_close(bench, event))
    SpaceTap(window.canvas, bench.images.done)
    UnmarkedRepetition(window, window.actions_table.happens_once)


def _wire_actions(bench: "Workbench") -> None:
    edits, images, projects, model, view = bench.edits, bench.images, bench.projects, bench.model, bench.view
    window, canvas, strip = bench.window, bench.window.canvas, bench.window.thresholds
    panels = bench.panels
    slots: dict[str, Callable[[], object]] = {
        "open_folder": projects.open_folder,
        "open_project": projects.open_folder,
        "open_samples": projects.open_samples,
        "save": projects.save,
        "export": bench.exchange.open_export,
        "check": bench.exchange.check,
        "import": bench.exchange.import_annotations,
        "locate": bench.relocating.locate,
        "close_project": projects.close_project,
        "quit": window.close,
        "undo": lambda: reactions.undo(bench),
        "redo": lambda: reactions.redo(bench),
        "select_all": edits.select_all,
        "select_next": edits.select_next,
        "select_previous": edits.select_previous,
        "deselect": edits.deselect,
        "delete": edits.delete,
        "change_class": lambda: reactions.pick_class(bench, view.place_for_popup()),
        "toggle_hidden": edits.toggle_hidden,
        "toggle_locked": edits.toggle_locked,
        "next_image": images.next_image,
        "previous_image": images.previous_image,
        "next_open": images.next_open,
        "previous_open": images.previous_open,
        "done": images.done,
        "reopen": images.reopen,
        "find_image": window.find_image,
        "run_model": model.run_on_image,
        "run_batch": bench.batch.run,
        "pause_batch": bench.batch.pause_or_resume,
        "cancel_batch": bench.batch.cancel,
        "accept": lambda: reactions.accept(bench),
        "reject": lambda: reactions.reject(bench),
        "accept_above": lambda: edits.accept_above(strip.score),
        "accept_view": lambda: edits.accept_in_view(canvas.viewport.visible_box),
        "reject_view": lambda: edits.reject_in_view(canvas.viewport.visible_box),
        "accept_class": edits.accept_class,
        "reject_class": edits.reject_class,
        "reject_below": lambda: edits.reject_below(strip.score),
        "propose_again": edits.propose_again,
        "score_up": lambda: strip.step_score(SCORE_STEP),
        "score_down": lambda: strip.step_score(-SCORE_STEP),
        "choose_model": model.browse,
        "models": lambda: reactions.show_models(bench),
        "map_classes": model.map_classes,
        "compare": bench.review.compare_with_model,
        "next_doubt": bench.marks.next_place,
        "data_set": lambda: bench.data_set.open(view.theme),
        "history": bench.review.open_history,
        "effort": bench.review.open_effort,
        "show_failures": bench.batch.failures_wanted.emit,
        "fit": canvas.zoom_to_fit,
        "zoom_100": canvas.zoom_to_actual,
        "zoom_in": canvas.zoom_in,
        "zoom_out": canvas.zoom_out,
        "zoom_selection": canvas.zoom_to_selection,
        "cycle_labels": view.cycle_labels,
        "cycle_fill": bench.canvas_options.cycle_fill,
        "toggle_chrome": window.toggle_chrome,
        "next_panel": panels.next,
        "previous_panel": panels.previous,
        "toggle_theme": view.toggle_theme,
        "reset_layout": window.reset_layout,
        "display": bench.canvas_options.open_display,
        "palette": view.open_palette,
        "key_sheet": view.open_key_sheet,
        "keys": view.open_keys,
        "about": view.open_about,
    }
    slots |= {f"class_{digit}": partial(bench.drawn_class.choose_by_digit, digit) for digit in range(1, 10)}
    window.actions_table.connect_slots(slots)


def _wire_session(bench: "Workbench") -> None:
    session, window, canvas = bench.session, bench.window, bench.window.canvas
    canvas.context.allocate_id = session.new_instance_id
    session.take_gesture = bench.activity.take
    canvas.change_requested.connect(session.edit)
    canvas.selection_requested.connect(session.select)
    canvas.context_menu_requested.connect(bench.menu.open)
    session.selection_changed.connect(canvas.set_selection)
    session.document_changed.connect(partial(reactions.on_document_changed, bench))
    session.document_replaced.connect(lambda _document: bench.later.put("objects", partial(show_objects, bench)))
    session.selection_changed.connect(partial(reactions.on_selection, bench))
    session.categories_changed.connect(lambda categories: reactions.on_categories(bench, categories))
    session.current_category_changed.connect(window.categories.set_current)
    session.current_category_changed.connect(lambda id_: canvas.set_category(id_ or None))
    session.image_changed.connect(lambda image: reactions.on_image(bench, image))
    session.record_changed.connect(bench.changed_records.note)
    bench.changed_records.gathered.connect(lambda image_ids: reactions.on_records(bench, image_ids))
    session.project_changed.connect(lambda project: reactions.on_project(bench, project))
    session.project_changed.connect(lambda _project: window.toasts.drop_of_project())
    session.history_changed.connect(lambda: reactions.on_history(bench))
    bench.history_timer.timeout.connect(session.read_history)
    canvas.busy_changed.connect(lambda _is_busy: reactions.on_history(bench))
    reactions.on_history(bench)
    window.actions_table.refresh(session)


def _wire_panels(bench: "Workbench") -> None:
    session, window, edits = bench.session, bench.window, bench.edits
    window.images.image_chosen.connect(session.show_image)
    window.instances.selection_requested.connect(session.select)
    for chosen in (window.instances.selection_requested, edits.stepped):
        chosen.connect(window.canvas.show_instances)
    window.instances.visibility_requested.connect(edits.set_visible)
    window.instances.category_requested.connect(lambda: reactions.pick_class(bench, QCursor.pos()))
    classes = window.categories
    classes.category_chosen.connect(session.set_current_category)
    classes.category_applied.connect(edits.set_category)
    classes.add_requested.connect(bench.classes.add)
    classes.rename_requested.connect(bench.classes.rename)
    classes.colour_requested.connect(bench.classes.set_colour)
    classes.key_requested.connect(bench.classes.set_key)
    classes.merge_requested.connect(bench.classes.merge)
    classes.merge_undone.connect(bench.classes.undo_merge)
    bench.classes.merged.connect(window.images.refilter)
    bench.classes.merged.connect(bench.preview.forget)
    window.thresholds.accept_requested.connect(edits.accept_above)
    window.thresholds.reject_requested.connect(edits.reject_below)
    window.model.browse_requested.connect(bench.model.browse)
    window.model.failures_requested.connect(bench.batch.failures_wanted)
    empty = window.empty_state
    empty.folder_requested.connect(bench.projects.open_folder)
    empty.samples_requested.connect(bench.projects.open_samples)
    empty.model_requested.connect(bench.model.browse)
    bench.projects.model_dropped.connect(bench.model.choose)
    bench.projects.opened.connect(lambda: reactions.on_opened(bench))
    bench.projects.images_added.connect(window.images.refilter)
    bench.projects.images_added.connect(lambda: reactions.show_counts(bench))


def _wire_messages(bench: "Workbench") -> None:
    show = bench.window.toasts.show_message

    def tell_failure(what: str, error: MaskwrightError) -> None:
        show(Message.of_error(what, error))

    bench.session.failed.connect(tell_failure)
    bench.rows.failed.connect(tell_failure)
    bench.images.failed.connect(bench.relocating.tell_failure)
    bench.relocating.told.connect(show)
    bench.relocating.next_wanted.connect(bench.images.next_image)
    bench.projects.images_missing.connect(bench.relocating.tell_missing)
    bench.relocating.located.connect(lambda: reactions.on_located(bench))
    bench.classes.failed.connect(tell_failure)
    bench.mapping.failed.connect(tell_failure)
    bench.session.image_changed.connect(lambda _image: bench.window.toasts.drop_of_image())
    bench.images.left_open.connect(lambda image_id, count: show(reactions.left_open(bench, image_id, count)))
    bench.images.list_ended.connect(lambda count: show(reactions.end_of_list(bench, count)))
    bench.images.ended.connect(lambda text: show(Message(text)))
    bench.edits.told.connect(show)
    bench.edits.refused.connect(lambda text: show(Message(text)))
    bench.projects.told.connect(show)
    bench.classes.told.connect(show)
    bench.model.told.connect(show)
    bench.batch.told.connect(show)
    bench.model.failures_wanted.connect(bench.batch.failures_wanted)
    bench.batch.failures_wanted.connect(
        lambda: reactions.show_failures(
            bench, bench.batch.failures(), "Images that were not pre-labelled", can_retry=True
        )
    )
    bench.projects.failures_wanted.connect(partial(reactions.show_failures, bench))


def _wire_progress(bench: "Workbench") -> None:
    window, status = bench.window, bench.window.status
    window.canvas.hint_changed.connect(status.show_hint)
    status.show_hint(window.canvas.hint)
    window.canvas.zoom_changed.connect(status.show_zoom)
    status.zoom_clicked.connect(window.canvas.zoom_to_actual)
    status.work_clicked.connect(window.docks["Model"].raise_)
    bench.loader.loaded.connect(bench.thumbnails.offer)
    for source in (
        bench.images,
        bench.projects,
        bench.classes,
        bench.live,
        bench.review,
        bench.exchange,
        bench.data_set,
    ):
        source.work_changed.connect(partial(status.show_task, type(source).__name__))
    bench.live.candidates_missing.connect(bench.model.run_on_image)
    bench.live.told.connect(window.toasts.show_message)
    bench.exchange.told.connect(window.toasts.show_message)
    bench.exchange.place_chosen.connect(partial(reactions.go_to, bench))
    bench.exchange.taken_in.connect(lambda: reactions.on_taken_in(bench))
    bench.view.theme_changed.connect(bench.data_set.set_theme)
    bench.data_set.told.connect(window.toasts.show_message)
    bench.review.told.connect(window.toasts.show_message)
    bench.marks.told.connect(window.toasts.show_message)
    window.images.order_changed.connect(lambda _order: bench.marks.reload())
    bench.live.doubts_changed.connect(partial(reactions.on_doubts, bench))
    bench.live.applied_everywhere.connect(lambda: reactions.on_applied(bench))
    bench.review.compared.connect(lambda: window.images.set_order("disagreement"))
    bench.model.models_wanted.connect(lambda: reactions.show_models(bench))
    bench.drawn_class.asked.connect(lambda: reactions.pick_class(bench, bench.view.place_for_popup()))
    bench.tools.class_missing.connect(lambda: reactions.ask_for_a_class(bench))
    bench.model.mapping_wanted.connect(bench.mapping.open)
    bench.mapping.changed.connect(bench.live.apply_everywhere)
    bench.model.predicted.connect(lambda _result: bench.live.candidates_changed())
    bench.inference.batch.image_ended.connect(bench.live.image_inferred)
    bench.model.busy_changed.connect(lambda text: status.show_task("model", text, 0, None))
    bench.batch.changed.connect(window.model.set_batch)
    bench.batch.changed.connect(status.show_batch)
    bench.batch.changed.connect(lambda state, _progress: reactions.on_batch(bench, state, _progress))
