"""Outlining by pointing, without a network: the answers come when the test gives them."""

from dataclasses import dataclass, field, replace
from itertools import count

import numpy as np
import pytest

from canvas_support import ALT, CTRL, SHIFT, ToolHost, document_of, square, square_polygon
from maskwright.document.values import Instance, InstanceState, Provenance
from maskwright.geometry.polygon import Polygon
from maskwright_gui.features.point.draft import Accepted, PointPrompt, provenance_of
from maskwright_gui.features.point.tool import PointTool
from maskwright_gui.tools.overlay import Mark, Stroke
from maskwright_gui.tools.tool import Button, Pointer


@dataclass(frozen=True)
class Answer:
    polygons: tuple[Polygon, ...]
    others: tuple["Answer", ...] = ()
    score: float = 0.9
    dense: bytes | None = None

    @property
    def area(self) -> int:
        return int(sum(np.ptp(part.exterior, axis=0).prod() for part in self.polygons))


@dataclass
class Assistant:
    """Notes what it is asked."""

    prompts: list[PointPrompt] = field(default_factory=list)
    kept: list[int] = field(default_factory=list)
    unfinished: list[Accepted] = field(default_factory=list)

    def ask(self, prompt: PointPrompt) -> None:
        self.prompts.append(prompt)

    def keep(self, serial: int) -> None:
        self.kept.append(serial)

    def finish(self, accepted: Accepted) -> None:
        self.unfinished.append(accepted)

    def provenance(self, presses: int) -> Provenance | None:
        return provenance_of("test", "hash", presses, "2026-01-01T00:00:00+00:00")


class Pointing(ToolHost):
    def __init__(self, *instances: Instance, selection: frozenset[int] = frozenset()) -> None:
        super().__init__(document_of(*instances), selection=selection)
        self.assistant = Assistant()
        self.use(PointTool(self.context, self.assistant, count(1)))

    @property
    def point(self) -> PointTool:
        assert isinstance(self.tool, PointTool)
        return self.tool

    @property
    def latest(self) -> PointPrompt:
        return self.assistant.prompts[-1]

    def answer(
        self, *, at: tuple[float, float] = (40.0, 40.0), side: float = 30.0, prompt: PointPrompt | None = None
    ) -> None:
        self.point.on_answer((prompt or self.latest).serial, answer(at, side))

    @property
    def drawn(self) -> list[Instance]:
        return [one for one in self.document if one.id >= 1000]


def answer(at: tuple[float, float] = (40.0, 40.0), side: float = 30.0) -> Answer:
    return Answer((square_polygon(at, side),))


def bounds(instance: Instance) -> tuple[float, ...]:
    return tuple(instance.bounds_xyxy)


def test_a_click_asks_and_enter_accepts_what_came() -> None:
    pointing = Pointing()
    pointing.click(50, 50)
    pointing.answer()
    assert pointing.commits == []
    assert pointing.key("Enter")
    (made,) = pointing.drawn
    assert (made.state, made.category_id, bounds(made)) == (InstanceState.DRAWN, 1, (40, 40, 70, 70))
    assert pointing.labels == ["Outline by pointing"]
    assert made.provenance is not None
    assert made.provenance.model_name == "assist test, 1 press"


def test_the_next_objects_first_click_accepts_the_one_before_and_the_tool_stays() -> None:
    pointing = Pointing()
    pointing.click(50, 50)
    pointing.answer(side=20)
    pointing.click(180, 140)
    pointing.answer(at=(170, 130), side=15)
    pointing.key("Enter")
    assert [bounds(one) for one in pointing.drawn] == [(40, 40, 60, 60), (170, 130, 185, 145)]


def test_every_press_refines_and_hands_on_what_came_before() -> None:
    pointing = Pointing()
    pointing.click(50, 50)
    pointing.answer()
    pointing.click(75, 50)
    pointing.click(45, 60, ALT)
    assert pointing.latest.points_xy == [(50, 50), (75, 50), (45, 60)]
    assert pointing.latest.labels == [1, 1, 0]
    assert pointing.latest.previous is not None
    pointing.tool.on_press(Pointer(42, 42, button=Button.RIGHT))
    pointing.tool.on_release(Pointer(42, 42, button=Button.RIGHT))
    assert pointing.latest.labels == [1, 1, 0, 0]
    assert {marks.mark for marks in pointing.tool.overlay().marks} == {Mark.INSIDE, Mark.OUTSIDE}


def test_a_drag_is_a_box_and_with_shift_a_stroke() -> None:
    pointing = Pointing()
    pointing.drag((20, 30), (60, 70), (100, 90))
    assert pointing.latest.box_xyxy == (20, 30, 100, 90)
    assert pointing.latest.points_xy == []
    pointing.key("Escape")
    pointing.drag((20, 30), (40, 30), (60, 30), (80, 30), modifiers=SHIFT)
    assert pointing.latest.box_xyxy is None
    assert pointing.latest.points_xy == [(20, 30), (40, 30), (60, 30), (80, 30)]


