"""The search field of the image list."""

import time
from datetime import datetime, timedelta

import pytest
from PySide6.QtWidgets import QComboBox, QLabel
from pytestqt.qtbot import QtBot

from maskwright.document.values import Category, InstanceState
from maskwright.project import Span
from maskwright_gui.app import Workbench
from maskwright_gui.panels.image_query import parse_search

CLASSES = (Category(1, "car"), Category(2, "cart"), Category(3, "potted plant"))


def test_plain_words_are_a_file_name() -> None:
    assert parse_search("street 07", CLASSES) == ("street 07", None)


@pytest.mark.parametrize(
    ("text", "ids"),
    [("class:car", (1, 2)), ('class:"potted plant"', (3,)), ("class:dog", ()), ("class:cart class:plant", (2, 3))],
    ids=["part", "quoted", "unknown", "several"],
)
def test_classes_by_name(text: str, ids: tuple[int, ...]) -> None:
    name, search = parse_search(text, CLASSES)
    assert (name, search.category_ids) == ("", ids)


def test_conditions_are_of_one_object() -> None:
    name, search = parse_search("dusk is:prop score>0.3 score<0.6 model:yolact", CLASSES)
    assert name == "dusk"
    assert search.states == (InstanceState.PROPOSED,)
    assert (search.min_score, search.max_score, search.model_name) == (0.3, 0.6, "yolact")


def test_state_is_another_word_for_is() -> None:
    assert parse_search("state:edited", CLASSES) == parse_search("is:edited", CLASSES)


def test_what_was_rejected_is_found_only_when_asked_for() -> None:
    searches = [parse_search(text, CLASSES)[1] for text in ("class:car", "class:car is:rejected")]
    assert [InstanceState.REJECTED in search.states for search in searches] == [False, True]


def test_counts_stand_with_the_filters(qtbot: QtBot, opened: Workbench) -> None:
    opened.images.done()
    qtbot.waitUntil(lambda: filter_texts(opened)[:2] == ["All images (6)", "Not done (5)"])
    opened.images.panel.search("00")
    opened.images.panel.search("003")
    found = next(label for label in opened.images.panel.findChildren(QLabel) if "of 6" in label.text())
    assert (found.isHidden(), found.text().split(".")[0]) == (False, "1 of 6 images")
    found.linkActivated.emit("all")
    assert (opened.images.rows.rowCount(), found.isHidden()) == (6, True)


def filter_texts(bench: Workbench) -> list[str]:
    combo = bench.images.panel.findChild(QComboBox)
    return [combo.itemText(place) for place in range(combo.count())]


def test_thresholds_of_the_proposal_are_conditions_too() -> None:
    name, search = parse_search("threshold>0.3 overlap<=0.6 mask>0.5 mask<0.7 detail:1", CLASSES)
    assert name == ""
    assert search.origin == {
        "score_threshold": Span(0.3),
        "nms_iou": Span(None, 0.6),
        "mask_threshold": Span(0.5, 0.7),
        "min_iou": Span(1.0, 1.0),
    }


@pytest.mark.parametrize(
    ("word", "bounds"),
    [
        ("edited>2026-11-20", ("2026-11-20T00:00:00", None)),
        ("edited<2026-11-20", (None, "2026-11-20T00:00:00")),
        ("edited:2026-11-20", ("2026-11-20T00:00:00", "2026-11-21T00:00:00")),
        ("edited>2026-11-20T14:30+02:00", ("2026-11-20T12:30:00", None)),
    ],
    ids=["since", "before", "within", "zone"],
)
def test_times_are_days_here_or_moments(
    monkeypatch: pytest.MonkeyPatch, word: str, bounds: tuple[str | None, str | None]
) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    _, search = parse_search(word, CLASSES)
    assert (search.edited.low, search.edited.high) == bounds


def test_today_is_a_day() -> None:
    _, search = parse_search("proposed:today", CLASSES)
    span = search.origin["created_at"]
    assert datetime.fromisoformat(span.high) - datetime.fromisoformat(span.low) == timedelta(days=1)


@pytest.mark.parametrize("word", ["edited>soon", "mask>", "mask>high", "colour:red", "a:b"])
def test_what_is_no_condition_is_looked_for_in_names(word: str) -> None:
    assert parse_search(word, CLASSES) == (word, None)


def test_unfinished_number_is_no_condition() -> None:
    assert parse_search("score<", CLASSES) == ("score<", None)
