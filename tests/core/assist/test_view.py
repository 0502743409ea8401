"""What is around every backend: caching, cancelling, correcting."""

import threading

import cv2
import numpy as np
import pytest

import maskwright as mw
from fake_assistant import FakeBackend, fake_assistant
from maskwright.assist.features import FeatureCache
from maskwright.assist.outline import MOST_RINGS
from maskwright.assist.view import BackendAssistant
from maskwright.errors import ModelError, PromptError
from maskwright.inference.async_runner import InferenceCancelledError

IMAGE = np.zeros((60, 80, 3), np.uint8)


def test_opening_runs_nothing() -> None:
    backend = FakeBackend()
    fake_assistant(backend).open(IMAGE)
    assert not backend.prepared


def test_a_click_gives_mask_polygons_and_score() -> None:
    outline = fake_assistant().open(IMAGE).outline([(20, 30)], [1])
    assert outline.mask.shape == (60, 80)
    assert outline.area == int(outline.mask.sum()) == 100
    assert outline.bounds_xyxy == (15, 25, 25, 35)
    assert np.array_equal(mw.polygons_to_mask(outline.polygons, (80, 60)), outline.mask)
    assert outline.score == 0.9


def test_features_are_made_once_for_all_prompts_of_an_image() -> None:
    backend = FakeBackend()
    view = fake_assistant(backend).open(IMAGE)
    view.prepare()
    view.outline([(20, 30)])
    view.outline(box_xyxy=(1, 2, 30, 40))
    assert len(backend.prepared) == 1


def test_an_image_with_an_identity_is_known_when_it_is_opened_again() -> None:
    backend = FakeBackend()
    assistant = fake_assistant(backend)
    for identity in ("a", "b", "a"):
        assistant.open(IMAGE, identity=identity).outline([(20, 30)])
    assert len(backend.prepared) == 2


def test_images_without_identity_are_never_taken_for_one_another() -> None:
    backend = FakeBackend()
    assistant = fake_assistant(backend)
    assistant.open(IMAGE).outline([(20, 30)])
    assistant.open(IMAGE).outline([(20, 30)])
    assert len(backend.prepared) == 2


def test_features_in_memory_are_bounded_by_bytes() -> None:
    cache = FeatureCache(max_bytes=12)
    assistant = BackendAssistant(FakeBackend(), cache)
    for identity in "abcdef":
        assistant.open(IMAGE, identity=identity).prepare()
    assert cache.used_bytes == 12


def test_threads_that_meet_at_an_image_prepare_it_once() -> None:
    backend = FakeBackend()
    view = fake_assistant(backend).open(IMAGE)
    threads = [threading.Thread(target=view.outline, args=([(20, 30)],)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(backend.prepared), len(backend.prompts)) == (1, 8)


def test_a_cancelled_prompt_raises_and_leaves_the_view_usable() -> None:
    view = fake_assistant().open(IMAGE)
    cancelled = threading.Event()
    cancelled.set()
    with pytest.raises(InferenceCancelledError):
        view.outline([(20, 30)], cancel=cancelled)
    assert not view.outline([(20, 30)]).is_empty


def test_the_next_press_hands_on_the_logits_of_the_last() -> None:
    backend = FakeBackend()
    view = fake_assistant(backend).open(IMAGE)
    first = view.outline([(20, 30)])
    view.outline([(20, 30), (30, 30)], [1, 0], previous=first)
    assert backend.prompts[1].previous is first.soft


def test_the_answer_of_another_image_is_refused() -> None:
    assistant = fake_assistant()
    other = assistant.open(np.zeros((9, 9, 3), np.uint8)).outline([(4, 4)])
    with pytest.raises(PromptError, match="previous answer"):
        assistant.open(IMAGE).outline([(20, 30)], previous=other)


def test_many_boxes_become_many_outlines() -> None:
    outlines = fake_assistant().open(IMAGE).outlines([(0, 0, 10, 10), (20, 20, 40, 50)])
    assert [outline.bounds_xyxy for outline in outlines] == [(0, 0, 10, 10), (20, 20, 40, 50)]
    assert fake_assistant().open(IMAGE).outlines([]) == []


def test_an_image_of_one_pixel_is_answered() -> None:
    assert fake_assistant().open(np.zeros((1, 1, 3), np.uint8)).outline([(0.5, 0.5)]).area == 1


@pytest.mark.parametrize("image", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)])
def test_what_is_no_image_is_refused(image: np.ndarray) -> None:
    with pytest.raises(ValueError, match="uint8 image"):
        fake_assistant().open(image)


def test_correcting_changes_only_what_is_near_the_click() -> None:
    backend = FakeBackend()
    backend.truth = np.zeros((60, 80), bool)
    backend.truth[9:51, 9:60] = True  # a pixel more on each side, and a piece more on the right
    square = mw.Polygon.of([(10, 10), (40, 10), (40, 50), (10, 50)])
    outline = fake_assistant(backend).open(IMAGE).outline([(52, 30)], mask=(square,))
    assert {(10.0, 10.0), (10.0, 50.0)} <= set(map(tuple, outline.polygons[0].exterior.tolist()))
    assert outline.mask[30, 55]
    assert not outline.mask[30, 9]
    assert np.array_equal(mw.polygons_to_mask(outline.polygons, (80, 60)), outline.mask)


def test_of_an_answer_that_is_noise_only_the_large_parts_and_holes_are_taken() -> None:
    noise = np.random.default_rng(0).random((200, 300)) < 0.7
    noise[50:150, 100:200] = True
    noise[80:100, 120:140] = False
    backend = FakeBackend()
    backend.truth = noise
    outline = fake_assistant(backend).open(np.zeros((200, 300, 3), np.uint8)).outline([(150, 75)], [1])
    rings, _ = cv2.findContours(outline.mask.view(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    assert len(rings) <= MOST_RINGS
    assert outline.mask[60, 110]
    assert not outline.mask[85:95, 125:135].any()
    assert sum(len(polygon.rings) for polygon in outline.polygons) < 2 * MOST_RINGS


def test_load_assistant_names_what_there_is() -> None:
    assert mw.load_assistant("grabcut").name == "grabcut"
    with pytest.raises(ModelError, match="no installed assistant called"):
        mw.load_assistant("no-such-thing")
