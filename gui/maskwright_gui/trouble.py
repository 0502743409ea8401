"""What the window says while folders hang and edits cannot be saved, and what it takes up again afterwards."""

import logging
import sys
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from maskwright.errors import IN_THE_LOG, UNEXPECTED, MaskwrightError
from maskwright_gui.messages import Message
from maskwright_gui.saving import Saving
from maskwright_gui.session import NOT_SAVED, NOT_SHOWN
from maskwright_gui.workers.lane import NoAnswerError

if TYPE_CHECKING:
    from maskwright_gui.app import Workbench

log = logging.getLogger(__name__)

HANGS = "The project's folder does not answer"
IMAGES_HANG = "The image folder does not answer"
OTHER_HANGS = "A folder does not answer"


def wire_trouble(bench: "Workbench") -> None:
    watch, header = bench.watch, bench.window.header
    watch.changed.connect(partial(show_saving, bench))
    watch.hung.connect(partial(on_hung, bench))
    watch.answered.connect(partial(on_answered, bench))
    watch.saved.connect(partial(on_saved, bench))
    bench.session.image_changed.connect(lambda _image: bench.window.toasts.withdraw(NOT_SHOWN))
    header.trouble_clicked.connect(partial(on_trouble_clicked, bench))


def show_saving(bench: "Workbench", state: Saving) -> None:
    bench.window.header.show_trouble(state.short, state.detail)


def on_hung(bench: "Workbench", folder: Path) -> None:
    project = bench.session.project
    if project is None:
        return  # whoever opens it tells
    if folder == project.path:
        detail = f"{folder}. Go on: what you do is kept and written as soon as it answers."
        message = Message(HANGS, detail, "warning")
    elif folder == project.image_root:
        if bench.watch.state.hangs:
            return  # one word for both
        detail = f"{folder}. Images that are here already can be worked on; the others follow when it answers."
        message = Message(IMAGES_HANG, detail, "warning")
    else:
        message = Message(OTHER_HANGS, f"{folder}. What needs it waits.", "warning")
    bench.window.toasts.show_message(message)


def on_answered(bench: "Workbench", folder: Path) -> None:
    bench.window.toasts.withdraw(HANGS, IMAGES_HANG, OTHER_HANGS, NOT_SHOWN)
    project = bench.session.project
    if project is None or folder not in (project.path, project.image_root):
        return
    if not bench.session.unsaved_edits:
        bench.window.toasts.show_message(Message("The folder answers again", f"{folder}."))
    bench.session.go_on()
    bench.window.images.refilter()
    bench.images.go_on()


def on_saved(bench: "Workbench") -> None:
    bench.window.toasts.withdraw(NOT_SAVED, HANGS)
    bench.window.toasts.show_message(Message("All edits are saved again"))


def on_trouble_clicked(bench: "Workbench") -> None:
    """Try at once, and say what is the matter."""
    bench.session.try_again()
    state = bench.watch.state
    bench.window.toasts.show_message(Message(state.short, state.detail, "warning"))


class Faults(QObject):
    """The last border: what no slot has caught is told and logged, and the window goes on."""

    _told = Signal(object)
    """Message; from whatever thread it comes."""

    def __init__(self, bench: "Workbench") -> None:
        super().__init__(bench.window)
        self._told.connect(bench.window.toasts.show_message)

    def install(self) -> None:
        sys.excepthook = self.on_exception

    def on_exception(self, kind: type[BaseException], fault: BaseException, trace: TracebackType | None) -> None:
        if isinstance(fault, NoAnswerError):
            log.info("%s", fault)
            self._told.emit(Message(HANGS, f"{fault.path}. Some things have to wait until it does.", "warning"))
        elif isinstance(fault, MaskwrightError):
            self._told.emit(Message.of_error("That did not work", fault))
        elif not issubclass(kind, Exception):
            sys.__excepthook__(kind, fault, trace)
        else:
            log.error("unexpected fault", exc_info=(kind, fault, trace))
            detail = f"What was saved stays saved; {IN_THE_LOG}."
            self._told.emit(Message(f"{UNEXPECTED[0].upper()}{UNEXPECTED[1:]}", detail, "error"))
