"""The wand, without an image: the areas are foretold."""

from itertools import count

import pytest

from canvas_support import CTRL, ToolHost, document_of, square, square_polygon
from maskwright_gui.features.wand import Touch, WandTool


class Areas:
    def __init__(self) -> None:
        self.radius_screen_px = 80.0
        self.asked: list[Touch] = []

    def ask(self, touch: Touch) -> None:
        self.asked.append(touch)


class Wanding(ToolHost):
    def __init__(self, *ids: int, selection: frozenset[int] = frozenset()) -> None:
        super().__init__(document_of(*(square(id_, at=(20, 20)) for id_ in ids)), selection=selection)
        self.areas = Areas()
        self.wand = WandTool(self.context, self.areas, count(1))
        self.use(self.wand)

    def answer(self, at: tuple[float, float], side: float) -> None:
        self.wand.on_answer(self.areas.asked[-1], (square_polygon(at, side),))


def bounds(session: ToolHost, id_: int) -> tuple[float, ...]:
    return tuple(session.document[id_].bounds_xyxy)


def test_a_click_makes_an_object_and_the_next_one_adds_to_it() -> None:
    session = Wanding()
    session.click(50, 50)
    session.answer((40, 40), 20)
    (made,) = session.context.selection
    session.click(65, 50)
    session.answer((55, 40), 20)
    assert bounds(session, made) == (40, 40, 75, 60)
    assert session.labels == ["Wand", "Wand"]


def test_ctrl_takes_away_from_what_lies_there() -> None:
    session = Wanding(5)
    session.click(22, 22, CTRL)
    assert session.areas.asked[-1].takes_away
    session.answer((10, 10), 100)
    assert 5 not in session.document.instances


def test_escape_begins_a_new_object() -> None:
    session = Wanding(5, selection=frozenset({5}))
    assert session.key("Escape")
    session.click(80, 80)
    assert session.areas.asked[-1].targets == frozenset()


def test_the_answer_of_a_deleted_object_or_of_another_image_changes_nothing() -> None:
    session = Wanding(5, selection=frozenset({5}))
    session.click(22, 22)
    from maskwright.document import edits

    change = edits.delete(session.document, [5])
    session.context.apply(change, session.document.apply(change))
    session.answer((10, 10), 30)
    assert session.commits == []


@pytest.mark.parametrize("place", [(-20, 20), (500, 20)], ids=["left", "right"])
def test_beside_the_image_there_is_nothing(place: tuple[float, float]) -> None:
    session = Wanding()
    session.click(*place)
    assert session.areas.asked == []


def test_keys_and_wheel_change_the_disc() -> None:
    session = Wanding()
    assert session.key("]")
    assert session.areas.radius_screen_px > 80
    session.move(50, 50)
    (circle,) = session.wand.overlay().circles
    assert circle.radius == pytest.approx(session.areas.radius_screen_px)
