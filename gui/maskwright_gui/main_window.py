"""The window: lays out header, tools, docks, canvas, threshold strip and status bar. It makes no decisions."""

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QByteArray, QMimeData, QObject, QSettings, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDragLeaveEvent, QDropEvent, QResizeEvent
from PySide6.QtWidgets import (
    QDockWidget,
    QMainWindow,
    QMenu,
    QStackedWidget,
    QToolBar,
    QToolButton,
    QWidget,
)

from maskwright.words import shown
from maskwright_gui.actions import Actions, Menu
from maskwright_gui.canvas.view import CanvasView
from maskwright_gui.messages import Toasts
from maskwright_gui.open_project import OpenProject
from maskwright_gui.panels.empty_state import EmptyState
from maskwright_gui.panels.header import Header
from maskwright_gui.panels.status import StatusBar
from maskwright_gui.panels.widgets import EscapeLeaves, Strip, leave_focus
from maskwright_gui.theme import DARK, Theme, themed_icon

LATER_MS = 15


class Later(QObject):
    """Delayed work, each piece with a name: putting it again before its time replaces it."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._works: dict[str, Callable[[], None]] = {}
        self._timer = QTimer(self, singleShot=True, interval=LATER_MS)
        self._timer.timeout.connect(self.flush)

    def put(self, name: str, work: Callable[[], None]) -> None:
        """Do `work` later. It must look up what it shows when it runs, not when it is put."""
        self._works[name] = work
        self._timer.start()

    def waits(self, name: str) -> bool:
        """Whether the work of that name is still to be done."""
        return name in self._works

    def flush(self) -> None:
        """Do all delayed work now."""
        self._timer.stop()
        works, self._works = self._works, {}
        for work in works.values():
            work()


DEFAULT_SIZE = QSize(1280, 800)
LEAST_SIZE = QSize(640, 480)
LAYOUT_VERSION = 1
_NAME_SIZE = 0.9
"""Size of the tool names, relative to the font's."""
RIGHT_PX = 192
"""Width of the panels on the right."""
NARROW_PX, LOW_PX = 900, 620
"""In a smaller window the panels give way to the canvas."""