def test_an_object_accepted_before_the_answer_is_made_when_it_comes() -> None:
    pointing = Pointing()
    pointing.click(50, 50)
    first = pointing.latest
    pointing.key("Enter")
    pointing.click(150, 120)
    assert pointing.assistant.kept == [first.serial]
    assert pointing.commits == []
    pointing.answer(prompt=first)
    assert [bounds(one) for one in pointing.drawn] == [(40, 40, 70, 70)]
    assert pointing.tool.is_busy


def test_late_answers_of_a_draft_given_up_change_nothing() -> None:
    pointing = Pointing()
    pointing.click(50, 50)
    pointing.key("Escape")
    pointing.answer()
    assert pointing.commits == []
    assert pointing.tool.overlay().instances == ()


def test_undo_takes_back_the_last_press_and_redo_shows_it_again() -> None:
    pointing = Pointing()
    pointing.click(50, 50)
    pointing.answer(side=20)
    pointing.click(62, 50)
    pointing.answer(side=40)
    assert pointing.tool.step_back()
    (draft,) = pointing.tool.overlay().instances
    assert bounds(draft) == (40, 40, 60, 60)
    assert pointing.tool.step_forward()
    assert pointing.latest.points_xy == [(50, 50), (62, 50)]
    assert pointing.tool.step_back()
    assert pointing.tool.step_back()
    assert not pointing.tool.is_busy
    assert not pointing.tool.step_back()


def test_escape_takes_back_one_press_after_the_other_and_is_then_free_for_leaving() -> None:
    pointing = Pointing()
    pointing.click(50, 50)
    pointing.answer(side=20)
    pointing.click(62, 50)
    pointing.answer(side=40)
    assert pointing.key("Escape")
    (draft,) = pointing.tool.overlay().instances
    assert bounds(draft) == (40, 40, 60, 60)
    assert pointing.key("Escape")
    assert not pointing.tool.is_busy
    assert not pointing.key("Escape")


def test_what_was_accepted_unseen_keeps_the_class_it_was_accepted_in() -> None:
    pointing = Pointing()
    pointing.click(50, 50)
    pointing.key("Enter")
    pointing.context.category_id = 2
    pointing.answer()
    assert [one.category_id for one in pointing.drawn] == [1]


def test_what_was_accepted_unseen_is_handed_on_when_the_tool_is_left() -> None:
    pointing = Pointing()
    pointing.click(50, 50)
    pointing.key("Enter")
    pointing.tool.cancel()
    (accepted,) = pointing.assistant.unfinished
    assert (accepted.image_id, accepted.category_id, len(accepted.draft.presses)) == (pointing.document.image_id, 1, 1)


def corrected(instance: Instance) -> str | None:
    pointing = Pointing(instance, selection=frozenset({5}))
    pointing.click(65, 50)
    pointing.answer(side=30)
    pointing.key("Enter")
    origin = pointing.document[5].provenance
    return origin.model_name if origin is not None else None


def test_a_corrected_proposal_names_its_model_and_who_corrected_it_last() -> None:
    proposed = square(5, at=(40, 40), state=InstanceState.PROPOSED)
    proposed = replace(proposed, provenance=Provenance("yolact", "hash", 0.5, 0.5, "2026-01-01T00:00:00Z"))
    assert corrected(proposed) == "yolact + assist test, 1 press"
    again = replace(proposed, provenance=Provenance("yolact + assist test, 3 presses", "", 0.5, 0.5, ""))
    assert corrected(again) == "yolact + assist test, 1 press"


def test_a_drawn_object_names_who_corrected_it_and_an_imported_one_stays_an_import() -> None:
    assert corrected(square(5, at=(40, 40), state=InstanceState.DRAWN)) == "assist test, 1 press"
    assert corrected(square(5, at=(40, 40), state=InstanceState.EDITED)) is None


def test_the_same_clicks_correct_what_is_selected() -> None:
    pointing = Pointing(square(5, at=(40, 40), state=InstanceState.PROPOSED), selection=frozenset({5}))
    pointing.click(65, 50)
    assert pointing.latest.base == pointing.document[5].polygons
    pointing.answer(side=30)
    (draft,) = pointing.tool.overlay().instances
    assert draft.id == 5
    pointing.key("Enter")
    assert (pointing.document[5].state, bounds(pointing.document[5])) == (InstanceState.EDITED, (40, 40, 70, 70))
    assert pointing.labels == ["Correct by pointing"]


def test_a_click_far_from_what_is_selected_is_for_another_object() -> None:
    pointing = Pointing(square(5, at=(10, 10)), selection=frozenset({5}))
    pointing.click(150, 120)
    assert pointing.latest.base == ()
    assert pointing.context.selection == frozenset()


def test_a_box_is_always_a_new_object() -> None:
    pointing = Pointing(square(5, at=(10, 10)), selection=frozenset({5}))
    pointing.drag((5, 5), (20, 20), (40, 40))
    assert pointing.latest.base == ()


def test_ctrl_click_selects_what_is_to_be_corrected() -> None:
    pointing = Pointing(square(5, at=(10, 10)))
    pointing.click(15, 15, CTRL)
    assert pointing.context.selection == frozenset({5})
    assert pointing.assistant.prompts == []


