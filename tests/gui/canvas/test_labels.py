import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QRect, QRectF, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtTest import QTest

from canvas_support import document_of, square
from maskwright.document.spatial import SpatialIndex
from maskwright.document.values import InstanceState
from maskwright_gui.canvas.label_paint import LabelLayer, label_text
from maskwright_gui.canvas.labels import LabelWish, place_labels
from maskwright_gui.canvas.pyramid import image_pixels
from maskwright_gui.canvas.style import CanvasStyle
from maskwright_gui.canvas.view import CanvasView
from maskwright_gui.canvas.viewport import Viewport

SCREEN = (400.0, 300.0)


def wish(id_: int, x: float, y: float, extent: float = 80.0, *, is_certain: bool = False) -> LabelWish:
    return LabelWish(id_, (x, y), (x, y + extent), 60.0, 16.0, extent, is_certain)


wishes = st.lists(st.tuples(st.floats(-100, 500), st.floats(-100, 400), st.floats(1, 200)), max_size=60)


@given(wishes)
def test_labels_never_overlap_nor_leave_the_screen(places: list[tuple[float, float, float]]) -> None:
    known = {number: wish(number, *place) for number, place in enumerate(places)}
    boxes = []
    for place in place_labels(list(known.values()), SCREEN):
        object_ = known[place.instance_id]
        end = object_.bottom if place.is_below else object_.top
        x, y = end[0] + place.x, end[1] + place.y
        assert 0 <= x <= SCREEN[0] - 60
        assert 0 <= y <= SCREEN[1] - 16
        assert all(abs(x - other[0]) >= 60 or abs(y - other[1]) >= 16 for other in boxes)
        boxes.append((x, y))


def test_a_label_sits_above_its_object() -> None:
    (place,) = place_labels([wish(1, 200, 100)], SCREEN)
    assert (place.x, place.y) == (-30, -19)


def test_objects_off_screen_get_no_label_at_the_border() -> None:
    assert place_labels([wish(1, -200, 100), wish(2, 200, 900)], SCREEN) == []


def test_a_label_that_would_hide_its_object_is_left_out() -> None:
    assert [place.instance_id for place in place_labels([wish(1, 100, 100, 45), wish(2, 300, 100, 50)], SCREEN)] == [2]


