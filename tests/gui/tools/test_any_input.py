"""Whatever a hand does to a tool, it raises nothing, Escape leaves nothing, and undo brings everything back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canvas_support import ToolHost, document_of, ring_with_hole, square
from maskwright.document.values import InstanceState
from maskwright_gui.features.tools.feature import OWN_TOOLS, ToolEntry
from maskwright_gui.tools.tool import Button, KeyPress, Modifiers, Pointer

START = document_of(
    square(1, at=(20, 20), side=40, state=InstanceState.PROPOSED, score=0.7),
    square(2, at=(60, 20), side=40),
    ring_with_hole(3, at=(100, 60), side=60),
    square(4, at=(10, 90), side=30, is_locked=True),
)

places = st.tuples(st.floats(-20, 220), st.floats(-20, 170)) | st.sampled_from(
    [(20.0, 20.0), (60.0, 40.0), (40.0, 20.0), (40.0, 40.0), (115.0, 75.0), (130.0, 62.0), (20.0, 100.0)]
)
modifiers = st.builds(Modifiers, st.booleans(), st.booleans(), st.booleans())
keys = st.sampled_from(["Enter", "Escape", "Backspace", "Delete", "Tab", "Left", "Down", "[", "]", ",", ".", "Insert"])
events = st.one_of(
    st.tuples(st.just("press"), places, modifiers, st.booleans()),
    st.tuples(st.just("right"), places, modifiers),
    st.tuples(st.just("move"), places, modifiers, st.sampled_from([0.25, 1.0, 8.0])),
    st.tuples(st.just("release"), places, modifiers),
    st.tuples(st.just("wheel"), places, st.floats(-3, 3)),
    st.tuples(st.just("key"), keys, modifiers),
)


def play(session: ToolHost, event: tuple) -> None:
    tool = session.tool
    match event:
        case ("press", (x, y), held, is_double):
            tool.on_press(Pointer(x, y, held, is_double=is_double))
        case ("right", (x, y), held):
            tool.on_press(Pointer(x, y, held, Button.RIGHT))
        case ("move", (x, y), held, scale):
            tool.on_move(Pointer(x, y, held, scale=scale))
        case ("release", (x, y), held):
            tool.on_release(Pointer(x, y, held))
        case ("wheel", (x, y), steps):
            tool.on_wheel(Pointer(x, y), steps)
        case ("key", name, held):
            key = KeyPress(name, held)
            if tool.wants_key(key) or name != "Delete":
                tool.on_key(key)
    tool.overlay()
    assert isinstance(tool.hint, str)


@pytest.mark.parametrize("tool", OWN_TOOLS, ids=lambda tool: tool.id)
@given(sequence=st.lists(events, max_size=40))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_any_sequence_of_input(tool: ToolEntry, sequence: list[tuple]) -> None:
    session = ToolHost(START, selection=frozenset({1, 3}))
    session.use(tool.make(session.context))
    for event in sequence:
        play(session, event)
    width, height = START.size_wh
    for instance in session.document:
        assert instance.polygons
        for polygon in instance.polygons:
            for ring in polygon.rings:
                assert len(ring) >= 3
                assert np.isfinite(ring).all()
        x1, y1, x2, y2 = instance.bounds_xyxy
        assert -1e-9 <= x1 <= x2 <= width + 1e-9
        assert -1e-9 <= y1 <= y2 <= height + 1e-9
    assert session.document[4] == START[4]
    session.tool.cancel()
    assert not session.tool.is_busy
    while session.commits:
        session.undo()
    assert dict(session.document.instances) == dict(START.instances)
