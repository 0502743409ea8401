"""The canvas widget: shows one image with its instances and feeds mouse and keys to the active tool.

It never changes a document: tools hand their `Change` to `change_requested`, and what the session makes of it comes
back through `apply_change`.
"""

from collections.abc import Callable, Collection, Mapping

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QFocusEvent, QKeyEvent, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from maskwright.document.change import Change
from maskwright.document.document import Document
from maskwright.document.spatial import is_shown
from maskwright_gui.canvas.events import cursor_shape, held_button, pointer_at
from maskwright_gui.canvas.key_pointer import KeyPointer
from maskwright_gui.canvas.style import CanvasStyle
from maskwright_gui.canvas.surface import CanvasSurface, boxes_of
from maskwright_gui.canvas.tool_keys import ToolKeys
from maskwright_gui.canvas.viewport import Box
from maskwright_gui.keymap import with_keys
from maskwright_gui.tools.context import ToolContext, ToolOptions
from maskwright_gui.tools.select import SelectTool
from maskwright_gui.tools.tool import KeyPress, Pointer, Tool

_WHEEL_NOTCH = 120.0
HIDDEN_HINT = "The objects are hidden, {toggle_objects} shows them"


class CanvasView(CanvasSurface):
    """See the module; all looks are in `CanvasStyle`, all editing in the tools."""

    change_requested = Signal(object, str)
    """(Change, label for the undo menu)"""
    selection_requested = Signal(object)
    """frozenset of instance ids"""
    cursor_moved = Signal(float, float)
    """Image pixels."""
    cursor_left = Signal()
    hint_changed = Signal(str)
    tool_changed = Signal(str)
    busy_changed = Signal(bool)
    """Whether undo is for the gesture under way."""
    class_missing = Signal()
    """What is being drawn is to be finished and has no class."""
    tool_shown = Signal()
    """What the tool shows or says may be another."""
    context_menu_requested = Signal(QPoint, object)
    """(global position, ids under the pointer, topmost first)"""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(ToolContext(self._request_change, self._request_selection), parent)
        self.context.ask_class = self.class_missing.emit
        self.setAccessibleName("Canvas")
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.settled.connect(self._report_pointer)
        self.image_changed.connect(self._report_pointer)
        self._tool: Tool = SelectTool(self.context)
        self._hint = ""
        self._was_busy = False
        self._key_pointer = KeyPointer()
        self.shown_keys: Mapping[str, str] = {}
        """{action id, or key as the tools know it: as a user reads it}"""
        self.set_tool_keys(ToolKeys())
        self._settle_timer.timeout.connect(self._hover_again)

    def set_document(self, document: Document) -> None:
        """Show another document: no selection, no running gesture."""
        self._cancel_gesture()
        self.context.selection = frozenset()
        self.context.set_document(document)
        self._tool.on_document()
        self._show_document()
        self._refresh()

    def apply_change(self, change: Change, document: Document) -> None:
        """`document` is the one shown so far after `change`."""
        self.context.apply(change, document)
        self._tool.on_document()
        self._refresh(dirty=boxes_of(change))

    def set_selection(self, ids: frozenset[int]) -> None:
        """These instances have handles."""
        if ids == self.context.selection:
            return
        self.context.selection = frozenset(ids)
        self._tool.on_document()
        self._refresh()

    def set_category(self, category_id: int | None) -> None:
        """The class of newly drawn instances."""
        self.context.category_id = category_id
        self._name_category()
        self._refresh()

    def set_style(self, style: CanvasStyle) -> None:
        """Colours, names and what is shown."""
        super().set_style(style)
        self._name_category()

    def _name_category(self) -> None:
        known = self.context.category_id
        self.context.category_name = self.style_values.name(known) if known is not None else ""

    def set_read_only(self, is_read_only: bool) -> None:
        """Whether objects can only be looked at and selected."""
        self.context.is_read_only = is_read_only
        self._refresh()

    def set_options(self, options: ToolOptions) -> None:
        """How tools behave: snapping, joining, brush."""
        self.context.options = options
        self._refresh()

    def show_objects(self, is_on: bool) -> None:
        """Off: the hint says so, and how they come back."""
        super().show_objects(is_on)
        self._refresh()

    def set_tool_keys(self, keys: ToolKeys) -> None:
        """Keys that stand for those which the tools know."""
        self._tool_keys = keys
        self.shown_keys = {**self.shown_keys, **keys.shown}
        self._refresh()

    def set_shown_keys(self, shown: Mapping[str, str]) -> None:
        """Those of the actions, for the hints: {action id: as a user reads it}."""
        self.shown_keys = {**shown, **self._tool_keys.shown}
        self._refresh()

    def set_tool(self, tool: Tool) -> None:
        """Make a tool the active one; the former one's draft is thrown away. Build it with `self.context`."""
        self._cancel_gesture()
        self._tool = tool
        self._refresh()
        self.tool_changed.emit(tool.name)

    @property
    def tool(self) -> Tool:
        """The one in use."""
        return self._tool

    def step_back(self) -> bool:
        """Undo within the running gesture; False when there is none."""
        return self._after(self._tool.step_back())

    def step_forward(self) -> bool:
        """Redo within the gesture; False when it has nothing to put back."""
        return self._after(self._tool.step_forward())

    @property
    def is_busy(self) -> bool:
        """Whether a gesture is under way."""
        return self._tool.is_busy

    def show_tool(self) -> None:
        """Something else than mouse and keys has changed the tool's draft."""
        self._refresh()

    @property
    def hint(self) -> str:
        """What the keys do in the active tool."""
        return self._hint

    def select_all(self) -> None:
        """All that is shown."""
        self.context.select(frozenset(instance.id for instance in self.context.document if is_shown(instance)))

    def place_of_selection(self) -> QPoint:
        """The middle of what is selected, widget pixels; of the canvas where that is not in view."""
        boxes = [
            self.context.document[id_].bounds_xyxy for id_ in self.context.selection if id_ in self.context.document
        ]
        if boxes:
            x1, y1, x2, y2 = boxes[0]
            place = QPointF(*self._viewport.to_screen((x1 + x2) / 2, (y1 + y2) / 2)).toPoint()
            if self.rect().contains(place):
                return place
        return self.rect().center()

    def _cancel_gesture(self) -> None:
        self._tool.cancel()
        self._key_pointer.forget_button()

    def _hover_again(self) -> None:
        """After zooming by keys the resting pointer is over something else."""
        if self._pointer is not None and not self._tool.is_busy and not self.is_panning:
            self._tool.on_move(pointer_at(QPointF(self._pointer), self._viewport))
            self._refresh()

    def _report_pointer(self) -> None:
        """Another pixel may lie below a pointer that has not moved."""
        if self._pointer is not None:
            self.cursor_moved.emit(*self._viewport.to_image(self._pointer.x(), self._pointer.y()))

    def _request_change(self, change: Change, label: str) -> None:
        self.change_requested.emit(change, label)

    def _request_selection(self, ids: frozenset[int]) -> None:
        self.selection_requested.emit(ids)

    def _refresh(self, dirty: Collection[Box] = ()) -> None:
        """After anything that may change what the tool shows or says."""
        self._show_overlay(self._tool.overlay(), dirty)
        hint = self._tool.hint if self.shows_objects else f"{HIDDEN_HINT} · {self._tool.hint}"
        named = self._key_pointer.hint(hint, has_ring=self._has_focus_ring)
        hint = with_keys(named, self.shown_keys)
        if hint != self._hint:
            self._hint = hint
            self.hint_changed.emit(hint)
        shape = cursor_shape(self._tool.cursor)
        if not self.is_panning and self.cursor().shape() != shape:
            self.setCursor(shape)
        if self._tool.is_busy != self._was_busy:
            self._was_busy = self._tool.is_busy
            self.busy_changed.emit(self._was_busy)
        self.tool_shown.emit()

    def _after(self, is_used: bool) -> bool:
        if is_used:
            self._refresh()
        return is_used

    def _use_tool_at(self, event: QMouseEvent, handler: Callable[[Pointer], None], *, is_double: bool = False) -> None:
        place, button = event.position(), held_button(event)
        handler(pointer_at(place, self._viewport, event.modifiers(), button=button, is_double=is_double))
        self._refresh()
        event.accept()

    def _ask_for_menu(self, place: QPointF) -> None:
        x, y = self._viewport.to_image(place.x(), place.y())
        stack = tuple(self.context.index.at(x, y, tolerance=2 / self.zoom))
        self.context_menu_requested.emit(self.mapToGlobal(place).toPoint(), stack)

    def _use_key_pointer(self, key: KeyPress) -> None:
        """Arrows, Insert and Home stand for the mouse."""
        known, start = self._key_pointer, QPointF(self._pointer or self.rect().center())
        if known.is_move(key):
            self._set_viewport(known.moved(key, start, self._viewport))
            self._tool.on_move(known.pointer(self._viewport))
        else:
            known.press(key, start, self._viewport, self._tool)
        if known.place is not None:
            self._point_at(known.place.toPoint(), is_by_keys=True)
        self._report_pointer()
        self._refresh()

    # Qt

    def mousePressEvent(self, event: QMouseEvent) -> None:
        super().mousePressEvent(event)
        if self.is_panning:
            return
        self._key_pointer.let_go(self._viewport, self._tool)
        if event.button() is Qt.MouseButton.RightButton and not self._tool.is_busy:
            self._ask_for_menu(event.position())
            return
        self._use_tool_at(event, self._tool.on_press)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self._use_tool_at(event, self._tool.on_press, is_double=True)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._key_pointer.is_down:  # a mouse that is touched by chance does not disturb the keys' drag
            return
        self._key_pointer.place = None
        self._point_at(event.position().toPoint())
        self.cursor_moved.emit(*self._viewport.to_image(event.position().x(), event.position().y()))
        if self.is_panning:
            super().mouseMoveEvent(event)
        else:
            self._use_tool_at(event, self._tool.on_move)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self.is_panning:
            super().mouseReleaseEvent(event)
        else:
            self._use_tool_at(event, self._tool.on_release)

    def wheelEvent(self, event: QWheelEvent) -> None:
        pointer = pointer_at(event.position(), self._viewport, event.modifiers())
        if self._tool.on_wheel(pointer, event.angleDelta().y() / _WHEEL_NOTCH):
            self._refresh()
            event.accept()
        else:
            super().wheelEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, pointer = self._tool_keys.key_of(event), self._key_pointer
        if pointer.comes_first(key):
            self._use_key_pointer(key)
        elif self._tool.on_key(key):
            pointer.after(key)
            self._refresh()
            event.accept()
        elif pointer.is_for_pointer(key):
            self._use_key_pointer(key)
        else:
            pointer.after(key)
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        # the mouse has had its menu by now: of what is under the press
        if event.reason() is QContextMenuEvent.Reason.Keyboard and not self._tool.is_busy:
            self._ask_for_menu(self._key_pointer.place or QPointF(self.place_of_selection()))

    def event(self, event: QEvent) -> bool:
        is_override = event.type() == QEvent.Type.ShortcutOverride
        # keys of the running gesture come before the window's shortcuts
        if is_override and isinstance(event, QKeyEvent) and self._tool.wants_key(self._tool_keys.key_of(event)):
            event.accept()
            return True
        return super().event(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        by_keys = (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason, Qt.FocusReason.ShortcutFocusReason)
        self._show_focus(event.reason() in by_keys)
        self._refresh()
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._show_focus(False)
        self._refresh()
        super().focusOutEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self._point_at(None)
        self.cursor_left.emit()
        super().leaveEvent(event)
