"""The bundled network: windows that follow the object, on the sample project's scenes whose masks are exact."""

import hashlib
import threading
import tomllib
from pathlib import Path

import numpy as np
import pytest

import maskwright as mw
from maskwright.assist.bundled.backend import square
from maskwright.assist.bundled.choosing import Margins, window_around, windows_of_clicks
from maskwright.assist.bundled.drawing import prompt_planes
from maskwright.assist.prompt import Prompt
from maskwright.assist.view import BackendAssistant
from maskwright.assist.window import Window
from maskwright.geometry.raster import mask_iou
from maskwright.inference.async_runner import InferenceCancelledError
from maskwright.samples.scenes import SCENES, make_scene

Scene = tuple[np.ndarray, list[np.ndarray]]


@pytest.fixture(scope="module")
def assistant() -> BackendAssistant:
    return mw.load_assistant("bundled", precision="f32")


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    """Three looks (fluorescence, stained, phase contrast), four whole nuclei each."""
    found: list[Scene] = []
    for scene in (SCENES[0], SCENES[1], SCENES[3]):
        image, labels = make_scene(scene)
        inner = np.setdiff1d(labels[8:-8, 8:-8], [0, *labels[:8].flat, *labels[-8:].flat])
        found.append((image, [labels == number for number in inner[:4].tolist()]))
    return found


def box_of(mask: np.ndarray) -> tuple[float, float, float, float]:
    rows, columns = np.nonzero(mask.any(1))[0], np.nonzero(mask.any(0))[0]
    return float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)


def middle_of(mask: np.ndarray) -> tuple[float, float]:
    x1, y1, x2, y2 = box_of(mask)
    return (x1 + x2) / 2, (y1 + y2) / 2


def test_boxes_give_the_objects_in_them(assistant: BackendAssistant, scenes: list[Scene]) -> None:
    for image, truths in scenes:
        outlines = assistant.open(image).outlines([box_of(truth) for truth in truths])
        ious = [mask_iou(outline.mask, truth) for outline, truth in zip(outlines, truths, strict=True)]
        assert np.mean(ious) > 0.85
        assert all(0.6 < outline.score <= 1 for outline in outlines)


def test_a_batch_of_boxes_answers_as_each_alone(assistant: BackendAssistant, scenes: list[Scene]) -> None:
    image, truths = scenes[0]
    view = assistant.open(image)
    boxes = [box_of(truth) for truth in truths] * 3  # more than one batch
    for box, outline in zip(boxes, view.outlines(boxes), strict=True):
        assert mask_iou(outline.mask, view.outline(box_xyxy=box).mask) > 0.99


def test_a_new_box_is_looked_at_twice(assistant: BackendAssistant, scenes: list[Scene]) -> None:
    image, truths = scenes[1]
    view, box = assistant.open(image), box_of(truths[0])
    backend = assistant.backend
    prompt = Prompt.of(view.size_wh, box_xyxy=box)
    features = backend.prepare(image, window_around(box, Margins()), None)
    first = backend.outline(features, prompt, None)
    second = backend.outline(features, prompt.with_previous(first), None)
    answer = view.outline(box_xyxy=box)
    assert answer.soft is not None
    assert np.allclose(answer.soft.logits, second.logits, atol=1e-4)
    assert not np.allclose(answer.soft.logits, first.logits, atol=1e-2)


def test_one_click_finds_the_object_and_its_size(assistant: BackendAssistant, scenes: list[Scene]) -> None:
    ious = [
        mask_iou(assistant.open(image).outline([middle_of(truth)]).mask, truth)
        for image, truths in scenes
        for truth in truths[:2]
    ]
    assert np.mean(ious) > 0.7


def test_a_click_outside_takes_away_what_a_box_took_too_much(assistant: BackendAssistant) -> None:
    image = np.full((160, 240, 3), 60, np.uint8)
    image[50:110, 30:100] = image[50:110, 130:200] = (90, 160, 220)
    truth = np.zeros((160, 240), np.bool_)
    truth[50:110, 30:100] = True
    view = assistant.open(image)
    both = view.outline([(65, 80), (165, 80)])
    one = view.outline([(65, 80), (165, 80)], [1, 0])
    assert one.mask[50:110, 130:200].mean() < both.mask[50:110, 130:200].mean()
    assert one.mask[80, 65]
    assert not one.mask[80, 165]


def test_the_far_side_of_a_corrected_outline_stays(assistant: BackendAssistant, scenes: list[Scene]) -> None:
    image, truths = scenes[0]
    x1, y1, x2, y2 = box_of(truths[0])
    spoilt = truths[0].copy()
    spoilt[:, : int((x1 + x2) / 2)] = False  # the left half is missing
    click = (x1 + (x2 - x1) / 4, (y1 + y2) / 2)
    better = assistant.open(image).outline([click], mask=spoilt, min_iou=None)
    assert mask_iou(better.mask, truths[0]) > mask_iou(spoilt, truths[0]) + 0.2
    right = slice(int(x1 + 0.75 * (x2 - x1)), None)
    assert np.array_equal(better.mask[:, right], spoilt[:, right])


