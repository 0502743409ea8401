"""Puts the window together. The only module that knows every feature."""

import gc
import logging
import os
import sys
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from PySide6.QtCore import QLibraryInfo, QObject, QSettings, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QApplication

from maskwright.errors import IN_THE_LOG, UNEXPECTED, MaskwrightError
from maskwright_gui.activity import Activity
from maskwright_gui.feature import Context, Feature
from maskwright_gui.features.alike.feature import AlikeFeature
from maskwright_gui.features.batch import BatchFeature
from maskwright_gui.features.canvas_menu import CanvasMenuFeature
from maskwright_gui.features.classes.feature import ClassesFeature
from maskwright_gui.features.classes.listing import ClassListFeature
from maskwright_gui.features.comparing import ComparingFeature
from maskwright_gui.features.data_set import DataSetFeature
from maskwright_gui.features.editing import EditingFeature
from maskwright_gui.features.effort import EffortFeature
from maskwright_gui.features.exchange import ExchangeFeature
from maskwright_gui.features.help import HelpFeature
from maskwright_gui.features.history import HistoryFeature
from maskwright_gui.features.image_menu import ImageMenuFeature
from maskwright_gui.features.image_standing import ImageStandingFeature
from maskwright_gui.features.images.feature import ImagesFeature
from maskwright_gui.features.layout import LayoutFeature
from maskwright_gui.features.learn.feature import LearnFeature
from maskwright_gui.features.model.feature import ModelFeature
from maskwright_gui.features.objects import ObjectsFeature
from maskwright_gui.features.point.feature import PointFeature
from maskwright_gui.features.projects.feature import ProjectsFeature
from maskwright_gui.features.proposals import ProposalsFeature
from maskwright_gui.features.recent import RecentFeature
from maskwright_gui.features.refine import RefineFeature
from maskwright_gui.features.relocating import RelocatingFeature
from maskwright_gui.features.saving import HANGS, SavingFeature
from maskwright_gui.features.set_aside import AsideFeature
from maskwright_gui.features.shapes import ShapesFeature
from maskwright_gui.features.start import StartFeature
from maskwright_gui.features.suggest import SuggestFeature
from maskwright_gui.features.thresholds import ThresholdsFeature
from maskwright_gui.features.tools.feature import ToolsFeature
from maskwright_gui.features.tour import TourFeature
from maskwright_gui.features.uncertain import UncertainFeature
from maskwright_gui.features.view import ViewFeature
from maskwright_gui.features.wand import WandFeature
from maskwright_gui.features.wire import WireFeature
from maskwright_gui.held_key import UnmarkedRepetition
from maskwright_gui.main_window import MainWindow
from maskwright_gui.messages import Message, Toasts
from maskwright_gui.recent_projects import RecentProjects
from maskwright_gui.saving import SavingWatch
from maskwright_gui.session import Session
from maskwright_gui.workers.executor import NoAnswerError
from maskwright_gui.workers.images import ImageLoader
from maskwright_gui.workers.inference import InferenceThread, Loader, load_choice
from maskwright_gui.workers.preview import PreviewThread
from maskwright_gui.workers.thumbnails import ThumbnailLoader
from maskwright_gui.workers.worker import left_behind

log = logging.getLogger(__name__)

F = TypeVar("F", bound=Feature)
SWITCH_INTERVAL_S = 0.0001
"""How long a worker thread may hold the interpreter lock while the GUI thread waits. On two idle cores this is no
better than Python's default of 5 ms (a GUI timer is 6 ms late during a batch, p95); on busy cores it is (0.5 ms: 11,
0.1 ms: 7; `tests/benchmarks/bench_gui_latency.py`).
"""


def run(path: Path | None = None) -> int:
    """Open the window on a folder, a project or nothing; returns the exit code once the window is closed."""
    use_own_qt_plugins()
    application = make_application(sys.argv)
    workbench = Workbench(QSettings())
    ErrorReport(workbench.window.toasts).install()
    workbench.window.show()
    spare_collector(workbench)
    if path is not None:
        QTimer.singleShot(0, workbench.window, lambda: workbench.projects.open_path(path))
    code = application.exec()
    workbench.stop()
    if left_behind():
        # The remaining threads hang in calls that cannot be interrupted. Everything is saved, or in a rescue copy.
        workbench.settings.sync()
        logging.shutdown()
        os._exit(code)
    return code


def spare_collector(workbench: "Workbench") -> None:
    """Freeze the objects that imports have created, so that the garbage collector skips them.

    Each full collection stopped the window for 30 to 90 ms (300 on a busy machine). Repeated after the first model and
    the first prediction, which load more libraries.
    """
    gc.freeze()
    for loaded in (workbench.inference.model_ready, workbench.model.predicted):
        loaded.connect(lambda *_: gc.freeze(), Qt.ConnectionType.SingleShotConnection)


