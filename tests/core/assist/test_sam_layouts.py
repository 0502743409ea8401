"""Every known export of SAM is recognised and fed as its reference feeds it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import maskwright as mw
from maskwright.assist.placing import SoftMask
from maskwright.assist.prompt import Prompt
from maskwright.assist.sam.backend import SamBackend
from maskwright.assist.sam.prompting import NoPoint
from maskwright.assist.view import BackendAssistant
from maskwright.assist.window import Window
from maskwright.errors import ModelError
from tiny_models import yolact
from tiny_sam import CELLS, EMBEDDED, HAS_MASK, MASK_SUM, SIDE, SIZE, decoder, encoder, told, told_points

PADDED = {"image_embeddings": (1, 5, SIDE, SIDE)}
POINTS = {"point_coords": (1, -1, 2), "point_labels": (1, -1)}
MASK = {"mask_input": (1, 1, CELLS, CELLS), "has_mask_input": (1,)}
FINE = {"high_res_feats_0": (1, 2, 16, 16), "high_res_feats_1": (1, 2, 8, 8)}
OSAM_FINE = {"high_res_features1": (1, 2, 16, 16), "high_res_features2": (1, 2, 8, 8)}


@dataclass(frozen=True)
class Layout:
    """How points of a 40x20 image are to arrive, and what else tells the exports apart."""

    family: str
    build: Callable[[Path], None]
    scale_xy: tuple[float, float] = (1.6, 1.6)
    shift: float = 0.5
    no_point: NoPoint = NoPoint.WITHOUT_BOX
    takes_mask: bool = True
    is_unit: bool = False
    is_stretched: bool = False


def sam(folder: Path) -> None:
    encoder(folder / "encoder.xml", "x", (1, 3, 64, 64))
    shapes = {"masks": (1, 1, CELLS, CELLS), "low_res_masks": (1, 1, CELLS, CELLS)}
    inputs = {**PADDED, **POINTS, **MASK, "orig_im_size": (2,)}
    decoder(folder / "decoder.xml", inputs, shapes, ("iou_predictions", [0.7]))


def sam_with_preprocessing(folder: Path) -> None:
    sam(folder)
    encoder(folder / "encoder.xml", "input_image", (-1, -1, 3))


def efficientvit(folder: Path) -> None:
    encoder(folder / "encoder.xml", "input_image", (-1, 3, 32, 32))
    inputs = {**PADDED, "point_coords": (-1, -1, 2), "point_labels": (-1, -1)}
    decoder(folder / "decoder.xml", inputs, {"masks": (1, 4, CELLS, CELLS)}, ("iou_predictions", [0.1, 0.2, 0.7, 0.3]))


def sam_hq(folder: Path) -> None:
    encoder(folder / "encoder.xml", "input_image", (1, 3, 64, 64), {"interm_embeddings": (4, 1, SIDE, SIDE, 2)})
    inputs = {**PADDED, "interm_embeddings": (4, 1, SIDE, SIDE, 2), **POINTS, **MASK, "orig_im_size": (2,)}
    shapes = {"masks": (1, 1, CELLS, CELLS), "low_res_masks": (1, 1, CELLS, CELLS)}
    decoder(folder / "decoder.xml", inputs, shapes, ("iou_predictions", [0.7]))


def sam2_of_samexporter(folder: Path) -> None:
    encoder(folder / "encoder.xml", "image", (1, 3, 64, 64), FINE, "image_embed")
    masks = {"mask_input": (-1, 1, CELLS, CELLS), "has_mask_input": (-1,)}
    points = {"point_coords": (-1, -1, 2), "point_labels": (-1, -1)}
    inputs = {"image_embed": (1, 5, SIDE, SIDE), **FINE, **points, **masks}
    decoder(folder / "decoder.xml", inputs, {"masks": (1, 3, CELLS, CELLS)}, ("iou_predictions", [0.2, 0.7, 0.1]))


def sam2_of_osam(folder: Path) -> None:
    encoder(folder / "encoder.xml", "input", (1, 3, 64, 64), OSAM_FINE)
    inputs = {
        **PADDED,
        **OSAM_FINE,
        "point_coords": (-1, -1, 2),
        "point_labels": (-1, -1),
        **MASK,
        "orig_im_size": (2,),
    }
    shapes = {"masks": (1, 4, CELLS, CELLS), "low_res_masks": (1, 4, CELLS, CELLS)}
    scores = ("iou_predictions", [0.1, 0.2, 0.7, 0.3])
    decoder(folder / "decoder.xml", inputs, shapes, scores, kinds={"orig_im_size": "i64"})


def sam2_of_transformers(folder: Path) -> None:
    fine = {"image_embeddings.0": (1, 2, 16, 16), "image_embeddings.1": (1, 2, 8, 8)}
    encoder(folder / "vision_encoder.xml", "pixel_values", (-1, 3, -1, -1), fine, "image_embeddings.2")
    prompts = {"input_points": (-1, 1, -1, 2), "input_labels": (-1, 1, -1), "input_boxes": (-1, -1, 4)}
    inputs = {**prompts, **fine, "image_embeddings.2": (1, 5, SIDE, SIDE)}
    shapes = {"pred_masks": (1, 1, 3, CELLS, CELLS)}
    kinds = {"input_labels": "i64"}
    place = folder / "prompt_encoder_mask_decoder.xml"
    decoder(place, inputs, shapes, ("iou_scores", [[0.2, 0.7, 0.1]]), kinds=kinds)  # type: ignore[arg-type,list-item]


def efficient_sam(folder: Path) -> None:
    encoder(folder / "encoder.xml", "batched_images", (-1, 3, -1, -1))
    points = {"batched_point_coords": (1, -1, -1, 2), "batched_point_labels": (1, -1, -1)}
    inputs = {**PADDED, **points, "orig_im_size": (2,)}
    scores = ("iou_predictions", [[0.2, 0.7, 0.1]])
    kinds = {"orig_im_size": "i64"}
    shapes = {"output_masks": (1, 1, 3, CELLS, CELLS)}
    decoder(folder / "decoder.xml", inputs, shapes, scores, kinds=kinds)  # type: ignore[arg-type]


SQUASHED = {"scale_xy": (1.6, 3.2), "is_stretched": True}
LAYOUTS = [
    pytest.param(Layout("sam", sam), id="SAM, MobileSAM"),
    pytest.param(Layout("sam", sam_with_preprocessing), id="samexporter with preprocessing"),
    pytest.param(Layout("sam", efficientvit, takes_mask=False), id="EfficientViT-SAM"),
    pytest.param(Layout("sam_hq", sam_hq), id="SAM-HQ"),
    pytest.param(Layout("sam2", sam2_of_samexporter, no_point=NoPoint.NEVER, **SQUASHED), id="SAM 2, samexporter"),
    pytest.param(Layout("sam2", sam2_of_osam, no_point=NoPoint.NEVER, **SQUASHED), id="SAM 2, osam"),
    pytest.param(
        Layout("sam2", sam2_of_transformers, no_point=NoPoint.ALWAYS, takes_mask=False, **SQUASHED),
        id="SAM 2, transformers",
    ),
    pytest.param(
        Layout(
            "efficient_sam",
            efficient_sam,
            scale_xy=(0.4, 0.8),
            shift=0.125,
            no_point=NoPoint.NEVER,
            takes_mask=False,
            is_unit=True,
            is_stretched=True,
        ),
        id="EfficientSAM",
    ),
]
IMAGE = np.zeros((20, 40, 3), np.uint8)


@pytest.fixture(scope="module", params=LAYOUTS)
def layout(request: pytest.FixtureRequest) -> Layout:
    return request.param


@pytest.fixture(scope="module")
def assistant(layout: Layout, tmp_path_factory: pytest.TempPathFactory) -> BackendAssistant:
    folder = tmp_path_factory.mktemp("sam")
    layout.build(folder)
    return mw.load_assistant(folder, precision="f32")


def backend(assistant: BackendAssistant) -> SamBackend:
    assert isinstance(assistant.backend, SamBackend)
    return assistant.backend


def soft_of(outline: mw.Outline) -> SoftMask:
    assert outline.soft is not None
    return outline.soft


def answer(sam_backend: SamBackend, prompt: Prompt) -> SoftMask:
    features = sam_backend.prepare(IMAGE, Window.whole((40, 20)), None)
    return sam_backend.outline(features, prompt, None)


def test_the_export_is_recognised(layout: Layout, assistant: BackendAssistant) -> None:
    assert backend(assistant).family == layout.family


def test_either_file_of_a_pair_finds_the_other(layout: Layout, tmp_path: Path) -> None:
    layout.build(tmp_path)
    for path in sorted(tmp_path.glob("*.xml")):
        assert backend(mw.load_assistant(path)).family == layout.family


def test_points_arrive_in_the_frame_with_one_point_that_is_none(layout: Layout, assistant: BackendAssistant) -> None:
    outline = assistant.open(IMAGE).outline([(10, 5), (30, 15)], [1, 0])
    (a, b), shift = layout.scale_xy, layout.shift
    after = 0 if layout.no_point is NoPoint.NEVER else -1
    expected = [(10 * a - shift, 5 * b - shift, 1), (30 * a - shift, 15 * b - shift, 0), (0, 0, after)]
    assert np.allclose(told_points(soft_of(outline), 3), expected, atol=1e-4)


def test_a_box_arrives_as_two_corners_after_the_points(layout: Layout, assistant: BackendAssistant) -> None:
    outline = assistant.open(IMAGE).outline([(10, 5)], [1], (5, 2, 35, 18))
    (a, b), shift = layout.scale_xy, layout.shift
    expected = [
        (10 * a - shift, 5 * b - shift, 1),
        (5 * a - shift, 2 * b - shift, 2),
        (35 * a - shift, 18 * b - shift, 3),
        (0, 0, -1 if layout.no_point is NoPoint.ALWAYS else 0),
    ]
    assert np.allclose(told_points(soft_of(outline), 4), expected, atol=1e-4)


def test_the_image_arrives_normalised_and_padded_with_zeros(layout: Layout, assistant: BackendAssistant) -> None:
    image = np.full((20, 40, 3), (10, 20, 30), np.uint8)
    image[:, 20:] = (40, 50, 60)
    features = backend(assistant).prepare(image, Window.whole((40, 20)), None)
    embedding = features.arrays["embedding"][0]
    is_raw = layout.build is sam_with_preprocessing
    left, right = np.array([30.0, 20, 10]), np.array([60.0, 50, 40])
    if layout.is_unit:
        left, right = left / 255, right / 255
    elif not is_raw:
        left, right = ((c - (123.675, 116.28, 103.53)) / (58.395, 57.12, 57.375) for c in (left, right))
    assert np.allclose(embedding[:3, 0, 0], left, atol=1e-3)
    assert np.allclose(embedding[:3, 0, 3], right, atol=1e-3)
    below = left if layout.is_stretched or is_raw else np.zeros(3)
    assert np.allclose(embedding[:3, 3, 0], below, atol=1e-3)
    side = 32 if layout.build is efficientvit else 64
    assert embedding[3:, 0, 0].tolist() == ([32, 64] if is_raw else [side, side])


def test_logits_are_fed_back_where_there_is_an_input_for_them(layout: Layout, assistant: BackendAssistant) -> None:
    view = assistant.open(IMAGE)
    first = view.outline([(10, 5)])
    second = view.outline([(10, 5), (30, 15)], [1, 0], previous=first)
    assert told(soft_of(first))[HAS_MASK] == told(soft_of(first))[MASK_SUM] == 0
    if layout.takes_mask:
        assert told(soft_of(second))[HAS_MASK] == 1
        assert told(soft_of(second))[MASK_SUM] == pytest.approx(float(soft_of(first).logits.sum()), rel=1e-4)


def test_an_outline_to_correct_is_shown_as_mask_or_as_box(layout: Layout, assistant: BackendAssistant) -> None:
    mask = np.zeros((20, 40), bool)
    mask[5:15, 10:30] = True
    prompt = Prompt.of((40, 20), [(12, 6)], [1], mask=mask)
    soft = answer(backend(assistant), prompt)
    labels = [label for _, _, label in told_points(soft, 3)]
    if layout.takes_mask:
        assert told(soft)[HAS_MASK] == 1
        assert labels[:2] == ([1, 0] if layout.no_point is NoPoint.NEVER else [1, -1])
        cells = 6.0 * CELLS * CELLS
        covered = 200 * (0.16 if not layout.is_stretched else 0.32)
        assert told(soft)[MASK_SUM] == pytest.approx(2 * 6 * covered - cells, rel=0.01)
    else:
        assert labels == [1, 2, 3]


def test_the_decoder_is_told_a_small_size_and_given_the_embedding(layout: Layout, assistant: BackendAssistant) -> None:
    soft = soft_of(assistant.open(IMAGE).outline([(10, 5)]))
    size = told(soft)[SIZE : SIZE + 2].tolist()
    assert size in ([CELLS, CELLS], [0, 0])
    assert told(soft)[EMBEDDED] > 0


def test_the_best_scored_mask_is_the_answer_and_others_are_offered(layout: Layout, assistant: BackendAssistant) -> None:
    outline = assistant.open(IMAGE).outline([(10, 5)])
    assert outline.score == pytest.approx(0.7)
    assert len(outline.others) in (0, 2)


def test_a_decoder_that_answers_only_at_its_own_size_is_read(tmp_path: Path) -> None:
    encoder(tmp_path / "encoder.xml", "x", (1, 3, 64, 64))
    masks = {"low_res_masks": (1, 1, CELLS, CELLS)}
    decoder(tmp_path / "decoder.xml", {**PADDED, **POINTS, **MASK}, masks, ("iou_predictions", [0.7]))
    assistant = mw.load_assistant(tmp_path, precision="f32")
    assert assistant.open(IMAGE).outline([(5, 5)]).score == pytest.approx(0.7)


def test_two_networks_that_do_not_fit_are_refused_with_both_shapes(tmp_path: Path) -> None:
    sam(tmp_path)
    shapes = {"masks": (1, 1, CELLS, CELLS)}
    inputs = {"image_embeddings": (1, 256, 64, 64), **POINTS, **MASK, "orig_im_size": (2,)}
    decoder(tmp_path / "decoder.xml", inputs, shapes, ("iou_predictions", [0.7]))
    with pytest.raises(ModelError, match="different models"):
        mw.load_assistant(tmp_path)


@pytest.mark.parametrize(
    ("gone", "reason"), [("decoder", "its decoder is missing"), ("encoder", "its encoder is missing")]
)
def test_half_of_a_pair_says_what_is_missing(gone: str, reason: str, tmp_path: Path) -> None:
    sam(tmp_path)
    for suffix in (".xml", ".bin"):
        (tmp_path / gone).with_suffix(suffix).unlink()
    with pytest.raises(ModelError, match=f"its {gone} is missing"):
        mw.load_assistant(tmp_path)


def test_either_file_of_a_pair_will_do(tmp_path: Path) -> None:
    sam(tmp_path)
    for half in ("encoder", "decoder"):
        assert backend(mw.load_assistant(tmp_path / f"{half}.xml")).family == "sam"


def test_a_network_of_another_kind_is_refused_with_what_it_offers(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"not a known kind of assistant.*conf"):
        mw.load_assistant(yolact(tmp_path / "other.xml"))


def test_a_decoder_that_answers_nan_is_an_error_of_the_model(tmp_path: Path) -> None:
    sam(tmp_path)
    sam_backend = backend(mw.load_assistant(tmp_path))
    previous = SoftMask(np.ones((CELLS, CELLS), np.float32), sam_backend.layout.frame.axes(CELLS, (40, 20)), 1.0)
    previous.logits[0, 0] = np.nan
    with pytest.raises(ModelError, match="NaN"):
        answer(sam_backend, Prompt.of((40, 20), [(1, 1)], previous=previous))