def test_an_outline_is_redone_as_a_whole_without_clicks(assistant: BackendAssistant, scenes: list[Scene]) -> None:
    image, truths = scenes[0]
    coarse = np.zeros_like(truths[0])
    x1, y1, x2, y2 = (int(value) for value in box_of(truths[0]))
    coarse[y1:y2, x1:x2] = True
    refined = assistant.open(image).outline(mask=coarse)
    assert mask_iou(refined.mask, truths[0]) > mask_iou(coarse, truths[0])


@pytest.mark.parametrize("size_wh", [(1, 1), (2, 3), (7, 400), (4000, 5)])
def test_odd_images_are_answered(assistant: BackendAssistant, size_wh: tuple[int, int]) -> None:
    width, height = size_wh
    view = assistant.open(np.full((height, width, 3), 90, np.uint8))
    assert view.outline(box_xyxy=(0, 0, width, height)).mask.shape == (height, width)
    assert view.outline([(width / 2, height / 2)]).mask.shape == (height, width)


def test_two_hundred_clicks_and_a_mask_beyond_them_are_answered(assistant: BackendAssistant) -> None:
    points = np.random.default_rng(0).uniform(0, 200, (200, 2))
    labels = (np.arange(200) % 2).tolist()
    assert assistant.open(np.zeros((200, 200, 3), np.uint8)).outline(points, labels).mask.shape == (200, 200)


def test_nothing_runs_once_it_is_cancelled(assistant: BackendAssistant) -> None:
    cancel = threading.Event()
    cancel.set()
    view = assistant.open(np.zeros((100, 100, 3), np.uint8))
    with pytest.raises(InferenceCancelledError):
        view.outline([(50, 50)], cancel=cancel)


def test_what_is_cancelled_while_it_runs_gives_no_answer(assistant: BackendAssistant) -> None:
    class Late:
        asked = 0

        def is_set(self) -> bool:
            self.asked += 1
            return self.asked > 1

    late = Late()
    with pytest.raises(InferenceCancelledError):
        assistant.open(np.full((60, 60, 3), 90, np.uint8)).outline(box_xyxy=(10, 10, 40, 40), cancel=late)
    assert late.asked == 2


def test_a_network_that_wants_another_prompt_is_refused(tmp_path: Path) -> None:
    import openvino

    from maskwright_resources import resource_path

    core = openvino.Core()
    model = core.read_model(resource_path("models", "assist", "assist.xml"))
    model.set_rt_info("box scribbles", ["model_info", "prompt_planes"])
    openvino.save_model(model, tmp_path / "other.xml")
    with pytest.raises(mw.errors.ModelError, match="does not know"):
        mw.load_assistant(tmp_path / "other.xml")


def test_windows_are_neither_tiny_nor_much_stretched() -> None:
    tiny = window_around((10, 10, 11, 11), Margins())
    long = window_around((0, 0, 400, 10), Margins())
    assert tiny.width >= 32 and tiny.height >= 32
    assert long.width / long.height <= 2.02


def test_click_windows_grow_up_to_the_whole_image() -> None:
    windows = windows_of_clicks(Prompt.of((640, 480), [(100, 100), (300, 100)]))
    widths = [window.width for window in windows]
    assert widths == sorted(widths)
    assert all(window.x <= 100 and window.x + window.width >= 300 for window in windows)
    assert windows[-1].bounds_xyxy == (0, 0, 640, 480)


def test_a_click_is_drawn_where_it_lies_in_the_window() -> None:
    prompt = Prompt.of((640, 480), [(120, 70), (150, 90)], [1, 0], box_xyxy=(100, 50, 164, 114))
    planes = prompt_planes(prompt, Window(68, 18, 128, 128), 64, None)
    assert np.unravel_index(int(planes[1].argmax()), (64, 64)) in [(25, 25), (26, 26), (25, 26), (26, 25)]
    assert planes[0, 16:48, 16:48].min() == 1
    assert planes[0].sum() == 32 * 32
    assert not planes[3].any()


def test_a_window_beyond_the_border_is_filled_and_not_shifted() -> None:
    image = np.zeros((100, 100, 3), np.uint8)
    image[:50, :50] = 255
    pixels = square(image, Window(-50, -50, 200, 200), 128, 127)
    assert (pixels[:31] == 127).all()
    assert (pixels[34:62, 34:62] == 255).all()
    assert (pixels[66:94, 66:94] == 0).all()


def test_a_huge_window_is_reduced_without_a_copy_of_it() -> None:
    strip = np.broadcast_to(np.full((1, 1, 3), 200, np.uint8), (20000, 20000, 3))[:, ::200][:, :100]
    pixels = square(np.ascontiguousarray(strip), Window(-10, -10, 120, 20020), 128, 127)
    assert pixels.shape == (128, 128, 3)
    assert (pixels[64, 64] == 200).all()


def test_its_card_tells_of_the_file_that_ships_and_of_where_it_comes_from() -> None:
    from maskwright.models.catalog import listed_models
    from maskwright_resources import resource_path

    folder = resource_path("models", "assist")
    card = tomllib.loads((folder / "card.toml").read_text("utf-8"))
    assert card["sha256"] == hashlib.sha256((folder / "assist.bin").read_bytes()).hexdigest()
    assert (folder / "assist.bin").stat().st_size < 12 * 2**20
    assert "Apache License" in (folder / "NOTICE").read_text("utf-8")
    assert {"training", "provenance", "license"} <= card["data"].keys()
    # It proposes nothing by itself, so it is not offered among the models that do.
    assert "assist" not in {listed.name for listed in listed_models()}
