from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskwright_gui.actions import Actions
from maskwright_gui.app import Workbench
from maskwright_gui.keymap import DEFAULT_PRESET, PRESET_NAMES, Keys, canonical, claimed_by, resolved

PRESETS = (DEFAULT_PRESET, *PRESET_NAMES)
DEFAULTS = {"next_image": ("D", "PgDown"), "fit": ("F",), "zoom_in": ("ctrl+=",)}


def conflicts(keys: Mapping[str, Keys]) -> dict[str, list[str]]:
    """Keys that more than one action claims: {key: action ids}."""
    claims: dict[str, list[str]] = {}
    for id_, known in keys.items():
        for key in dict.fromkeys(map(canonical, known)):
            claims.setdefault(key, []).append(id_)
    return {key: ids for key, ids in claims.items() if len(ids) > 1}


@pytest.fixture
def actions(bench: Workbench) -> Actions:
    return bench.window.actions_table


@pytest.mark.parametrize("preset", PRESETS)
def test_no_preset_gives_one_key_to_two_actions(actions: Actions, preset: str) -> None:
    assert conflicts(resolved(actions.default_keys, actions.presets[preset])) == {}


def test_every_preset_that_an_action_names_can_be_chosen(actions: Actions) -> None:
    named = {name for spec in actions.specs.values() for name in spec.presets}
    assert named == set(PRESET_NAMES)
    assert list(actions.presets) == list(PRESETS)


def test_keys_are_written_in_one_way(actions: Actions) -> None:
    keys = [key for spec in actions.specs.values() for known in (spec.keys, *spec.presets.values()) for key in known]
    assert [key for key in keys if canonical(key) != key] == []


def test_our_own_keys_are_the_default() -> None:
    assert resolved(DEFAULTS) == {id_: tuple(map(canonical, keys)) for id_, keys in DEFAULTS.items()}


def test_a_key_of_the_preset_is_taken_from_its_former_action(actions: Actions) -> None:
    keys = resolved(actions.default_keys, actions.presets["CVAT"])
    assert keys["next_image"] == ("F", "PgDown")
    assert "F" not in keys["fit"]


def test_a_users_keys_come_before_the_preset(actions: Actions) -> None:
    keys = resolved(actions.default_keys, actions.presets["labelme"], {"fit": ("D",)})
    assert keys["fit"] == ("D",)
    assert "D" not in keys["next_image"]


def test_unknown_actions_in_old_settings_are_ignored() -> None:
    assert "gone" not in resolved(DEFAULTS, {}, {"gone": ("Q",)})


def test_who_has_a_key() -> None:
    assert claimed_by(DEFAULTS, "pgdown") == "next_image"
    assert claimed_by(DEFAULTS, "pgdown", but="next_image") is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [("ctrl++", "Ctrl++"), ("shift+alt+ctrl+del", "Ctrl+Alt+Shift+Del"), ("f", "F"), ("pgdown", "PgDown"), ("[", "[")],
    ids=str,
)
def test_spelling(text: str, expected: str) -> None:
    assert canonical(text) == expected


@given(st.lists(st.sampled_from(["ctrl", "Alt", "SHIFT", "meta"]), unique=True), st.sampled_from("fZ1+-=][,."))
def test_spelling_is_settled_after_one_pass(modifiers: list[str], last: str) -> None:
    key = "+".join([*modifiers, last])
    assert canonical(canonical(key)) == canonical(key)
