from hypothesis import given
from hypothesis import strategies as st

from maskwright_gui.canvas.labels import LabelWish, fade, place_labels

SCREEN = (400.0, 300.0)


def wish(id_: int, x: float, y: float, extent: float = 80.0, *, is_certain: bool = False) -> LabelWish:
    return LabelWish(id_, (x, y), (x, y + extent), 60.0, 16.0, extent, is_certain)


wishes = st.lists(st.tuples(st.floats(-100, 500), st.floats(-100, 400), st.floats(1, 200)), max_size=60)


@given(wishes)
def test_labels_never_overlap_nor_leave_the_screen(places: list[tuple[float, float, float]]) -> None:
    known = {number: wish(number, *place) for number, place in enumerate(places)}
    boxes = []
    for place in place_labels(list(known.values()), SCREEN):
        x, y = known[place.instance_id].top[0] + place.x, known[place.instance_id].top[1] + place.y
        assert 0 <= x <= SCREEN[0] - 60
        assert 0 <= y <= SCREEN[1] - 16
        assert all(abs(x - other[0]) >= 60 or abs(y - other[1]) >= 16 for other in boxes)
        boxes.append((x, y))


def test_a_label_sits_above_its_object() -> None:
    (place,) = place_labels([wish(1, 200, 100)], SCREEN)
    assert (place.x, place.y) == (-30, -19)


def test_objects_off_screen_get_no_label_at_the_border() -> None:
    assert place_labels([wish(1, -200, 100), wish(2, 200, 900)], SCREEN) == []


def test_labels_fade_with_the_size_of_their_object() -> None:
    assert fade(20) == 0
    assert 0 < fade(50) < 1
    assert fade(100) == 1


def test_tiny_objects_have_no_label_unless_selected() -> None:
    places = place_labels([wish(1, 100, 100, 5), wish(2, 300, 100, 5, is_certain=True)], SCREEN)
    assert [place.instance_id for place in places] == [2]


def test_a_selected_object_is_labelled_before_larger_ones() -> None:
    places = place_labels([wish(1, 200, 40, 250), wish(2, 210, 42, 30, is_certain=True)], SCREEN)
    assert places[0].instance_id == 2
