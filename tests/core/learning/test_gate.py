"""A model is replaced by what is not worse, and never silently."""

import pytest

from maskwright.learning.gate import Figures, images_until_next_round, verdict


def figures(f1: float, ap: float) -> Figures:
    return Figures(f1=f1, precision=f1, recall=f1, ap50=ap, ap=ap, score=0.4, images=5, objects=30)


@pytest.mark.parametrize(
    ("new", "old", "taken"),
    [
        ((0.9, 0.7), (0.8, 0.6), True),
        ((0.88, 0.70), (0.9, 0.7), True),
        ((0.87, 0.70), (0.9, 0.7), False),
        ((0.95, 0.66), (0.9, 0.7), False),
        ((0.9, 0.67), (0.9, 0.7), True),
    ],
    ids=["better", "as good within two hundredths", "f1 fell", "ap fell", "ap within three hundredths"],
)
def test_new_model_is_taken_unless_it_is_worse(new: tuple[float, float], old: tuple[float, float], taken: bool) -> None:
    assert verdict(figures(*new), figures(*old), old_name="before").is_taken is taken


def test_refusal_names_both_figures() -> None:
    reason = verdict(figures(0.6, 0.3), figures(0.9, 0.7), old_name="nuclei").reason

    assert all(part in reason for part in ("0.60", "0.30", "nuclei", "0.90", "0.70"))


def test_model_that_finds_nothing_is_never_taken() -> None:
    assert not verdict(figures(0.0, 0.0), None).is_taken


def test_first_model_is_taken() -> None:
    assert verdict(figures(0.3, 0.2), None).is_taken


def test_without_held_out_images_it_is_taken_and_said_to_be_unjudged() -> None:
    decided = verdict(None, None, old_name="before")

    assert decided.is_taken
    assert "without evaluation" in decided.reason


@pytest.mark.parametrize(("quality", "images", "more"), [(0.5, 12, 2), (0.8, 40, 13), (0.95, 40, None), (0.0, 5, 5)])
def test_rule_for_the_next_round(quality: float, images: int, more: int | None) -> None:
    assert images_until_next_round(quality, images) == more