def test_in_a_dense_scene_the_largest_objects_keep_their_labels() -> None:
    crowd = [wish(number, 35 + 66 * (number % 6), 30 + 25 * (number // 6), 60 + number) for number in range(60)]

    places = place_labels(crowd, SCREEN)

    assert sum(place.width * place.height for place in places) <= 0.06 * SCREEN[0] * SCREEN[1]
    assert {place.instance_id for place in places} <= set(range(30, 60))
    assert places


def test_tiny_objects_have_no_label_unless_selected() -> None:
    places = place_labels([wish(1, 100, 100, 5), wish(2, 300, 100, 5, is_certain=True)], SCREEN)
    assert [place.instance_id for place in places] == [2]


def test_a_selected_object_is_labelled_before_larger_ones() -> None:
    places = place_labels([wish(1, 200, 40, 250), wish(2, 210, 42, 30, is_certain=True)], SCREEN)
    assert places[0].instance_id == 2


def luminance(colour: np.ndarray) -> np.ndarray:
    """Relative luminance of (..., 3) sRGB 0..255; WCAG 2.1."""
    share = colour / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return linear @ (0.2126, 0.7152, 0.0722)


@pytest.mark.parametrize("ratio", [1.0, 2.0])
@pytest.mark.parametrize("background", [0, 128, 255])
def test_labels_are_readable_on_any_picture(qapp, background: int, ratio: float) -> None:
    document = document_of(square(1, at=(40, 60), side=60, is_locked=True))
    viewport = Viewport((200, 150), (200, 150)).centred((100, 75), 1.0)
    layer = LabelLayer(qapp.font())
    layer.lay_out(document, SpatialIndex(document), viewport, CanvasStyle(), frozenset())
    picture = QImage(round(200 * ratio), round(150 * ratio), QImage.Format.Format_RGB32)
    picture.setDevicePixelRatio(ratio)
    picture.fill(0x010101 * background)
    painter = QPainter(picture)
    layer.paint(painter, viewport, QRectF(0, 0, 200, 150), ratio)
    painter.end()
    changed = (image_pixels(picture)[..., :3] != background).any(axis=2)
    rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
    inner = image_pixels(picture)[rows[2] : rows[-2], columns[6] : columns[-2], 2::-1]
    light = luminance(inner.reshape(-1, 3).astype(float))
    assert (light.max() + 0.05) / (np.median(light) + 0.05) >= 4.5
    assert changed[rows[2] : rows[-2], columns[4] : columns[-4]].all(), "the plate hides what is below"


def test_a_thinned_out_label_is_shown_while_its_object_is_pointed_at(qtbot) -> None:
    view = CanvasView()
    qtbot.addWidget(view)
    view.resize(300, 240)
    image = QImage(200, 150, QImage.Format.Format_RGB32)
    image.fill(0xFFFFFF)
    view.renderer.set_image(image)
    view.set_document(document_of(square(1, at=(90, 70), side=12)))
    view.show()
    qtbot.waitExposed(view)
    view.renderer.finish()
    before = view.grab().toImage()

    QTest.mouseMove(view, QPoint(*map(round, view.navigator.viewport.to_screen(96, 76))))

    x, y = map(round, view.navigator.viewport.to_screen(90, 70))
    above = QRect(x - 10, y - 18, 20, 12)
    assert view.grab(above).toImage() != before.copy(above)


def test_where_the_whole_label_has_no_room_a_compact_one_is_shown() -> None:
    small = LabelWish(1, (200, 100), (200, 150), 90.0, 16.0, 50.0, compact_width=36.0)
    (place,) = place_labels([small], SCREEN)
    assert (place.width, place.is_compact) == (36.0, True)


def test_where_most_labels_are_compact_all_are() -> None:
    extents = {1: 50.0, 2: 50.0, 3: 120.0}
    some = [LabelWish(i, (i * 100, 150), (i * 100, 180), 90.0, 16.0, extents[i], compact_width=36.0) for i in extents]
    assert [place.is_compact for place in place_labels(some, SCREEN)] == [True] * 3


def test_a_proposals_compact_label_is_its_score() -> None:
    proposal = square(1, at=(0, 0), side=9, state=InstanceState.PROPOSED, score=0.874)
    style = CanvasStyle(names={1: "nucleus"})
    assert label_text(proposal, style) == "nucleus 0.87"
    assert label_text(proposal, style, is_compact=True) == "0.87"


@pytest.mark.parametrize(("name", "short"), [("dining table", "dinin…"), ("nucleus", "nucleus")])
def test_a_long_name_is_cut_in_a_compact_label(name: str, short: str) -> None:
    assert label_text(square(1, at=(0, 0), side=9), CanvasStyle(names={1: name}), is_compact=True) == short


def test_no_other_label_lies_on_the_outline_of_what_is_selected() -> None:
    other = wish(2, 210, 131)
    (above,) = place_labels([other], SCREEN)
    (below,) = place_labels([other], SCREEN, kept_free=[(x, 120.0) for x in range(150, 260, 8)])
    assert (above.is_below, below.is_below) == (False, True)


def test_selected_labels_avoid_selected_outlines_where_they_can() -> None:
    one = wish(1, 200, 100, is_certain=True)
    (below,) = place_labels([one], SCREEN, kept_free=[(x, 90.0) for x in range(150, 260, 8)])
    assert below.is_below
    everywhere = [(float(x), float(y)) for x in range(0, 400, 8) for y in range(0, 300, 8)]
    assert len(place_labels([one], SCREEN, kept_free=everywhere)) == 1


def test_the_label_goes_along_while_its_object_is_dragged(qtbot) -> None:
    view = CanvasView()
    qtbot.addWidget(view)
    view.resize(400, 300)
    image = QImage(200, 150, QImage.Format.Format_RGB32)
    image.fill(0xFFFFFF)
    view.renderer.set_image(image)
    view.set_document(document_of(square(1, at=(40, 50), side=50)))
    view.set_selection(frozenset({1}))
    view.show()
    qtbot.waitExposed(view)
    view.renderer.finish()
    label = QRect(0, 0, 30, 12).translated(*map(round, view.navigator.viewport.to_screen(36, 44)))
    label.translate(0, -12)
    at_rest = view.grab(label).toImage()
    start = QPoint(*map(round, view.navigator.viewport.to_screen(65, 75)))

    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=start)
    for step in range(1, 9):
        QTest.mouseMove(view, start + QPoint(8 * step, 5 * step))

    assert view.grab(label.translated(64, 40)).toImage() == at_rest
    assert view.grab(label).toImage() != at_rest