class MainWindow(QMainWindow):
    """Canvas, header, status bar and toasts; panels and actions come from the features."""

    path_dropped = Signal(object)
    """Path of a folder, project, image or model file."""
    close_requested = Signal(QCloseEvent)
    """A listener may ignore the event to keep the window open."""
    theme_changed = Signal(object)
    """Theme."""

    def __init__(self) -> None:
        super().__init__()
        self.actions_table = Actions(self)
        self.docks: dict[str, QDockWidget] = {}
        """By title."""
        self._dock_sizes: dict[str, int] = {}
        self.later = Later(self)
        """For updates that need not be in the first frame after a step."""
        self.theme = DARK
        self.setWindowTitle("Maskwright")
        self.setAcceptDrops(True)
        self.setDockNestingEnabled(True)
        self.resize(DEFAULT_SIZE.boundedTo(self.screen().availableSize()))
        self.header = Header(self)
        self.setMenuWidget(self.header)
        self.canvas = CanvasView(self)
        self.empty_state = EmptyState(self)
        self.status = StatusBar(self)
        self.setStatusBar(self.status)
        self._stack = self._make_middle()
        self.setCentralWidget(self._stack)
        self.tools = QToolBar("Tools", self)
        self._prepare_bar(self.tools, Qt.ToolBarArea.LeftToolBarArea)
        self._strips: list[Strip] = []
        self._canvas_bars: list[QWidget] = []
        self._key_lists: list[QWidget] = [self.canvas]
        self._is_small = (False, False)
        """(narrow, low): whether panels have given way."""
        self._wants_tool_names = False
        self.setMinimumSize(LEAST_SIZE)  # otherwise that of all panels, and none could give way
        self.toasts = Toasts(self._stack)
        self.toasts.keep_clear(self.canvas.minimap)
        self._default_layout = self._roomy_layout = QByteArray()
        self._hidden_chrome: list[QWidget] = []
        self.canvas.hint_changed.connect(self.status.show_hint)
        self.status.show_hint(self.canvas.hint)
        self.canvas.navigator.zoom_changed.connect(self.status.show_zoom)
        self.status.zoom_clicked.connect(self.canvas.navigator.zoom_to_actual)

    def add_dock(
        self,
        title: str,
        panel: QWidget,
        area: Qt.DockWidgetArea,
        *,
        size_px: int,
        key_lists: Sequence[QWidget] = (),
        is_shown: bool = True,
    ) -> QDockWidget:
        """Add a panel below the existing ones in `area`, `size_px` wide on the left or high on the right.

        The canvas keys also work in the widgets `key_lists`. Unless `is_shown`, it is only listed in the View menu.
        """
        self._key_lists += key_lists
        dock = QDockWidget(title, self)
        dock.setObjectName(f"dock_{title.lower()}")
        dock.setWidget(panel)
        self.addDockWidget(area, dock)
        dock.setVisible(is_shown)
        self.docks[title], self._dock_sizes[title] = dock, size_px
        return dock

    def add_strip(self, title: str, controls: QWidget) -> Strip:
        """Add a row of controls below everything, over the whole width of the window."""
        strip = Strip(title, controls, self)
        self._prepare_bar(strip, Qt.ToolBarArea.BottomToolBarArea)
        self._strips.append(strip)
        return strip

    def add_canvas_bar(self, bar: QWidget) -> None:
        """Add controls that float over the canvas; no message covers them."""
        self._canvas_bars.append(bar)
        self.toasts.keep_clear(bar)

    @property
    def parts(self) -> tuple[QWidget, ...]:
        """The parts that the focus moves through, in order."""
        left = [dock.widget() for dock in self._docks_in(Qt.DockWidgetArea.LeftDockWidgetArea)]
        others = [dock.widget() for dock in self.docks.values() if dock.widget() not in left]
        return (self.canvas, *self._canvas_bars, *others, *self._strips, self.status, *left)

    def complete(self) -> None:
        """Lay out what depends on all features, once they have added their actions and panels."""
        self._make_menus()
        for group in self.actions_table.on_tool_bar():
            if self.tools.actions():
                self.tools.addSeparator()
            self.tools.addActions(group)
        self._make_names_small()
        self._size_docks()
        self._default_layout = self._roomy_layout = self.saveState(LAYOUT_VERSION)
        leave_focus(*(dock.widget() for dock in self.docks.values()), self.header, self.tools)
        leave_focus(*self._strips, *self._canvas_bars)
        EscapeLeaves(self.canvas).watch(*(dock.widget() for dock in self.docks.values()))
        for widget in self._key_lists:
            self.actions_table.attach(widget)

    def show_project(self, project: OpenProject | None) -> None:
        """Name the project in the header and the title; None: no project is open."""
        name = shown(project.name) if project is not None else None
        self.header.show_project(name, read_only_reason=project.read_only_reason if project is not None else None)
        self.header.show_place(f"Kept in {project.path}\nImages: {project.image_root}" if project is not None else "")
        self.setWindowTitle(name or "Maskwright")
        self.show_canvas(project is not None)

    def show_canvas(self, has_project: bool) -> None:
        """Show the canvas if a project is open, otherwise the empty state."""
        self._stack.setCurrentIndex(1 if has_project else 0)
        for dock in self.docks.values():
            dock.setEnabled(has_project)
        self.tools.setEnabled(has_project)
        self.status.set_hint_visible(has_project)
        if not has_project:
            self.empty_state.setFocus()
        for strip in self._strips:
            strip.setVisible(has_project)

    def set_theme(self, theme: Theme) -> None:
        """Pass the theme to the parts that paint themselves."""
        self.theme = theme
        self.actions_table.set_theme(theme)
        for more in self.tools.findChildren(QToolButton, "qt_toolbar_ext_button"):
            more.setIcon(themed_icon("caret-double-down", theme))  # Qt's own icon is black in both themes
            more.setToolTip("More tools")
        self.theme_changed.emit(theme)

    def show_tool_names(self, is_on: bool) -> None:
        """Show the tools' names beside their icons, for users who do not know the icons; not in a narrow window."""
        self._wants_tool_names = is_on
        is_on = is_on and not self._is_small[0]
        style = Qt.ToolButtonStyle.ToolButtonTextBesideIcon if is_on else Qt.ToolButtonStyle.ToolButtonIconOnly
        self.tools.setToolButtonStyle(style)
        buttons = [self.tools.widgetForAction(action) for action in self.tools.actions() if not action.isSeparator()]
        width = max((button.sizeHint().width() for button in buttons), default=0) if is_on else 0
        for button in buttons:  # otherwise each button would be as wide as its name, and centred
            button.setMinimumWidth(width)

    def _make_names_small(self) -> None:
        """Make the tool names as small as is readable, so that they cost the canvas little."""
        font = self.tools.font()
        font.setPointSizeF(font.pointSizeF() * _NAME_SIZE)
        for button in self.tools.findChildren(QToolButton):
            button.setFont(font)

    def toggle_chrome(self) -> None:
        """Hide everything but the canvas, or restore what was shown."""
        if self._hidden_chrome:
            has_project = self._stack.currentIndex() == 1
            for widget in (*self._hidden_chrome, *(self._strips if has_project else ())):
                widget.show()
            self._hidden_chrome = []
            return
        chrome = [*self.docks.values(), self.tools, *self._strips, self.status, self.header]
        self._hidden_chrome = [widget for widget in chrome if widget.isVisible()]
        for widget in self._hidden_chrome:
            widget.hide()

    def reset_layout(self) -> None:
        """Put all panels back to their initial places."""
        self.restoreState(self._default_layout, LAYOUT_VERSION)
        self._forget_small()

    def save_layout(self, settings: QSettings) -> None:
        """Store size, position and panels for the next start."""
        if self._hidden_chrome:  # otherwise the next start would be without panels
            self.toggle_chrome()
        self._fit_in(DEFAULT_SIZE)  # what is stored is the layout with room for all panels
        settings.setValue("window/geometry", self.saveGeometry())
        settings.setValue("window/state", self.saveState(LAYOUT_VERSION))

    def restore_layout(self, settings: QSettings) -> None:
        """Restore what `save_layout` stored, if anything."""
        if (geometry := settings.value("window/geometry")) is not None:
            self.restoreGeometry(geometry)
        if (state := settings.value("window/state")) is not None:
            self.restoreState(state, LAYOUT_VERSION)
        self._forget_small()

    def _fit_in(self, size: QSize) -> None:
        """In a narrow window hide the image list, in a low one stack the panels on the right; undo that in a larger."""
        is_small = (size.width() < NARROW_PX, size.height() < LOW_PX)
        if is_small == self._is_small:
            if not any(is_small):  # must be saved before: in the small window the panels have already shrunk
                self._roomy_layout = self.saveState(LAYOUT_VERSION)
            return
        if any(self._is_small):
            self.restoreState(self._roomy_layout, LAYOUT_VERSION)
        self._is_small = is_small
        self.show_tool_names(self._wants_tool_names)
        if is_small[0]:
            for dock in self._docks_in(Qt.DockWidgetArea.LeftDockWidgetArea):
                dock.hide()
        if is_small[1]:
            shown = [dock for dock in self._docks_in(Qt.DockWidgetArea.RightDockWidgetArea) if not dock.isHidden()]
            for dock in shown[1:]:
                self.tabifyDockWidget(shown[0], dock)
            if shown:
                shown[0].raise_()

    def _forget_small(self) -> None:
        """Another layout was restored, so there is nothing to return to."""
        self._is_small, self._roomy_layout = (False, False), self.saveState(LAYOUT_VERSION)
        self.show_tool_names(self._wants_tool_names)
        self._fit_in(self.size())

    def _make_middle(self) -> QStackedWidget:
        stack = QStackedWidget(self)
        stack.addWidget(self.empty_state)
        stack.addWidget(self.canvas)
        stack.setMinimumSize(240, 160)
        return stack

    def _prepare_bar(self, bar: QToolBar, area: Qt.ToolBarArea) -> None:
        """The threshold strip also gets a title bar, because toolbars extend below the docks, which need the width."""
        bar.setObjectName(bar.windowTitle().lower())
        bar.setMovable(False)
        bar.setIconSize(QSize(18, 18))
        bar.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.addToolBar(area, bar)

    def _docks_in(self, area: Qt.DockWidgetArea) -> list[QDockWidget]:
        return [dock for dock in self.docks.values() if self.dockWidgetArea(dock) == area]

    def _size_docks(self) -> None:
        left = self._docks_in(Qt.DockWidgetArea.LeftDockWidgetArea)
        right = [dock for dock in self._docks_in(Qt.DockWidgetArea.RightDockWidgetArea) if not dock.isHidden()]
        sizes = {dock: self._dock_sizes[title] for title, dock in self.docks.items()}
        self.resizeDocks(left, [sizes[dock] for dock in left], Qt.Orientation.Horizontal)
        self.resizeDocks(right[:1], [RIGHT_PX], Qt.Orientation.Horizontal)
        self.resizeDocks(right, [sizes[dock] for dock in right], Qt.Orientation.Vertical)

    def _make_menus(self) -> None:
        for title in Menu:
            if not title.is_on_bar:
                continue
            menu = QMenu(f"&{title}", self.header.menus)
            self.header.menus.addMenu(menu)
            submenus = self.actions_table.fill(menu, title)
            if title is Menu.VIEW:
                toggles = [dock.toggleViewAction() for dock in self.docks.values()]
                submenus["Panels"].addSeparator()
                submenus["Panels"].addActions(toggles)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if _dropped_path(event.mimeData()) is not None:
            event.acceptProposedAction()
            self.empty_state.set_drop_hover(True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.empty_state.set_drop_hover(False)

    def dropEvent(self, event: QDropEvent) -> None:
        self.empty_state.set_drop_hover(False)
        path = _dropped_path(event.mimeData())
        if path is not None:
            event.acceptProposedAction()
            self.path_dropped.emit(path)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_in(event.size())

    def closeEvent(self, event: QCloseEvent) -> None:
        self.close_requested.emit(event)


def _dropped_path(mime: QMimeData) -> Path | None:
    """The first local file or folder being dragged."""
    paths = [url.toLocalFile() for url in mime.urls() if url.isLocalFile()]
    return Path(paths[0]) if paths else None
