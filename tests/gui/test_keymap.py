import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskwright_gui.actions import ACTIONS, tool_specs
from maskwright_gui.commands.view import TOOLS
from maskwright_gui.keymap import DEFAULT_PRESET, PRESETS, canonical, claimed_by, conflicts, resolved

SPECS = ACTIONS + tool_specs({id_: (tool.text, tool.icon, tool.keys) for id_, tool in TOOLS.items()})
DEFAULTS = {spec.id: spec.keys for spec in SPECS}


@pytest.mark.parametrize("preset", PRESETS)
def test_no_preset_gives_one_key_to_two_actions(preset: str) -> None:
    assert conflicts(resolved(DEFAULTS, preset)) == {}


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_name_only_actions_that_exist(preset: str) -> None:
    assert set(PRESETS[preset]) <= set(DEFAULTS)


def test_our_own_keys_are_the_default() -> None:
    assert resolved(DEFAULTS) == {id_: tuple(map(canonical, keys)) for id_, keys in DEFAULTS.items()}


def test_a_key_of_the_preset_is_taken_from_its_former_action() -> None:
    keys = resolved(DEFAULTS, "CVAT")
    assert keys["next_image"] == ("F", "PgDown")
    assert "F" not in keys["fit"]


def test_a_persons_keys_come_before_the_preset() -> None:
    keys = resolved(DEFAULTS, "labelme", {"fit": ("D",)})
    assert keys["fit"] == ("D",)
    assert "D" not in keys["next_image"]


def test_unknown_actions_in_old_settings_are_ignored() -> None:
    assert "gone" not in resolved(DEFAULTS, DEFAULT_PRESET, {"gone": ("Q",)})


def test_conflicts_are_found_whatever_the_spelling() -> None:
    assert conflicts({"a": ("Ctrl+Shift+Z",), "b": ("shift+ctrl+z",), "c": ("Z",)}) == {"Ctrl+Shift+Z": ["a", "b"]}


def test_who_has_a_key() -> None:
    assert claimed_by(DEFAULTS, "ctrl+z") == "undo"
    assert claimed_by(DEFAULTS, "ctrl+z", but="undo") is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [("ctrl++", "Ctrl++"), ("shift+alt+ctrl+del", "Ctrl+Alt+Shift+Del"), ("f", "F"), ("pgdown", "PgDown"), ("[", "[")],
    ids=str,
)
def test_spelling(text: str, expected: str) -> None:
    assert canonical(text) == expected


@given(st.sampled_from([key for keys in DEFAULTS.values() for key in keys]))
def test_spelling_is_settled_after_one_pass(key: str) -> None:
    assert canonical(canonical(key)) == canonical(key)
