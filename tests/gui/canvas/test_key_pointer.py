"""Every tool drags by keys: arrows are the pointer, Home holds its button down and lets it go."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QContextMenuEvent, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from canvas_support import document_of, ring_with_hole, square
from maskwright.document.change import Change
from maskwright.document.document import Document
from maskwright.geometry.algebra import to_shapely
from maskwright_gui.canvas.events import ToolKeys
from maskwright_gui.canvas.view import CanvasView
from maskwright_gui.tools.area import ExtendTool, HoleTool, SplitTool
from maskwright_gui.tools.box import EllipseTool, RectangleTool
from maskwright_gui.tools.brush import BrushTool, EraserTool
from maskwright_gui.tools.context import ToolContext, ToolOptions
from maskwright_gui.tools.path import PolygonTool
from maskwright_gui.tools.redraw import RedrawTool
from maskwright_gui.tools.tool import Tool

PLAIN, SHIFT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier
CTRL, ALT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier
LEFT, RIGHT, UP, DOWN = Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down
HOME, INSERT = Qt.Key.Key_Home, Qt.Key.Key_Insert


class Keyboard:
    """A canvas with the object 1 at (20, 40)-(80, 100), at two screen pixels per image pixel, and hands on its keys."""

    def __init__(self, qtbot, document: Document) -> None:
        self.labels: list[str] = []
        self.view = view = CanvasView()
        qtbot.addWidget(view)
        view.resize(420, 320)
        view.renderer.set_image(QImage(*document.size_wh, QImage.Format.Format_RGB32))
        view.set_document(document)
        view.set_options(ToolOptions(snaps=False, brush_radius=6.0))
        view.change_requested.connect(self._apply)
        view.selection_requested.connect(view.set_selection)
        ids = iter(range(1000, 2000))
        view.context.allocate_id = lambda: next(ids)
        view.set_category(1)
        view.show()
        qtbot.waitExposed(view)
        view.setFocus()
        self.at = QPointF(view.rect().center())

    @property
    def document(self) -> Document:
        return self.view.context.document

    def use(self, make: Callable[[ToolContext], Tool]) -> None:
        self.view.set_tool(make(self.view.context))

    def key(self, key: Qt.Key, modifiers: Qt.KeyboardModifier = PLAIN, times: int = 1) -> None:
        for _ in range(times):
            QTest.keyClick(self.view, key, modifiers)

    def go(self, x: float, y: float) -> None:
        """The pointer to an image point by large and fine steps, which nothing but the pointer takes."""
        to_x, to_y = self.view.navigator.viewport.to_screen(x, y)
        for distance, back, on in ((to_x - self.at.x(), LEFT, RIGHT), (to_y - self.at.y(), UP, DOWN)):
            key = on if distance > 0 else back
            self.key(key, CTRL | SHIFT, round(abs(distance)) // 64)
            self.key(key, CTRL, round(abs(distance)) % 64)
        self.at += QPointF(round(to_x - self.at.x()), round(to_y - self.at.y()))

    def drag(self, *places: tuple[float, float], modifiers: Qt.KeyboardModifier = PLAIN) -> None:
        self.go(*places[0])
        self.key(HOME, modifiers)
        for place in places[1:]:
            self.go(*place)
        self.key(HOME)

    def area(self, instance_id: int) -> float:
        return float(to_shapely(self.document[instance_id].polygons).area)

    def _apply(self, change: Change, label: str) -> None:
        self.labels.append(label)
        self.view.apply_change(change, self.document.apply(change))


@pytest.fixture
def keys(qtbot) -> Keyboard:
    return Keyboard(qtbot, document_of(square(1, at=(20, 40), side=60), ring_with_hole(2, at=(140, 60))))


def test_a_brush_stroke_grows_the_object(keys: Keyboard) -> None:
    keys.use(BrushTool)
    keys.drag((70, 70), (100, 70))
    assert keys.labels == ["Brush"]
    assert keys.area(1) == pytest.approx(3600 + 20 * 12 + 18 * 3.14, rel=0.01)


def test_an_eraser_stroke_shrinks_it_and_ctrl_turns_the_brush_round(keys: Keyboard) -> None:
    keys.use(EraserTool)
    keys.drag((20, 70), (80, 70))
    assert keys.labels == ["Erase"]
    after = keys.area(1)
    keys.use(BrushTool)
    keys.drag((50, 50), (70, 50), modifiers=CTRL)
    assert keys.labels == ["Erase", "Erase"]
    assert keys.area(1) < after < 3600


def test_a_freehand_outline_is_drawn_and_closed(keys: Keyboard) -> None:
    keys.use(PolygonTool)
    keys.drag((100, 20), (130, 20), (130, 50), (100, 50), (100, 22))
    assert keys.labels == ["Draw polygon"]
    assert keys.document[1000].bounds_xyxy == pytest.approx((100, 20, 130, 50), abs=1)


@pytest.mark.parametrize(("tool", "label"), [(RectangleTool, "Draw rectangle"), (EllipseTool, "Draw ellipse")])
def test_boxes_are_dragged_from_corner_to_corner(keys: Keyboard, tool, label: str) -> None:
    keys.use(tool)
    keys.drag((100, 20), (130, 50))
    assert keys.labels == [label]
    assert keys.document[1000].bounds_xyxy == pytest.approx((100, 20, 130, 50), abs=1)


def test_a_stretch_of_the_outline_is_redrawn(keys: Keyboard) -> None:
    keys.use(RedrawTool)
    keys.drag((80, 60), (90, 60), (90, 80), (80, 80))
    assert keys.labels == ["Redraw outline"]
    assert keys.area(1) == pytest.approx(3600 + 200, rel=0.02)


def test_holes_are_cut_and_areas_added(keys: Keyboard) -> None:
    keys.view.set_selection(frozenset({1}))
    keys.use(HoleTool)
    keys.drag((40, 60), (60, 60), (60, 80), (40, 80), (40, 61))
    keys.use(ExtendTool)
    keys.drag((70, 50), (100, 50), (100, 60), (70, 60), (70, 51))
    assert keys.labels == ["Cut out", "Add area"]
    assert len(keys.document[1].polygons[0].holes) == 1


def test_a_line_splits(keys: Keyboard) -> None:
    keys.use(SplitTool)
    keys.drag((50, 30), (50, 110))
    assert keys.labels == ["Split"]
    assert keys.area(1) == pytest.approx(1800, rel=0.02)


def test_a_rubber_band_and_a_lasso_select(keys: Keyboard) -> None:
    keys.drag((10, 30), (90, 110))
    assert keys.view.context.selection == {1}
    keys.drag((130, 50), (190, 50), (190, 110), (130, 110), modifiers=CTRL)
    assert keys.view.context.selection == {1, 2}
    assert keys.labels == []


def test_with_a_selection_vertices_and_objects_are_dragged(keys: Keyboard) -> None:
    keys.go(50, 70)
    keys.key(INSERT)
    assert keys.view.context.selection == {1}
    keys.drag((20, 40), (10, 30))
    keys.drag((50, 70), (60, 70))
    assert keys.labels == ["Move vertex", "Move object"]
    assert keys.document[1].bounds_xyxy == (20, 30, 90, 100)


def test_alt_erases_vertices_on_the_way(keys: Keyboard) -> None:
    keys.view.set_selection(frozenset({1}))
    keys.drag((10, 40), (25, 40), modifiers=ALT)
    assert len(keys.document[1].polygons[0].exterior) == 3


def test_shift_click_adds_to_the_selection(keys: Keyboard) -> None:
    keys.go(50, 70)
    keys.key(INSERT)
    keys.go(145, 80)
    keys.key(INSERT, SHIFT)
    assert keys.view.context.selection == {1, 2}


def test_arrows_alone_go_on_nudging_a_selection(keys: Keyboard) -> None:
    keys.view.set_selection(frozenset({1}))
    keys.key(RIGHT, times=3)
    assert keys.labels == ["Nudge object"] * 3


def test_steps_are_eight_screen_pixels_large_ones_more_and_fine_ones_one(keys: Keyboard) -> None:
    places: list[float] = []
    keys.view.cursor_moved.connect(lambda x, _y: places.append(x))
    for modifiers in (PLAIN, SHIFT, CTRL):
        keys.key(LEFT, modifiers)
    start = keys.view.navigator.viewport.to_image(keys.at.x(), 0)[0]
    assert [start - x for x in places] == [4, 36, 36.5]


def test_escape_lets_go_and_leaves_nothing(keys: Keyboard) -> None:
    keys.use(BrushTool)
    keys.go(70, 70)
    keys.key(HOME)
    keys.key(RIGHT, times=5)
    keys.key(Qt.Key.Key_Escape)
    keys.key(RIGHT, times=5)
    assert keys.labels == []
    assert not keys.view.tool.is_busy


def test_a_drag_given_up_with_escape_leaves_no_selection_behind(keys: Keyboard) -> None:
    keys.go(50, 70)
    keys.key(HOME)
    keys.key(RIGHT, times=3)
    keys.key(Qt.Key.Key_Escape)
    keys.key(HOME)
    assert keys.labels == []
    assert keys.view.context.selection == set()


def test_a_mouse_that_is_touched_does_not_disturb_the_drag(keys: Keyboard) -> None:
    keys.use(RectangleTool)
    keys.go(100, 20)
    keys.key(HOME)
    keys.go(130, 50)
    QTest.mouseMove(keys.view, keys.view.rect().topLeft())
    keys.key(HOME)
    assert keys.document[1000].bounds_xyxy == pytest.approx((100, 20, 130, 50), abs=1)


def test_at_the_edge_of_the_view_the_image_moves(keys: Keyboard) -> None:
    keys.view.navigator.zoom_to_box((90, 65, 110, 85))
    left = keys.view.navigator.viewport.visible_box[0]
    keys.key(LEFT, SHIFT, times=5)
    assert keys.view.navigator.viewport.visible_box[0] < left


def test_the_status_line_says_how(keys: Keyboard) -> None:
    assert "Home holds" not in keys.view.hint
    keys.use(BrushTool)
    keys.key(LEFT)
    assert "Insert clicks · Home holds" in keys.view.hint
    keys.key(HOME)
    assert "Home releases" in keys.view.hint


def test_other_keys_can_stand_for_the_pointers(keys: Keyboard) -> None:
    keys.view.set_keys(ToolKeys({"pointer_click": ("F8",), "pointer_hold": ("J",)}))
    keys.go(50, 70)
    keys.key(INSERT)
    assert keys.view.context.selection == frozenset()
    keys.key(Qt.Key.Key_F8)
    assert keys.view.context.selection == {1}
    keys.use(RectangleTool)
    keys.key(Qt.Key.Key_J)
    assert "J releases" in keys.view.hint


def test_the_menu_key_opens_the_menu_of_what_is_under_the_pointer(keys: Keyboard) -> None:
    asked = []
    keys.view.context_menu_requested.connect(lambda at, stack: asked.append((keys.view.mapFromGlobal(at), stack)))
    keys.go(50, 70)
    place = keys.at.toPoint()
    QApplication.sendEvent(keys.view, QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, QPoint(), QPoint()))
    assert asked == [(place, (1,))]
