import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from canvas_support import document_of, square
from maskwright.document import edits
from maskwright.document.change import Change
from maskwright.document.document import Document
from maskwright.document.palette import stable_colour
from maskwright.document.values import InstanceState
from maskwright_gui.canvas.layer import pool
from maskwright_gui.canvas.pyramid import ImagePyramid
from maskwright_gui.canvas.style import CanvasStyle, LabelMode
from maskwright_gui.canvas.view import CanvasView
from maskwright_gui.tools.path import PolygonTool

GREY = 0xFF808080


class Session:
    """What the window does around a canvas, in miniature."""

    def __init__(self, qtbot, document: Document) -> None:
        self.changes: list[tuple[Change, str]] = []
        self.view = CanvasView()
        qtbot.addWidget(self.view)
        self.view.resize(420, 320)  # shown at 200 %, with the margin of a fitted image
        self.view.set_style(CanvasStyle(label_mode=LabelMode.NONE))
        image = QImage(*document.size_wh, QImage.Format.Format_RGB32)
        image.fill(GREY)
        self.view.renderer.set_image(image)
        self.view.set_document(document)
        self.view.change_requested.connect(self.apply)
        self.view.selection_requested.connect(self.view.set_selection)
        self.view.context.allocate_id = lambda: 1000
        self.view.set_category(1)
        self.view.show()
        qtbot.waitExposed(self.view)

    def apply(self, change: Change, label: str) -> None:
        self.changes.append((change, label))
        self.view.apply_change(change, self.document.apply(change))

    @property
    def document(self) -> Document:
        return self.view.context.document

    def at(self, x: float, y: float) -> QPoint:
        return QPoint(*map(round, self.view.navigator.viewport.to_screen(x, y)))

    def click(self, x: float, y: float, modifiers=Qt.KeyboardModifier.NoModifier) -> None:
        QTest.mouseClick(self.view, Qt.MouseButton.LeftButton, modifiers, self.at(x, y))

    def drag(self, *places: tuple[float, float], button=Qt.MouseButton.LeftButton) -> None:
        points = [self.at(*place) for place in places]
        QTest.mouseMove(self.view, points[0])
        QTest.mousePress(self.view, button, Qt.KeyboardModifier.NoModifier, points[0])
        for point in points[1:]:
            QTest.mouseMove(self.view, point)
        QTest.mouseRelease(self.view, button, Qt.KeyboardModifier.NoModifier, points[-1])

    def pixel(self, x: float, y: float) -> tuple[int, int, int]:
        self.view.renderer.finish()
        colour = self.view.grab().toImage().pixelColor(self.at(x, y))
        return colour.red(), colour.green(), colour.blue()


@pytest.fixture
def session(qtbot) -> Session:
    proposal = square(2, at=(120, 40), side=60, state=InstanceState.PROPOSED, score=0.8)
    return Session(qtbot, document_of(square(1, at=(20, 40), side=60), proposal))


def test_the_image_is_fitted_and_instances_tint_it(session: Session) -> None:
    assert session.view.navigator.zoom == 2.0
    assert session.pixel(190, 10) == (128, 128, 128)
    red, _, blue = session.pixel(50, 70)
    assert blue > red


def test_click_asks_for_the_selection(session: Session) -> None:
    session.click(50, 70)
    assert session.view.context.selection == {1}


def test_dragging_a_vertex_emits_one_change(session: Session) -> None:
    session.click(50, 70)
    session.drag((20, 40), (15, 36), (10, 30))
    ((change, label),) = session.changes
    assert label == "Move vertex"
    assert tuple(change.entries[1][1].polygons[0].exterior[0]) == (10, 30)


def test_escape_during_a_drag_emits_nothing(session: Session) -> None:
    session.click(50, 70)
    QTest.mousePress(session.view, Qt.MouseButton.LeftButton, pos=session.at(20, 40))
    QTest.mouseMove(session.view, session.at(5, 5))
    QTest.keyClick(session.view, Qt.Key.Key_Escape)
    QTest.mouseRelease(session.view, Qt.MouseButton.LeftButton, pos=session.at(5, 5))
    assert session.changes == []


def test_the_picture_follows_an_edit_and_its_undo(session: Session) -> None:
    untouched = session.pixel(30, 100)
    session.click(50, 70)
    session.drag((50, 60), (50, 80), (50, 105))
    session.view.set_selection(frozenset())
    assert session.pixel(30, 45) == (128, 128, 128)
    assert session.pixel(30, 100) != untouched
    session.apply(session.changes[0][0].inverse(), "Undo")
    assert session.pixel(30, 100) == untouched