@pytest.mark.parametrize("corrected", [False, True], ids=["new", "corrected"])
def test_what_is_not_there_any_more_is_not_corrected(corrected: bool) -> None:
    pointing = Pointing(square(5, at=(40, 40)), selection=frozenset({5}))
    if corrected:
        pointing.click(65, 50)
        pointing.answer()
    from maskwright.document import edits

    change = edits.delete(pointing.document, [5])
    pointing.context.apply(change, pointing.document.apply(change))
    pointing.tool.on_document()
    pointing.key("Enter")
    assert pointing.commits == []


def test_hovering_asks_and_a_click_shows_the_answer_at_once() -> None:
    pointing = Pointing()
    pointing.move(50, 50)
    pointing.point.foresee()
    assert pointing.latest.is_hover
    pointing.answer(side=25)
    assert len(pointing.tool.overlay().lines) == 1
    pointing.press(50, 50)
    pointing.release(50, 50)
    assert not pointing.latest.is_hover
    (draft,) = pointing.tool.overlay().instances
    assert bounds(draft) == (40, 40, 65, 65)


def test_the_next_click_is_shown_before_it_is_made() -> None:
    pointing = Pointing()
    pointing.click(50, 50)
    pointing.answer(side=20)
    pointing.move(65, 50)
    pointing.point.foresee()
    assert pointing.latest.is_hover
    assert (pointing.latest.points_xy, pointing.latest.labels) == ([(50, 50), (65, 50)], [1, 1])
    pointing.answer(side=30)
    (line,) = pointing.tool.overlay().lines
    assert (line.stroke, np.ptp(line.points[:, 0])) == (Stroke.GUIDE, 30)
    (draft,) = pointing.tool.overlay().instances
    assert bounds(draft) == (40, 40, 60, 60)
    pointing.move(45, 45, ALT)
    pointing.point.foresee()
    assert pointing.latest.labels == [1, 0]


def test_a_box_shows_what_it_would_take_while_it_is_dragged() -> None:
    pointing = Pointing()
    pointing.press(20, 30)
    pointing.move(100, 90, held=True)
    pointing.point.foresee()
    assert pointing.latest.box_xyxy == (20, 30, 100, 90)
    pointing.answer(side=25)
    assert len(pointing.tool.overlay().lines) == 2
    assert pointing.key("Escape")
    assert pointing.tool.overlay().lines == ()
    assert not pointing.tool.is_busy


def test_what_the_next_click_would_do_to_a_selected_object_is_shown() -> None:
    pointing = Pointing(square(5, at=(40, 40)), selection=frozenset({5}))
    pointing.move(65, 50)
    pointing.point.foresee()
    assert pointing.latest.base == pointing.document[5].polygons
    pointing.answer(side=30)
    assert [line.stroke for line in pointing.tool.overlay().lines] == [Stroke.GUIDE]
    pointing.move(180, 140)
    pointing.point.foresee()
    assert pointing.latest.base == ()


def test_nothing_is_foreseen_while_the_press_before_is_waited_for() -> None:
    pointing = Pointing()
    pointing.click(50, 50)
    pointing.move(60, 50)
    pointing.point.foresee()
    assert len(pointing.assistant.prompts) == 1


def test_keys_walk_through_what_a_press_may_have_meant() -> None:
    pointing = Pointing()
    pointing.click(50, 50)
    chosen = Answer((square_polygon((40, 40), 20),), (answer(side=10), answer(side=40)))
    pointing.point.on_answer(pointing.latest.serial, chosen)
    sides = []
    for key in ("]", "]", "[", "[", "["):
        pointing.key(key)
        (draft,) = pointing.tool.overlay().instances
        sides.append(bounds(draft)[2] - 40)
    assert sides == [40, 40, 20, 10, 10]
    pointing.key("Enter")
    assert bounds(pointing.drawn[0]) == (40, 40, 50, 50)


def test_a_press_that_found_nothing_leaves_what_there_was() -> None:
    pointing = Pointing()
    pointing.click(50, 50)
    pointing.answer()
    pointing.click(72, 50)
    pointing.point.on_answer(pointing.latest.serial, None)
    pointing.key("Enter")
    assert [bounds(one) for one in pointing.drawn] == [(40, 40, 70, 70)]


def test_nothing_is_made_where_nothing_was_found() -> None:
    pointing = Pointing()
    pointing.click(50, 50)
    pointing.point.on_answer(pointing.latest.serial, None)
    pointing.key("Enter")
    assert pointing.commits == []


def test_without_a_class_nothing_is_asked() -> None:
    pointing = Pointing()
    pointing.context.category_id = None
    pointing.click(50, 50)
    assert pointing.assistant.prompts == []
    assert "class" in pointing.tool.hint


def test_taking_away_needs_something_to_take_from() -> None:
    pointing = Pointing()
    pointing.click(50, 50, ALT)
    assert pointing.assistant.prompts == []


def test_points_are_kept_on_the_image() -> None:
    pointing = Pointing()
    pointing.drag((-20, -10), (100, 80), (260, 190))
    assert pointing.latest.box_xyxy is not None
    assert pointing.latest.box_xyxy[2:] == (200, 150)
