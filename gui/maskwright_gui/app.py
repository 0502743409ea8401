"""Puts the window together: the only file that knows everybody."""

import gc
import logging
import os
import sys
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QLibraryInfo, QSettings, Qt, QTimer
from PySide6.QtWidgets import QApplication

from maskwright_gui.activity import Activity
from maskwright_gui.commands.batch import BatchCommands
from maskwright_gui.commands.canvas_options import CanvasOptions
from maskwright_gui.commands.classes import ClassCommands
from maskwright_gui.commands.context_menu import ContextMenu
from maskwright_gui.commands.data_set import DataSetCommands
from maskwright_gui.commands.drawn_class import DrawnClass
from maskwright_gui.commands.editing import EditCommands
from maskwright_gui.commands.exchange import ExchangeCommands
from maskwright_gui.commands.gathering import Gatherer
from maskwright_gui.commands.images import ImageCommands
from maskwright_gui.commands.live_thresholds import LiveThresholds
from maskwright_gui.commands.mapping import MappingCommands
from maskwright_gui.commands.marks import ReviewMarks
from maskwright_gui.commands.model import ModelCommands
from maskwright_gui.commands.panel_focus import PanelFocus
from maskwright_gui.commands.projects import ProjectCommands
from maskwright_gui.commands.relocating import RelocateCommands
from maskwright_gui.commands.review import ReviewCommands
from maskwright_gui.commands.view import ViewCommands
from maskwright_gui.feature import Context, Feature
from maskwright_gui.features.point.feature import PointFeature
from maskwright_gui.features.set_aside.feature import AsideFeature
from maskwright_gui.features.shapes.feature import ShapesFeature
from maskwright_gui.features.tools.feature import ToolsFeature
from maskwright_gui.focus_ring import FocusRing
from maskwright_gui.later import Later
from maskwright_gui.main_window import MainWindow
from maskwright_gui.panels.image_model import ImageListModel
from maskwright_gui.remaining_actions import REMAINING
from maskwright_gui.saving import SavingWatch
from maskwright_gui.session import Session
from maskwright_gui.trouble import Faults
from maskwright_gui.wiring import wire
from maskwright_gui.workers.ending import left_behind
from maskwright_gui.workers.images import ImageLoader
from maskwright_gui.workers.inference import InferenceThread, Loader, load_choice
from maskwright_gui.workers.preview import PreviewThread
from maskwright_gui.workers.thumbnails import ThumbnailLoader

log = logging.getLogger(__name__)

F = TypeVar("F", bound=Feature)
SWITCH_INTERVAL_S = 0.0001
"""How long a worker keeps the interpreter lock while the GUI thread waits. On two quiet cores it makes no difference to
Python's own 5 ms (a GUI timer is 6 ms late during a batch, p95); where other programs want the cores too, it does
(0.5 ms: 11, 0.1 ms: 7; `tests/benchmarks/bench_gui_latency.py`)."""
HISTORY_AFTER_MS = 150


def run(path: Path | None = None) -> int:
    """Open the window on a folder, a project or nothing, and return the exit code when it is closed."""
    use_own_qt_plugins()
    application = make_application(sys.argv)
    workbench = Workbench(QSettings())
    Faults(workbench).install()
    workbench.window.show()
    spare_collector(workbench)
    if path is not None:
        QTimer.singleShot(0, workbench.window, lambda: workbench.projects.open_path(path))
    code = application.exec()
    workbench.stop()
    if left_behind():
        # They hang in calls that nothing can interrupt. All that should be saved is, or is in a rescue copy.
        workbench.settings.sync()
        logging.shutdown()
        os._exit(code)
    return code


def spare_collector(workbench: "Workbench") -> None:
    """What libraries made when they were loaded stays anyway: Python's collector need not look through it again.

    Each time it did the window stood still, for 30 to 90 ms. Inference loads its libraries with the first prediction.
    """
    gc.freeze()
    workbench.model.predicted.connect(lambda *_: gc.freeze(), Qt.ConnectionType.SingleShotConnection)