def test_drawing_a_polygon_with_mouse_and_enter(session: Session) -> None:
    session.view.set_tool(PolygonTool(session.view.context))
    for place in [(20, 110), (60, 110), (40, 140)]:
        session.click(*place)
    QTest.keyClick(session.view, Qt.Key.Key_Return)
    assert session.document[1000].vertex_count == 3
    assert session.view.context.selection == {1000}


def test_double_click_closes_a_polygon(session: Session) -> None:
    session.view.set_tool(PolygonTool(session.view.context))
    for place in [(20, 110), (60, 110), (40, 140)]:
        session.click(*place)
    session.click(25, 135)
    QTest.mouseDClick(session.view, Qt.MouseButton.LeftButton, pos=session.at(25, 135))
    assert session.document[1000].vertex_count == 4


def test_delete_key_removes_the_selection(session: Session) -> None:
    session.click(50, 70)
    QTest.keyClick(session.view, Qt.Key.Key_Delete)
    assert 1 not in session.document


def test_a_change_of_a_selected_object_keeps_it_selected(session: Session) -> None:
    session.click(50, 70)
    QTest.keyClick(session.view, Qt.Key.Key_Right)
    assert session.view.context.selection == {1}
    assert session.document[1].bounds_xyxy[0] == 21


def test_rejected_and_hidden_objects_are_not_painted(session: Session) -> None:
    before = session.document
    session.apply(edits.reject(before, [2]).then(edits.set_visible(before, [1], False)), "Hide")
    assert session.pixel(50, 70) == session.pixel(150, 70) == (128, 128, 128)


def test_another_document_leaves_nothing_of_the_former(session: Session) -> None:
    session.click(50, 70)
    session.view.set_document(document_of())
    assert session.view.context.selection == frozenset()
    assert session.pixel(50, 70) == (128, 128, 128)


def test_cursor_position_is_reported_in_image_pixels(session: Session, qtbot) -> None:
    with qtbot.waitSignal(session.view.cursor_moved) as moved:
        QTest.mouseMove(session.view, session.at(33, 44))
    assert moved.args == [33, 44]
    assert session.view.renderer.value_at(33, 44) == (128, 128, 128)
    assert session.view.renderer.value_at(-1, 0) is None


def test_a_resting_pointer_is_told_what_lies_below_it_now(session: Session, qtbot) -> None:
    QTest.mouseMove(session.view, session.at(30, 40))
    QTest.mouseMove(session.view, session.at(33, 44))
    with qtbot.waitSignal(session.view.cursor_moved):
        session.view.navigator.zoom_in()
    with qtbot.waitSignal(session.view.cursor_moved):
        session.view.renderer.set_image(QImage(200, 150, QImage.Format.Format_RGB32))


