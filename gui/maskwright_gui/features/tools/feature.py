"""Which tool is active. Every tool is an action, a radio button on the toolbar and a factory of its state machine.

Tapping a tool's key switches to it for good. Holding the key while using the mouse switches for that stroke only: most
corrections need one stroke of the brush or one line across, and then the select tool again. Escape also leads back.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QApplication

from maskwright_gui.actions import Action, Menu, a_project, may_edit
from maskwright_gui.canvas.view import CanvasView
from maskwright_gui.feature import Context, Feature
from maskwright_gui.features.tools.options import ToolSlider
from maskwright_gui.held_key import HeldKey
from maskwright_gui.keymap import Keymap, Keys
from maskwright_gui.main_window import MainWindow
from maskwright_gui.open_project import OpenProject
from maskwright_gui.panels.tool_options import ToolOptionsBar
from maskwright_gui.tools.area import ExtendTool, HoleTool, SplitTool
from maskwright_gui.tools.box import EllipseTool, RectangleTool
from maskwright_gui.tools.brush import BrushTool, EraserTool
from maskwright_gui.tools.context import ToolContext
from maskwright_gui.tools.path import PolygonTool
from maskwright_gui.tools.redraw import RedrawTool
from maskwright_gui.tools.select import SelectTool
from maskwright_gui.tools.simplify import SimplifyTool
from maskwright_gui.tools.tool import Tool

HELD_MS = 250
"""A fast typist has begun the drag before releasing the key."""
HOME = "select"
_MODIFIERS = frozenset({Qt.Key.Key_Shift, Qt.Key.Key_Control, Qt.Key.Key_Alt, Qt.Key.Key_AltGr, Qt.Key.Key_Meta})


class LentTool(QObject):
    """Switches to a tool while its key is held. `use_tool` activates a tool by id."""

    def __init__(self, window: MainWindow, canvas: CanvasView, use_tool: Callable[[str], None]) -> None:
        super().__init__(window)
        self._canvas, self._use_tool = canvas, use_tool
        self._held = HeldKey(self)
        self._held.let_go.connect(self._on_let_go)
        self._tool_before = canvas.tool.name
        """The active tool when the key was pressed."""
        self._was_used = False
        """Whether the mouse has been pressed on the canvas since."""
        self._after_stroke: str | None = None
        """The tool to go back to when the mouse button, still down, is released."""
        canvas.tool_shown.connect(self._on_tool_shown)
        canvas.installEventFilter(self)
        window.installEventFilter(self)

    @property
    def _lends(self) -> bool:
        """Whether the held key has switched the tool."""
        return self._held.key is not None and self._tool_before != self._canvas.tool.name

    def _on_key_press(self, event: QKeyEvent) -> None:
        is_other = event.key() in _MODIFIERS or (self._lends and event.key() != self._held.key)
        if not is_other and self._held.press(event):
            self._tool_before, self._was_used, self._after_stroke = self._canvas.tool.name, False, None

    def _on_let_go(self, held_ms: int) -> None:
        back = self._tool_before
        if held_ms < HELD_MS or not self._was_used or back == self._canvas.tool.name:
            return
        if not self._canvas.tool.is_busy:
            self._use_tool(back)
        elif QApplication.mouseButtons() & Qt.MouseButton.LeftButton:
            self._after_stroke = back
        # otherwise a line of many clicks would be lost

    def _on_tool_shown(self) -> None:
        back = self._after_stroke
        if back is not None and not self._canvas.tool.is_busy:
            self._after_stroke = None  # showing the other tool calls this method, too
            self._use_tool(back)

    def _is_way_home(self, event: QKeyEvent) -> bool:
        """Whether this is an Escape on the canvas that the tool did not use."""
        return event.key() == Qt.Key.Key_Escape and self._canvas.hasFocus() and self._canvas.tool.name != HOME

    # Qt

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._canvas:
            self._was_used |= isinstance(event, QMouseEvent) and event.type() == QEvent.Type.MouseButtonPress
        elif isinstance(event, QKeyEvent):
            match event.type():
                case QEvent.Type.ShortcutOverride:
                    self._on_key_press(event)
                case QEvent.Type.KeyRelease:
                    self._held.release(event)
                case QEvent.Type.KeyPress if self._is_way_home(event):
                    self._use_tool(HOME)
                    return True
        elif event.type() == QEvent.Type.WindowDeactivate:
            self._held.forget()
        return False


@dataclass(frozen=True, slots=True)
class ToolEntry:
    """A tool as the window knows it; the id of its action is "tool_" and `id`."""

    id: str
    """The `name` of the tool."""
    text: str
    short: str
    """Short name, shown beside the icon on the toolbar."""
    icon: str
    keys: Keys
    make: Callable[[ToolContext], Tool]
    words: str = ""
    presets: Keymap = field(default_factory=dict)
    makes_objects: bool = False
    """Whether its objects need a class."""
    group: int = 0
    """Group in the menu and on the toolbar."""
    is_on_bar: bool = True
    """If not, it is in the menu and the search, and has a key: at 1280 x 800 the toolbar is full."""


OWN_TOOLS = (
    ToolEntry(
        "select",
        "Select and edit",
        "Select",
        "cursor",
        ("V", "Ctrl+J"),
        SelectTool,
        words="edit move vertex pointer arrow cursor lasso",
        presets={"labelme": ("Ctrl+J",)},
    ),
    ToolEntry(
        "polygon",
        "Draw polygon",
        "Polygon",
        "polygon",
        ("P", "Ctrl+N"),
        PolygonTool,
        words="outline freehand annotate create new shape lasso pen",
        presets={"labelme": ("Ctrl+N",), "CVAT": ("N",), "ISAT": ("C",)},
        makes_objects=True,
    ),
    ToolEntry(
        "rectangle",
        "Draw rectangle",
        "Rectangle",
        "rectangle",
        ("R", "Ctrl+R"),
        RectangleTool,
        words="box bounding bbox square",
        presets={"labelme": ("Ctrl+R",), "ISAT": ("W",)},
        makes_objects=True,
    ),
    ToolEntry(
        "ellipse",
        "Draw ellipse",
        "Ellipse",
        "circle",
        ("O",),
        EllipseTool,
        words="circle oval round",
        makes_objects=True,
    ),
    ToolEntry("brush", "Brush", "Brush", "paint-brush", ("B",), BrushTool, words="paint mask", makes_objects=True),
    ToolEntry("eraser", "Eraser", "Eraser", "eraser", ("E",), EraserTool, words="rub remove"),
    ToolEntry(
        "redraw",
        "Redraw part of an outline",
        "Fix edge",
        "scribble-loop",
        ("W",),
        RedrawTool,
        words="contour border correct repair fix",
        presets={"ISAT": ("R",)},
    ),
    ToolEntry(
        "hole", "Cut an area out", "Cut area", "circle-dashed", ("Shift+P",), HoleTool, words="hole subtract inside"
    ),
    ToolEntry("extend", "Add an area", "Add area", "plus-circle", ("Shift+E",), ExtendTool, words="part grow union"),
    ToolEntry(
        "split",
        "Split along a line",
        "Split",
        "knife",
        ("K",),
        SplitTool,
        words="cut knife divide separate slice scissors",
    ),
    ToolEntry(
        "simplify",
        "Simplify",
        "Simplify",
        "line-segments",
        ("S",),
        SimplifyTool,
        words="points vertices reduce detail fewer",
        presets={"ISAT": ("Shift+S",)},
    ),
)
"""The built-in tools; features may add more."""


class ToolsFeature(Feature):
    """Which tool is active, for good or while its key is held."""

    class_missing = Signal()
    """A tool that draws objects was activated in a project without classes."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.entries: dict[str, ToolEntry] = {}
        for entry in OWN_TOOLS:
            self.add(entry)
        self.bar = ToolOptionsBar(self._canvas)
        self._window.add_canvas_bar(self.bar)
        ToolSlider(self._canvas, self.bar, self._session, self)
        LentTool(self._window, self._canvas, self.use)
        self._session.project_changed.connect(self._on_project_changed)
        self._canvas.class_missing.connect(self.class_missing)

    def add(self, entry: ToolEntry) -> None:
        """Add the tool of another feature, below the others in menu and toolbar."""
        self.entries[entry.id] = entry
        self._declare(
            Action(
                f"tool_{entry.id}",
                entry.text,
                Menu.TOOLS,
                entry.group,
                partial(self.use, entry.id),
                keys=entry.keys,
                presets=entry.presets,
                icon=entry.icon,
                is_checkable=True,
                exclusive="tool",
                words=entry.words,
                needs=a_project if entry.id == HOME else may_edit,
                tool_bar=(entry.group, entry.short) if entry.is_on_bar else None,
            )
        )

    def _on_project_changed(self, project: OpenProject | None) -> None:
        """Disable drawing in a project that is open as read-only, and say so before the user tries."""
        is_read_only = project is not None and project.is_read_only
        self._canvas.set_read_only(is_read_only)
        if is_read_only:
            self.use(HOME)

    def use(self, tool_id: str) -> None:
        """Activate a tool."""
        entry = self.entries[tool_id]
        if self._canvas.tool.name != tool_id:  # pressing its key again, or holding it, keeps the draft
            self._canvas.set_tool(entry.make(self._canvas.context))
        self._actions[f"tool_{tool_id}"].setChecked(True)
        if entry.makes_objects and self._session.project is not None and not self._session.classes.listed:
            self.class_missing.emit()