def make_application(arguments: list[str]) -> QApplication:
    """The QApplication, with the names under which settings are stored. Call once per process."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    QApplication.setOrganizationName("maskwright")
    QApplication.setApplicationName("maskwright")
    QApplication.setApplicationDisplayName("Maskwright")
    return QApplication(arguments)


def use_own_qt_plugins() -> None:
    """Undo what the full opencv-python does on import: it points Qt to its own Qt 5 plugins, which cannot be loaded."""
    own = Path(QLibraryInfo.path(QLibraryInfo.LibraryPath.PluginsPath)).resolve()
    for name in ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_PLUGIN_PATH"):
        if "cv2" in Path(os.environ.get(name, "")).parts:
            log.info("%s points to OpenCV's Qt; using %s", name, own)
            del os.environ[name]


class Workbench:
    """The window with its session, threads and features."""

    def __init__(self, settings: QSettings, *, load: Loader = load_choice) -> None:
        self.settings = settings
        self.session = Session()
        self.watch = SavingWatch(self.session, self.session)
        self.activity = Activity(self.session)
        self.session.take_gesture = self.activity.take
        self.loader = ImageLoader()
        self.thumbnails = ThumbnailLoader()
        self.inference = InferenceThread(load=load, decoded=self.loader.decoded)
        self.preview = PreviewThread()
        self.window = MainWindow()
        self.window.close_requested.connect(self._on_close_requested)
        UnmarkedRepetition(self.window, self.window.actions_table.happens_once)
        self._features: list[Feature] = []
        self._make_features(Context(self.session, self.window, settings))
        self._put_in_place()
        for thread in (self.loader, self.thumbnails, self.inference, self.preview):
            thread.start()

    def _make_features(self, context: Context) -> None:
        """The order is that of the panels and, within a group, of menu rows and toolbar buttons."""
        add, watch = self._add, self.watch
        recent = RecentProjects(context.settings)
        self.projects = add(ProjectsFeature(context, watch, recent))
        self.recent = add(RecentFeature(context, self.projects, recent))
        self.view = add(ViewFeature(context))
        self.images = add(ImagesFeature(context, self.projects, self.loader, self.thumbnails))
        self.image_standing = add(ImageStandingFeature(context, self.images))
        self.tools = add(ToolsFeature(context))
        self.editing = add(EditingFeature(context))
        self.objects = add(ObjectsFeature(context, self.images, self.editing))
        self.classes = add(ClassesFeature(context, self.editing, self.objects, self.tools, self.images))
        self.class_list = add(ClassListFeature(context, self.classes))
        self.shapes = add(ShapesFeature(context, self.images))
        self.thresholds = add(ThresholdsFeature(context, self.images, self.classes, self.preview))
        self.point = add(PointFeature(context, self.images, self.tools, self.thresholds, self.loader))
        self.wand = add(WandFeature(context, self.tools, self.point))
        self.wire = add(WireFeature(context, self.tools, self.point))
        self.model = add(ModelFeature(context, self.projects, self.thresholds, self.inference))
        self.batch = add(BatchFeature(context, self.projects, self.thresholds, self.model, self.inference, self.images))
        self.tour = add(TourFeature(context, self.projects))
        self.start = add(StartFeature(context, self.model, self.tools, self.tour))
        self.uncertain = add(UncertainFeature(context, self.images, self.thresholds))
        self.proposals = add(ProposalsFeature(context, self.editing, self.thresholds, self.uncertain))
        self.refine = add(RefineFeature(context, self.editing, self.point, self.thresholds))
        self.learn = add(LearnFeature(context, self.images, self.model, self.batch, self.refine))
        self.alike = add(AlikeFeature(context, self.images, self.point, self.thresholds))
        self.suggest = add(SuggestFeature(context, self.point))
        self.exchange = add(ExchangeFeature(context, watch, self.images))
        self.relocating = add(RelocatingFeature(context, self.projects, self.images, self.exchange))
        self.comparing = add(ComparingFeature(context, self.images))
        self.data_set = add(DataSetFeature(context, self.images))
        self.history = add(HistoryFeature(context))
        self.effort = add(EffortFeature(context))
        self.saving = add(SavingFeature(context, watch, self.images))
        self.aside = add(AsideFeature(context, self.projects, watch))
        self.layout = add(LayoutFeature(context))
        self.help = add(HelpFeature(context))
        self.menu = add(CanvasMenuFeature(context, self.proposals, self.objects, self.classes, self.editing))
        self.image_menu = add(ImageMenuFeature(context, self.images, self.model, self.image_standing))

    def _add(self, feature: F) -> F:
        self._features.append(feature)
        return feature

    def _put_in_place(self) -> None:
        window = self.window
        window.complete()
        window.actions_table.refresh(self.session)
        self.help.restore_keys()
        self.layout.restore()
        self.tools.use("select")
        window.show_canvas(False)

    def _on_close_requested(self, event: QCloseEvent) -> None:
        if self.session.project is not None and not self.projects.may_lose_edits():
            event.ignore()
            return
        self.window.save_layout(self.settings)
        self.window.hide()  # threads may take a moment to end
        self.stop()
        event.accept()

    def stop(self) -> None:
        """End the threads: running work is cancelled, edits are written."""
        for feature in self._features:
            feature.stop()
        for thread in (self.preview, self.inference, self.loader, self.thumbnails):
            thread.stop()
        self.session.close_project()


class ErrorReport(QObject):
    """The exception hook for uncaught exceptions, from any thread."""

    _told = Signal(object)
    """Message."""

    def __init__(self, toasts: Toasts) -> None:
        super().__init__(toasts)
        self._told.connect(toasts.show_message)

    def install(self) -> None:
        """Set as `sys.excepthook`."""
        sys.excepthook = self.on_exception

    def on_exception(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        """Log the exception and tell the user in plain words."""
        if isinstance(error, NoAnswerError):
            log.info("%s", error)
            self._told.emit(
                Message(HANGS, f"{error.path}. Whatever needs this folder waits until it answers.", "warning")
            )
        elif isinstance(error, MaskwrightError):
            self._told.emit(Message.of_error("This action failed", error))
        elif not issubclass(kind, Exception):
            sys.__excepthook__(kind, error, trace)
        else:
            log.error("unexpected error", exc_info=(kind, error, trace))
            detail = f"Everything saved so far is safe; {IN_THE_LOG}."
            self._told.emit(Message(f"{UNEXPECTED[0].upper()}{UNEXPECTED[1:]}", detail, "error"))