def wheel(session: Session, place: QPoint, notches: int, modifiers=Qt.KeyboardModifier.NoModifier) -> None:
    event = QWheelEvent(
        QPointF(place),
        QPointF(session.view.mapToGlobal(place)),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        modifiers,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(session.view, event)


@pytest.mark.parametrize("plain", [True, False], ids=["plain wheel", "ctrl wheel"])
def test_wheel_zooms_at_the_pointer(session: Session, plain: bool) -> None:
    session.view.navigator.plain_wheel_zooms = plain
    modifiers = Qt.KeyboardModifier.NoModifier if plain else Qt.KeyboardModifier.ControlModifier
    place = session.at(50, 70)
    wheel(session, place, 3, modifiers)
    assert session.view.navigator.zoom > 3
    assert session.view.navigator.viewport.to_image(place.x(), place.y()) == pytest.approx((50, 70))


def test_wheel_scrolls_when_it_does_not_zoom(session: Session) -> None:
    session.view.navigator.plain_wheel_zooms = False
    x, y = session.view.navigator.viewport.to_screen(0, 0)
    wheel(session, session.at(50, 70), 1)
    assert session.view.navigator.zoom == 2.0
    assert session.view.navigator.viewport.to_screen(0, 0) == (x, y + 120)


def test_middle_drag_and_space_drag_pan(session: Session) -> None:
    x, y = session.view.navigator.viewport.to_screen(0, 0)
    session.drag((50, 70), (60, 70), (70, 80), button=Qt.MouseButton.MiddleButton)
    assert session.view.navigator.viewport.to_screen(0, 0) == (x + 40, y + 20)
    QTest.keyPress(session.view, Qt.Key.Key_Space)
    session.drag((50, 70), (45, 70), (40, 60))
    QTest.keyRelease(session.view, Qt.Key.Key_Space)
    assert session.view.navigator.viewport.to_screen(0, 0) == (x + 20, y)
    assert session.changes == []


def test_viewport_state_survives_another_window_size(session: Session) -> None:
    session.view.navigator.zoom_to_actual()
    state = session.view.navigator.viewport.state
    session.view.navigator.zoom_to_fit()
    session.view.resize(600, 500)
    session.view.navigator.go_back_to(state)
    assert session.view.navigator.viewport.state == state


def test_a_fitted_image_stays_fitted_when_the_window_grows(session: Session) -> None:
    session.view.resize(820, 620)
    assert session.view.navigator.zoom == 4.0


def test_zoom_to_object_centres_it(session: Session) -> None:
    session.view.set_selection(frozenset({1}))
    session.view.zoom_to_selection()
    centre = (session.view.width() / 2, session.view.height() / 2)
    assert session.view.navigator.viewport.to_image(*centre) == pytest.approx((50, 70))


def test_label_of_a_proposal_names_class_and_score(session: Session) -> None:
    plain = session.view.grab().toImage()
    session.view.set_style(CanvasStyle(label_mode=LabelMode.ALL))
    session.view.renderer.finish()
    assert session.view.grab().toImage() != plain


def test_enlarged_pixels_stay_square(qtbot) -> None:
    session = Session(qtbot, document_of(size_wh=(4, 4)))
    image = QImage(4, 4, QImage.Format.Format_RGB32)
    image.fill(GREY)
    image.setPixelColor(1, 1, Qt.GlobalColor.white)
    session.view.renderer.set_image(image)
    assert session.pixel(1.04, 1.04) == session.pixel(1.96, 1.96) == (255, 255, 255)
    assert session.pixel(0.96, 1.5) == (128, 128, 128)


def test_class_colours_do_not_depend_on_other_classes() -> None:
    assert len({stable_colour(id_) for id_ in range(1, 91)}) == 90


def test_a_polygon_is_drawn_without_a_mouse(session: Session) -> None:
    view = session.view
    view.set_tool(PolygonTool(view.context))
    view.setFocus()
    for direction in (Qt.Key.Key_Down, Qt.Key.Key_Right, Qt.Key.Key_Up):
        for _ in range(3):
            QTest.keyClick(view, direction)
        QTest.keyClick(view, Qt.Key.Key_Insert)
    QTest.keyClick(view, Qt.Key.Key_Return)
    ring = session.document[1000].polygons[0].exterior
    assert tuple(map(tuple, ring - ring[0])) == ((0, 0), (12, 0), (12, -12))


def test_focus_by_tab_is_visible_and_by_mouse_is_not(session: Session) -> None:
    view = session.view
    view.clearFocus()
    view.setFocus(Qt.FocusReason.TabFocusReason)
    ringed = view.grab().toImage().pixelColor(1, 100)
    view.clearFocus()
    session.click(190, 10)
    assert view.hasFocus()
    assert view.grab().toImage().pixelColor(1, 100) != ringed


def test_locked_objects_are_dimmed(session: Session) -> None:
    before = session.pixel(50, 70)
    session.apply(edits.set_locked(session.document, [1], True), "Lock")
    red, _, blue = session.pixel(50, 70)
    assert 0 < blue - red < before[2] - before[0]


def test_what_was_prepared_looks_as_if_it_had_not_been(qtbot) -> None:
    document = document_of(square(1, at=(20, 20), side=50), square(2, at=(90, 60), side=40))
    image, another = (QImage(1200, 900, QImage.Format.Format_RGB32) for _ in range(2))
    image.fill(0xFF336699)
    another.fill(0xFFFFFFFF)
    first, second = ImagePyramid.of(image, document.size_wh), ImagePyramid.of(another, document.size_wh)
    plain, prepared = Session(qtbot, document).view, Session(qtbot, document_of(square(3))).view
    plain.renderer.set_image(first)
    plain.renderer.finish()

    prepared.renderer.look_ahead(document, first, None)
    prepared.renderer.look_ahead(document, second, None)
    pool.submit(lambda: None).result()
    prepared.renderer.set_image(first)
    prepared.set_document(document)
    prepared.renderer.finish()

    assert prepared.grab().toImage() == plain.grab().toImage()


def test_edits_of_a_prepared_document_do_not_show_when_it_comes_again(qtbot) -> None:
    document, other = document_of(square(1, at=(20, 20), side=50)), document_of(square(2))
    view = Session(qtbot, document).view
    view.renderer.finish()
    before = view.grab().toImage()
    image = ImagePyramid.of(QImage(before), document.size_wh)
    view.set_document(other)
    view.renderer.look_ahead(document, image, None)
    pool.submit(lambda: None).result()
    view.set_document(document)
    change = edits.move(document, [1], 30, 20)
    view.apply_change(change, document.apply(change))
    view.set_document(other)
    view.set_document(document)
    view.renderer.finish()
    assert view.grab().toImage() == before
