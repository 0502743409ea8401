"""One engine makes proposals, whoever asks: the batch, one image, a slider, other thresholds for all."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import tiny_models
from maskwright.document.change import Change
from maskwright.document.values import ImageState, Instance, InstanceState
from maskwright.images import read_image
from maskwright.images.identity import SeenFile
from maskwright.inference.candidate_cache import CandidateCache
from maskwright.inference.model import Model, load_model
from maskwright.inference.thresholds import Thresholds
from maskwright.monitor import OperationCancelledError
from maskwright.operations.proposing import known_image, predict_image, rethreshold
from maskwright.prelabel import run_batch
from maskwright.project import Project, scan_folder
from project_builders import write_image


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """Finds the left half as class 1 (0.9) and the right half as class 2 (0.8) in whatever it sees."""
    return load_model(tiny_models.yolact(tmp_path_factory.mktemp("model") / "tiny.xml"))


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    for index in range(3):
        write_image(tmp_path / "images" / f"{index}.png")
    with Project.create(tmp_path / "set.maskwright", image_root=tmp_path / "images") as project:
        project.images.add(scan_folder(project.image_root))
        yield project


@pytest.fixture
def cache(project: Project) -> CandidateCache:
    return CandidateCache.of_project(project.path)


def looks(instances: tuple[Instance, ...]) -> list[tuple[object, ...]]:
    """All of an instance but its id and when it was proposed."""
    origins = [replace(instance.provenance, created_at="") for instance in instances]
    listed = zip(instances, origins, strict=True)
    return [(one.category_id, one.score, one.polygons, one.dense, one.state, origin) for one, origin in listed]


class Stopper:
    """Cancels at the n-th question."""

    def __init__(self, after: int) -> None:
        self.left = after

    def report(self, done: int, total: int | None, text: str = "") -> None:
        self.check()

    def check(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise OperationCancelledError


def test_one_image_gets_by_hand_what_a_batch_gives_it(project: Project, cache: CandidateCache, model: Model) -> None:
    predict_image(project, 1, model, Thresholds(), cache=cache)
    by_hand, judged = project.instances.of(1), project.signals.get("uncertainty", 1)

    run_batch(project, model, Thresholds())

    assert looks(project.instances.of(2)) == looks(by_hand)
    assert project.signals.get("uncertainty", 2) == judged


def test_the_outcome_is_the_change_that_was_stored(project: Project, model: Model) -> None:
    before = project.instances.document(1)
    outcome = predict_image(project, 1, model, Thresholds())
    assert tuple(before.apply(outcome.change)) == tuple(project.instances.document(1))
    assert outcome.proposal_count == 2


@pytest.mark.parametrize("after", range(3))
def test_a_cancelled_request_stores_nothing(project: Project, model: Model, after: int) -> None:
    with pytest.raises(OperationCancelledError):
        predict_image(project, 1, model, Thresholds(), monitor=Stopper(after))
    assert project.instances.of(1) == ()
    assert project.images.record(1).state is ImageState.UNSEEN


def test_pixels_that_are_at_hand_are_not_decoded_again(
    project: Project, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = project.image_path(project.images.record(1))
    pixels = SeenFile.now(path), read_image(path).bgr_u8
    monkeypatch.setattr("maskwright.operations.proposing.read_image", lambda _path: pytest.fail("decoded again"))
    assert predict_image(project, 1, model, Thresholds(), pixels=pixels).proposal_count == 2


def test_a_preview_shows_what_keeping_it_will_store(project: Project, cache: CandidateCache, model: Model) -> None:
    predict_image(project, 1, model, Thresholds(), cache=cache)
    known, document, wanted = known_image(project, cache, 1), project.instances.document(1), Thresholds(0.85, 0.5)
    assert known is not None

    shown = document.apply(known.preview(document, wanted).change)
    kept = known.kept(document, wanted)
    project.put_proposals(1, kept.proposals, provenance=kept.provenance)

    assert [instance.polygons for instance in shown] == [instance.polygons for instance in project.instances.of(1)]
    assert len(shown) == 1


def test_other_thresholds_reach_untouched_images_only(project: Project, cache: CandidateCache, model: Model) -> None:
    for image_id in (1, 2, 3):
        predict_image(project, image_id, model, Thresholds(), cache=cache)
    first = project.instances.of(2)[0]
    project.instances.apply(2, Change.of([(first, replace(first, state=InstanceState.ACCEPTED))]), label="Accept")
    told: dict[int, Change] = {}

    count = rethreshold(project, cache, Thresholds(0.85, 0.5), leave_out=[3], on_image=told.__setitem__)

    assert [len(project.instances.of(image_id)) for image_id in (1, 2, 3)] == [1, 2, 2]
    assert (count, list(told)) == (1, [1])


def test_a_class_that_is_left_out_is_not_proposed(project: Project, model: Model) -> None:
    predict_image(project, 1, model, Thresholds())
    left_out = project.instances.of(1)[0].category_id
    run_batch(project, model, Thresholds(left_out=(left_out,)))
    assert {instance.category_id for instance in project.instances.of(2)}.isdisjoint({left_out})


def test_a_document_without_candidates_has_no_preview(project: Project, cache: CandidateCache) -> None:
    assert known_image(project, cache, 1) is None


def test_what_a_model_holds_possible_in_a_box_is_known_whatever_its_score(
    project: Project, cache: CandidateCache, model: Model
) -> None:
    predict_image(project, 1, model, Thresholds(), cache=cache)
    known = known_image(project, cache, 1)
    assert known is not None
    x1, y1, x2, y2 = known.candidates.boxes_xyxy[known.candidates.rows[0]].tolist()
    best = next(iter(project.instances.of(1))).category_id
    assert known.classes_at((x1, y1, x2, y2))[0] == best
    assert known.classes_at((x2 + 500, y2 + 500, x2 + 510, y2 + 510)) == ()