def make_application(arguments: list[str]) -> QApplication:
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    QApplication.setOrganizationName("maskwright")
    QApplication.setApplicationName("maskwright")
    QApplication.setApplicationDisplayName("Maskwright")
    return QApplication(arguments)


def use_own_qt_plugins() -> None:
    """Undo what the full opencv-python does at import: it points Qt at its own Qt 5 plugins, which cannot be loaded."""
    own = Path(QLibraryInfo.path(QLibraryInfo.LibraryPath.PluginsPath)).resolve()
    for name in ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_PLUGIN_PATH"):
        if "cv2" in Path(os.environ.get(name, "")).parts:
            log.info("%s points to OpenCV's Qt; using %s", name, own)
            del os.environ[name]


class Workbench:
    """The window with its session, its threads and its commands."""

    def __init__(self, settings: QSettings, *, load: Loader = load_choice) -> None:
        self.settings = settings
        self.session = Session()
        self.watch = SavingWatch(self.session, self.session)
        self.activity = Activity(self.session)
        self.loader = ImageLoader()
        self.thumbnails = ThumbnailLoader()
        self.inference = InferenceThread(load=load, decoded=self.loader.decoded)
        self.preview = PreviewThread()
        self.rows = ImageListModel(self.thumbnails)
        self.changed_records = Gatherer()
        self.history_timer = QTimer(self.session)
        self.history_timer.setSingleShot(True)
        self.history_timer.setInterval(HISTORY_AFTER_MS)
        self.window = window = MainWindow(self.rows)
        window.actions_table.add(REMAINING)
        context = Context(self.session, window, settings)
        self._features: list[Feature] = []
        self.later = Later(window)
        self.edits = EditCommands(self.session, window)
        self.drawn_class = DrawnClass(
            self.session, window.canvas, self.edits, window.actions_table["toggle_ask_class"], settings
        )
        self.classes = ClassCommands(self.session, self.edits, window)
        self.images = ImageCommands(self.session, window.canvas, self.rows, self.loader, window)
        self.projects = ProjectCommands(self.session, self.watch, window)
        self.model = ModelCommands(self.session, window.model, window.thresholds, self.inference, settings, window)
        self.batch = BatchCommands(self.session, self.model, window.model, self.inference, window)
        self.live = LiveThresholds(self.session, window.canvas, window.thresholds, self.preview, window)
        self.exchange = ExchangeCommands(self.session, self.watch, window)
        self.data_set = DataSetCommands(self.session, window)
        self.relocating = RelocateCommands(self.session, window)
        self.mapping = MappingCommands(self.session, window)
        self.review = ReviewCommands(self.session, window)
        self.marks = ReviewMarks(self.session, window.canvas, self.rows, window)
        self.view = ViewCommands(window, self.session, settings, window)
        self.panels = PanelFocus(window)
        self.focus_ring = FocusRing(window)
        self.menu = ContextMenu(self.session, self.edits, window.actions_table, window)
        self.canvas_options = CanvasOptions(window.canvas, window.actions_table, self.session, settings, window)
        add = self._add
        self.tools = add(ToolsFeature(context))
        self.point = add(PointFeature(context, self.tools, self.loader))
        self.shapes = add(ShapesFeature(context, self.images))
        self.aside = add(AsideFeature(context, self.projects, self.watch))
        wire(self)
        window.header.add_button(window.actions_table["palette"], has_text=True)
        window.header.add_button(window.actions_table["toggle_theme"])
        window.complete()
        self.view.restore()
        self.tools.use("select")
        window.restore_layout(settings)
        window.show_canvas(False)
        for thread in (self.loader, self.thumbnails, self.inference, self.preview):
            thread.start()

    def _add(self, feature: F) -> F:
        self._features.append(feature)
        return feature

    def stop(self) -> None:
        """End the threads; whatever runs is cancelled, whatever was edited is written."""
        for feature in self._features:
            feature.stop()
        self.projects.stop()
        self.live.stop()
        self.review.stop()
        self.exchange.stop()
        self.classes.stop()
        self.data_set.stop()
        self.relocating.stop()
        self.rows.stop()
        self.preview.stop()
        self.inference.stop()
        self.loader.stop()
        self.thumbnails.stop()
        self.session.close_project()
