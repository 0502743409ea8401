"""The canvas widget: shows one image with its instances and passes mouse and keys to the active tool.

It never changes a document: tools emit their `Change` through `change_requested`, and the session's answer comes back
through `apply_change`. The `renderer` decides how it looks, the `navigator` which part of the image is shown.
"""

from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType

from PySide6.QtCore import QEvent, QPoint, QPointF, QSize, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QFocusEvent, QKeyEvent, QMouseEvent, QPaintEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from maskwright.document.change import Change
from maskwright.document.document import Document
from maskwright_gui.canvas.events import ToolKeys, cursor_shape, pointer_at, pointer_of
from maskwright_gui.canvas.key_pointer import KeyPointer
from maskwright_gui.canvas.minimap import Minimap
from maskwright_gui.canvas.navigator import WHEEL_NOTCH, Navigator
from maskwright_gui.canvas.renderer import CanvasRenderer, boxes_of
from maskwright_gui.canvas.style import CanvasStyle
from maskwright_gui.canvas.viewport import Box
from maskwright_gui.keymap import with_keys
from maskwright_gui.tools.context import ToolContext, ToolOptions
from maskwright_gui.tools.select import SelectTool
from maskwright_gui.tools.tool import KeyPress, Pointer, Tool

HIDDEN_HINT = "Objects are hidden · {toggle_objects} shows them"


