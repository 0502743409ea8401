"""The last border: what no slot has caught is told and logged, and the window goes on."""

import logging
import sys
from types import TracebackType

from PySide6.QtCore import QObject, Signal

from maskwright.errors import IN_THE_LOG, UNEXPECTED, MaskwrightError
from maskwright_gui.features.saving.feature import HANGS
from maskwright_gui.messages import Message, Toasts
from maskwright_gui.workers.lane import NoAnswerError

log = logging.getLogger(__name__)


class ErrorReport(QObject):
    """Python calls it for what nobody caught, from whatever thread."""

    _told = Signal(object)
    """Message."""

    def __init__(self, toasts: Toasts) -> None:
        super().__init__(toasts)
        self._told.connect(toasts.show_message)

    def install(self) -> None:
        sys.excepthook = self.on_exception

    def on_exception(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if isinstance(error, NoAnswerError):
            log.info("%s", error)
            self._told.emit(Message(HANGS, f"{error.path}. Some things have to wait until it does.", "warning"))
        elif isinstance(error, MaskwrightError):
            self._told.emit(Message.of_error("That did not work", error))
        elif not issubclass(kind, Exception):
            sys.__excepthook__(kind, error, trace)
        else:
            log.error("unexpected error", exc_info=(kind, error, trace))
            detail = f"What was saved stays saved; {IN_THE_LOG}."
            self._told.emit(Message(f"{UNEXPECTED[0].upper()}{UNEXPECTED[1:]}", detail, "error"))
