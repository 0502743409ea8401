"""Which images come first, and why."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import tiny_models
from maskwright.document.change import Change
from maskwright.document.values import ImageStanding, InstanceState
from maskwright.images import read_image
from maskwright.inference.candidates import Candidates
from maskwright.inference.model import Model, load_model
from maskwright.inference.thresholds import Thresholds
from maskwright.operations.comparing import compare_with
from maskwright.prelabel import run_batch
from maskwright.project import ModelProposal, Project, scan_folder
from maskwright.review.disagreement import disagreement
from maskwright.review.order import QueueOrder, ordered_images, reason
from maskwright.review.uncertainty import image_uncertainty
from project_builders import drawn, make_project, square, write_image


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with make_project(tmp_path, images=4) as project:
        yield project


def model_with(folder: Path, scores: tuple[float, float], soft: float = 9.0) -> Model:
    """A tiny YOLACT that gives its two objects these scores; `soft`: logit of its masks everywhere."""
    conf = [[[0.0, scores[0], 0.0], [0.0, 0.0, scores[1]]]]
    path = folder / f"{scores[0]}-{scores[1]}-{soft}.xml"
    return load_model(tiny_models.yolact(path, conf=conf, proto=[[[[soft]] * 8] * 8]))


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        pytest.param((0.99, 0.99), (0.02, 0.0), id="sure"),
        pytest.param((0.6, 0.99), (0.41, 0.0), id="one uncertain proposal"),
        pytest.param((0.4, 0.99), (0.01, 0.4), id="one that was perhaps missed"),
    ],
)
def test_expected_corrections_follow_the_scores(
    tmp_path: Path, scores: tuple[float, float], expected: tuple[float, float]
) -> None:
    image = read_image(write_image(tmp_path / "a.png")).bgr_u8

    found = image_uncertainty(model_with(tmp_path, scores).predict(image), Thresholds(0.5))

    assert (found.false, found.missed) == pytest.approx(expected, abs=1e-3)
    assert found.outlines < 0.25  # the cut at the box moves by part of a cell of the tiny grid


def test_soft_outlines_count(tmp_path: Path) -> None:
    image = read_image(write_image(tmp_path / "a.png")).bgr_u8

    found = image_uncertainty(model_with(tmp_path, (0.99, 0.99), soft=0.3).predict(image), Thresholds(0.5))

    assert found.outlines == pytest.approx(2)
    assert "unclear outlines" in found.reason


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        pytest.param((0.96, 0.99), [], id="sure"),
        pytest.param((0.6, 0.96), ["score"], id="just above the threshold"),
        pytest.param((0.45, 0.96), ["score"], id="just below"),
        pytest.param((0.2, 0.96), [], id="far below"),
    ],
)
def test_only_scores_near_the_threshold_are_doubtful(
    tmp_path: Path, scores: tuple[float, float], expected: list[str]
) -> None:
    image = read_image(write_image(tmp_path / "a.png")).bgr_u8

    found = image_uncertainty(model_with(tmp_path, scores).predict(image), Thresholds(0.5))

    assert [doubt.kind for doubt in found.uncertain] == expected
    assert ("no single object is uncertain" in found.reason or found.reason == "nothing uncertain") == (not expected)


def two_classes(folder: Path, first: float, second: float) -> Candidates:
    """Of one object in the left half, at one anchor."""
    conf = [[[0.0, first, second], [1.0, 0.0, 0.0]]]
    model = load_model(tiny_models.yolact(folder / f"{first}-{second}.xml", conf=conf))
    return model.predict(read_image(write_image(folder / "a.png")).bgr_u8)


def test_a_second_class_close_behind_is_a_doubt_about_the_class(tmp_path: Path) -> None:
    candidates = two_classes(tmp_path, 0.5, 0.45)

    found = image_uncertainty(candidates, Thresholds(0.3, is_class_agnostic=True))

    assert [(doubt.kind, doubt.rival) for doubt in found.uncertain] == [("class", candidates.categories[1].name)]
    assert (found.classes, found.missed) == pytest.approx((0.45, 0), abs=1e-3)
    assert found.value == pytest.approx(0.5 + 0.45 + found.outlines, abs=1e-3)


def test_a_second_class_far_behind_is_no_object_that_was_missed(tmp_path: Path) -> None:
    found = image_uncertainty(two_classes(tmp_path, 0.8, 0.15), Thresholds(0.5))

    assert found.uncertain == ()
    assert (found.classes, found.missed) == pytest.approx((0.15, 0), abs=1e-3)


def test_a_class_that_is_not_proposed_raises_no_doubt(tmp_path: Path) -> None:
    candidates = two_classes(tmp_path, 0.5, 0.45)
    first, second = (category.id for category in candidates.categories[:2])
    assert image_uncertainty(candidates, Thresholds(0.3, categories=(first,))).classes == 0
    assert image_uncertainty(candidates, Thresholds(0.3, categories=(first, second))).classes > 0


def test_a_mask_that_depends_on_its_cut_is_doubtful(tmp_path: Path) -> None:
    image = read_image(write_image(tmp_path / "a.png")).bgr_u8

    found = image_uncertainty(model_with(tmp_path, (0.96, 0.99), soft=0.3).predict(image), Thresholds(0.5))

    assert [doubt.kind for doubt in found.uncertain] == ["outline", "outline"]


def test_two_sides_differ_in_presence_class_and_outline() -> None:
    here = [
        replace(drawn(1, square(0, side=20)), score=0.9),
        replace(drawn(2, square(100, side=20)), score=0.8),
        replace(drawn(3, square(200, side=20), category_id=2), score=0.7),
        replace(drawn(4, square(300, side=20)), state=InstanceState.REJECTED),
    ]
    there = [
        ModelProposal(1, 0.9, (square(0, side=20),)),
        ModelProposal(1, 0.6, (square(204, side=20),)),
        ModelProposal(1, 0.5, (square(500, side=20),)),
        ModelProposal(1, 0.4, (square(0, 500, side=20),)),
    ]

    found = disagreement(here, there)

    assert [(item.kind, item.instance_id) for item in found.findings] == [
        ("class", 3),
        ("only here", 2),
        ("only there", None),
        ("only there", None),
        ("outline", 1),
    ]
    assert found.value == pytest.approx(1 + 0.8 + 0.5 + 0.4)
    assert found.reason == "3 found by only one model, 1 with two classes"


def test_nothing_against_nothing_is_agreement() -> None:
    assert disagreement([], []).reason == "both models agree"


def test_rare_classes_come_first(project: Project) -> None:
    for image_id, categories in {1: [1, 1], 2: [1], 3: [2]}.items():
        instances = [drawn(10 * image_id + k, category_id=id_) for k, id_ in enumerate(categories)]
        project.instances.apply(image_id, Change.create(instances), label="Draw")

    assert ordered_images(project, "rarity").tolist() == [3, 1, 2, 4]
    assert reason(project, "rarity", 3) == "cat: 1 in the project"


def test_images_without_a_signal_come_last_by_name(project: Project) -> None:
    project.signals.set("uncertainty", {2: (0.5, {"reason": "a"}), 4: (1.5, {"reason": "b"})})

    assert ordered_images(project, "uncertainty").tolist() == [4, 2, 1, 3]
    assert reason(project, "uncertainty", 4) == "b"
    assert reason(project, "uncertainty", 1) == ""
    assert ordered_images(project, "name").tolist() == [1, 2, 3, 4]


def test_where_no_models_were_compared_uncertainty_decides(project: Project) -> None:
    project.signals.set("uncertainty", {1: (0.5, {"reason": "a"}), 3: (1.5, {"reason": "b"}), 4: (9.0, None)})
    project.signals.set("disagreement", {4: (0.1, {"reason": "c"}), 2: (0.2, {"reason": "d"})})

    assert ordered_images(project, "disagreement").tolist() == [2, 4, 3, 1]
    assert [reason(project, "disagreement", id_) for id_ in (2, 3)] == ["d", "b"]


@pytest.mark.parametrize("order", ["uncertainty", "disagreement", "rarity"])
def test_images_that_are_excluded_have_no_place_in_any_order(project: Project, order: QueueOrder) -> None:
    project.signals.set("uncertainty", {4: (1.5, {"reason": "b"}), 2: (0.5, {"reason": "a"})})
    project.signals.set("disagreement", {4: (1.5, {"reason": "b"}), 2: (0.5, {"reason": "a"})})
    for image_id in (2, 4):
        project.instances.apply(image_id, Change.create([drawn(image_id)]), label="Draw")
    project.images.set_standing([4], ImageStanding.EXCLUDED)

    assert ordered_images(project, order).tolist() == [2, 1, 3]


def test_a_batch_notes_its_doubts_and_a_second_model_its_dissent(tmp_path: Path) -> None:
    for index in range(3):
        write_image(tmp_path / "images" / f"{index}.png")
    with Project.create(tmp_path / "set.maskwright", image_root=tmp_path / "images") as project:
        project.images.add(scan_folder(project.image_root))
        run_batch(project, model_with(tmp_path, (0.99, 0.6)), Thresholds())
        before = [project.instances.of(id_) for id_ in (1, 2, 3)]

        done = compare_with(project, model_with(tmp_path, (0.99, 0.2)), Thresholds())

        assert done == 3
        assert [project.instances.of(id_) for id_ in (1, 2, 3)] == before
        assert project.signals.values("uncertainty")[1] == pytest.approx([0.41] * 3, abs=0.25)
        assert project.signals.values("disagreement")[1] == pytest.approx([0.6] * 3, abs=1e-2)
        assert "found by only one model" in reason(project, "disagreement", 1)