class CanvasView(QWidget):
    """See the module docstring. The look is set by `CanvasStyle`; tools do all editing."""

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
    """Whether undo applies to the running gesture."""
    class_missing = Signal()
    """What is being drawn is about to be finished and has no class."""
    tool_shown = Signal()
    """What the tool shows or says may have changed."""
    context_menu_requested = Signal(QPoint, object)
    """(global position, ids under the pointer, topmost first)"""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.context = ToolContext(self.change_requested.emit, self.selection_requested.emit)
        self.navigator = Navigator(self)
        self.renderer = CanvasRenderer(self, self.context, self.navigator)
        self.minimap = Minimap(self, self.navigator)
        self.context.ask_class = self.class_missing.emit
        self.setAccessibleName("Canvas")
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.renderer.settled.connect(self._on_settled)
        self.renderer.image_changed.connect(self._on_image)
        self._tool: Tool = SelectTool(self.context)
        self._hint, self._was_busy = "", False
        self._key_pointer = KeyPointer()
        self.shown_keys: Mapping[str, str] = {}
        """{action id, or key as the tools know it: as shown to the user}"""
        self.set_keys(ToolKeys())

    def set_document(self, document: Document) -> None:
        """Show another document, without selection or running gesture."""
        self._cancel_gesture()
        self.context.selection = frozenset()
        self.context.set_document(document)
        self._tool.on_document()
        self.renderer.show_document()
        self.show_tool()

    def apply_change(self, change: Change, document: Document) -> None:
        """Show `document`, which is the current one after `change`."""
        self.context.apply(change, document)
        self._tool.on_document()
        self.show_tool(dirty=boxes_of(change))

    def set_selection(self, ids: frozenset[int]) -> None:
        """Select these instances, which then show their handles."""
        if ids == self.context.selection:
            return
        self.context.selection = frozenset(ids)
        self._tool.on_document()
        self.show_tool()

    def set_category(self, category_id: int | None) -> None:
        """Set the class of newly drawn instances."""
        self.context.category_id = category_id
        self._name_category()
        self.show_tool()

    def set_style(self, style: CanvasStyle) -> None:
        """Set colours, names and what is shown."""
        self.renderer.set_style(style)
        self._name_category()

    def _name_category(self) -> None:
        context, style = self.context, self.renderer.style
        context.category_name = style.name(context.category_id) if context.category_id is not None else ""

    def set_read_only(self, is_read_only: bool) -> None:
        """Set whether objects can only be viewed and selected."""
        self.context.is_read_only = is_read_only
        self.show_tool()

    def set_options(self, options: ToolOptions) -> None:
        """Set how tools behave: snapping, joining, brush."""
        self.context.options = options
        self.show_tool()

    def show_objects(self, is_on: bool) -> None:
        """Show or hide objects; while they are hidden, the hint says how to show them."""
        self.renderer.show_objects(is_on)
        self.show_tool()

    def set_keys(self, keys: ToolKeys, of_actions: Mapping[str, str] = MappingProxyType({})) -> None:
        """Set the keys of the tools and, for hints, those of the actions: {id: as shown to the user}."""
        self._tool_keys, self.shown_keys = keys, {**of_actions, **keys.shown}
        self.show_tool()

    def set_tool(self, tool: Tool) -> None:
        """Activate a tool built with `self.context`; the draft of the previous one is discarded."""
        self._cancel_gesture()
        self._tool = tool
        self.show_tool()
        self.tool_changed.emit(tool.name)

    @property
    def tool(self) -> Tool:
        """The active tool."""
        return self._tool

    def step_back(self) -> bool:
        """Undo within the running gesture; False if there is none."""
        return self._shown_after(self._tool.step_back())

    def step_forward(self) -> bool:
        """Redo within the gesture; False if there is nothing to redo."""
        return self._shown_after(self._tool.step_forward())

    @property
    def is_busy(self) -> bool:
        """Whether a gesture is running."""
        return self._tool.is_busy

    @property
    def hint(self) -> str:
        """What the keys do in the active tool."""
        return self._hint

    @property
    def id_under_pointer(self) -> int | None:
        """The topmost object under the pointer; None if there is none."""
        pointer = self.renderer.pointer
        return next(iter(self._ids_at(QPointF(pointer))), None) if pointer is not None else None

    def show_instances(self, ids: Collection[int]) -> None:
        """Bring instances that keys or a list have chosen into view."""
        if (box := self.context.document.bounds_of(ids)) is not None:
            self.navigator.bring_into_view(box)

    def zoom_to_selection(self) -> None:
        """Zoom until the whole selection is in view."""
        if (box := self.context.document.bounds_of(self.context.selection)) is not None:
            self.navigator.zoom_to_box(box)

    def place_of_selection(self) -> QPoint:
        """The centre of the selection in widget pixels; of the canvas if the selection is out of view."""
        if (box := self.context.document.bounds_of(self.context.selection)) is not None:
            x1, y1, x2, y2 = box
            place = QPointF(*self.navigator.viewport.to_screen((x1 + x2) / 2, (y1 + y2) / 2)).toPoint()
            if self.rect().contains(place):
                return place
        return self.rect().center()

    def _cancel_gesture(self) -> None:
        self._tool.cancel()
        self._key_pointer.forget_button()

    def _on_settled(self) -> None:
        """After zooming by keys a resting pointer is over another place."""
        self._report_pointer()
        at = self.renderer.pointer
        if at is not None and not self._tool.is_busy and not self.navigator.is_panning:
            self._tool.on_move(pointer_at(QPointF(at), self.navigator.viewport))
            self.show_tool()

    def _on_image(self) -> None:
        self.minimap.set_pyramid(self.renderer.pyramid)
        self._report_pointer()

    def _report_pointer(self) -> None:
        """Report the pixel under the pointer, which may change without a mouse move."""
        if (at := self.renderer.pointer) is not None:
            self.cursor_moved.emit(*self.navigator.viewport.to_image(at.x(), at.y()))

    def show_tool(self, dirty: Collection[Box] = ()) -> None:
        """Update whatever the tool may show or say differently now; an edit has changed what is in `dirty`."""
        self.renderer.show_overlay(self._tool.overlay(), dirty)
        hint = self._tool.hint if self.renderer.shows_objects else f"{HIDDEN_HINT} · {self._tool.hint}"
        named = self._key_pointer.hint(hint, has_ring=self.renderer.has_focus_ring)
        hint = with_keys(named, self.shown_keys)
        if hint != self._hint:
            self._hint = hint
            self.hint_changed.emit(hint)
        shape = cursor_shape(self._tool.cursor)
        if not self.navigator.is_panning and self.cursor().shape() != shape:
            self.setCursor(shape)
        if self._tool.is_busy != self._was_busy:
            self._was_busy = self._tool.is_busy
            self.busy_changed.emit(self._was_busy)
        self.tool_shown.emit()

    def _shown_after(self, is_used: bool) -> bool:
        self.show_tool()
        return is_used

    def _use_tool_at(self, event: QMouseEvent, handler: Callable[[Pointer], None], *, is_double: bool = False) -> None:
        handler(pointer_of(event, self.navigator.viewport, is_double=is_double))
        self.show_tool()
        event.accept()

    def _ask_for_menu(self, place: QPointF) -> None:
        self.context_menu_requested.emit(self.mapToGlobal(place).toPoint(), self._ids_at(place))

    def _ids_at(self, place: QPointF) -> tuple[int, ...]:
        """The objects at a place on the widget, topmost first."""
        x, y = self.navigator.viewport.to_image(place.x(), place.y())
        return tuple(self.context.index.at(x, y, tolerance=2 / self.navigator.zoom))

    def _use_key_pointer(self, key: KeyPress) -> None:
        """Let arrows, Insert and Home stand for the mouse."""
        known, start = self._key_pointer, QPointF(self.renderer.pointer or self.rect().center())
        if known.is_move(key):
            self.navigator.show(known.moved(key, start, self.navigator.viewport))
            self._tool.on_move(known.pointer(self.navigator.viewport))
        else:
            known.press(key, start, self.navigator.viewport, self._tool)
        if known.place is not None:
            self.renderer.point_at(known.place.toPoint(), is_by_keys=True)
        self._report_pointer()
        self.show_tool()

    # Qt

    def sizeHint(self) -> QSize:
        return QSize(800, 600)

    def paintEvent(self, event: QPaintEvent) -> None:
        self.renderer.paint(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.navigator.on_resize(event.size())
        self.minimap.follow()
        super().resizeEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.navigator.on_press(event)
        if self.navigator.is_panning:
            return
        self._key_pointer.let_go(self.navigator.viewport, self._tool)
        pointer = pointer_of(event, self.navigator.viewport)
        if event.button() is Qt.MouseButton.RightButton and not self._tool.takes_right_button(pointer):
            self._ask_for_menu(event.position())
            return
        self._use_tool_at(event, self._tool.on_press)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self._use_tool_at(event, self._tool.on_press, is_double=True)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._key_pointer.is_down:  # an accidental mouse move must not disturb a drag by keys
            return
        self._key_pointer.place = None
        self.renderer.point_at(event.position().toPoint())
        if self.navigator.is_panning:
            self.navigator.on_move(event)
        else:
            self._use_tool_at(event, self._tool.on_move)
        self.cursor_moved.emit(*self.navigator.viewport.to_image(event.position().x(), event.position().y()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self.navigator.is_panning:
            self.navigator.on_release(event)
        else:
            self._use_tool_at(event, self._tool.on_release)

    def wheelEvent(self, event: QWheelEvent) -> None:
        pointer = pointer_at(event.position(), self.navigator.viewport, event.modifiers())
        if self._tool.on_wheel(pointer, event.angleDelta().y() / WHEEL_NOTCH):
            self.show_tool()
            event.accept()
        else:
            self.navigator.on_wheel(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, pointer = self._tool_keys.key_of(event), self._key_pointer
        if pointer.comes_first(key):
            self._use_key_pointer(key)
        elif self._tool.on_key(key):
            pointer.after(key)
            self.show_tool()
            event.accept()
        elif pointer.is_for_pointer(key):
            self._use_key_pointer(key)
        else:
            pointer.after(key)
            self.navigator.on_key(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if not self.navigator.on_key_release(event):
            super().keyReleaseEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        # the mouse has already opened its menu, for what is under the press
        if event.reason() is QContextMenuEvent.Reason.Keyboard and not self._tool.is_busy:
            self._ask_for_menu(self._key_pointer.place or QPointF(self.place_of_selection()))

    def event(self, event: QEvent) -> bool:
        is_override = event.type() == QEvent.Type.ShortcutOverride
        # keys of the running gesture take precedence over the window's shortcuts
        if is_override and isinstance(event, QKeyEvent) and self._tool.wants_key(self._tool_keys.key_of(event)):
            event.accept()
            return True
        return super().event(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        by_keys = (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason, Qt.FocusReason.ShortcutFocusReason)
        self.renderer.show_focus(event.reason() in by_keys)
        self.show_tool()
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.renderer.show_focus(False)
        self.show_tool()
        super().focusOutEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self.renderer.point_at(None)
        self.cursor_left.emit()
        super().leaveEvent(event)
