"""Turning what is selected by the keys that also turn a shape while it is drawn."""

from maskwright.document import edits
from maskwright_gui.tools.context import ToolContext
from maskwright_gui.tools.tool import KeyPress

STEP_DEGREES = 3.0
TURNS = {"[": -1.0, "]": 1.0}
"""Steps, clockwise."""


def wants_turn(context: ToolContext, key: KeyPress) -> bool:
    """Whether the key turns the selection."""
    return key.name in TURNS and bool(context.selected_editable)


def turn_selected(context: ToolContext, key: KeyPress) -> bool:
    """Turn the selected objects, each about its own centre, by one step; whether the key does that."""
    if not wants_turn(context, key):
        return False
    change = edits.turn(context.document, context.selected_editable, TURNS[key.name] * STEP_DEGREES)
    if not change.is_empty:
        context.commit(change, "Turn")
    return True
