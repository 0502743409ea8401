"""What a round begins from: the bundled nuclei network rebuilt, and which base is taken when none is named."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="learning needs the extra `learn`")

from learning_builders import learning_project, octagon, put
from maskwright.document.values import InstanceState
from maskwright.errors import MaskwrightError
from maskwright.geometry.raster import mask_to_rle
from maskwright.inference.files import file_hash
from maskwright.inference.installed import model_path
from maskwright.inference.model import load_model
from maskwright.learning import bases, trainer
from maskwright.learning.bases import base_of, nuclei_heads, nuclei_trunk
from maskwright.learning.job import GENERAL, NUCLEI, Example, LearningJob, Patch
from maskwright.learning.network import LearnedNetwork
from maskwright.learning.plan import LearnOptions, learning_plan
from maskwright.learning.recipe import Recipe
from maskwright.learning.rounds import RoundRecord, add_round, learning_folder
from maskwright.learning.session import LearningSession
from maskwright.training.export import YolactInterface, export_interface
from maskwright.training.network import NUCLEI_LAYOUT

TINY = Recipe(input_size=64, crop=64, batch=2, warmup_steps=2, learning_rate=1e-3)


def cells(side: int = 96) -> np.ndarray:
    """(H, W, 3) uint8 BGR: bright discs on black, as in fluorescence."""
    y, x = np.mgrid[:side, :side]
    discs = [(x - cx) ** 2 + (y - cy) ** 2 < 81 for cx, cy in ((24, 24), (66, 30), (44, 70))]
    return np.repeat((np.any(discs, axis=0) * 150 + 10)[..., None], 3, axis=2).astype(np.uint8)


def test_network_rebuilt_from_the_model_file_finds_the_same(tmp_path: Path) -> None:
    network = LearnedNetwork(nuclei_trunk(), nuclei_heads(1), NUCLEI_LAYOUT).eval()
    notes = {"model_type": "yolact", "color_space": "RGB", "resize": "native", "pad_multiple": "32", "pad_value": "0"}
    file = export_interface(YolactInterface(network, NUCLEI_LAYOUT), notes, to=tmp_path / "rebuilt.xml")

    found, expected = (
        load_model(path, precision="f32", num_threads=1).predict(cells(320)).select(0.3)
        for path in (file, model_path(NUCLEI))
    )

    assert len(expected) == 3
    assert [item.bbox_xyxy for item in found] == [pytest.approx(item.bbox_xyxy, abs=1.0) for item in expected]


def test_each_class_begins_as_nucleus() -> None:
    features = nuclei_trunk()(torch.rand(1, 3, 64, 64) * 255)

    with torch.no_grad():
        one, three = (nuclei_heads(count).eval()(features).class_logits for count in (1, 3))

    assert torch.allclose(three, (one - np.log(3)).expand_as(three), atol=1e-4)


def test_norms_are_not_measured_anew() -> None:
    heads = nuclei_heads(1).train()
    before = {name: value.clone() for name, value in heads.state_dict().items() if "running" in name}

    heads(nuclei_trunk()(torch.rand(2, 3, 64, 64) * 255))

    assert before
    assert all(torch.equal(heads.state_dict()[name], value) for name, value in before.items())


def test_damaged_model_file_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "nuclei.xml").write_text("<net/>")
    monkeypatch.setattr(bases, "model_path", lambda _: tmp_path / "nuclei.xml")

    with pytest.raises(MaskwrightError, match="nuclei base cannot be read"):
        nuclei_trunk()


def test_round_on_the_nuclei_base_learns_and_exports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(1)
    monkeypatch.setattr(trainer, "_low_precision", lambda _: torch.float32)
    project = learning_project(tmp_path, images=2, objects=1, side=64)
    rle = mask_to_rle(np.ones((12, 12), np.uint8))["counts"].decode()
    files = [str(project.image_path(record)) for record in project.images.all()]
    examples = tuple(Example(file, 64, 64, (Patch(20, 20, 12, 12, rle, number),)) for number, file in enumerate(files))
    job = LearningJob(examples, ("round", "long"), (3, 7), TINY, "two", base=NUCLEI, steps=20)
    (tmp_path / "work").mkdir()

    session = LearningSession(job, tmp_path / "work", lambda _: None, is_stopped=lambda: False)
    session.learn()
    session.finish()
    model = load_model(tmp_path / "work" / "best.xml")

    assert [label.id for label in model.labels] == [3, 7]
    assert all(item.category_id in (3, 7) for item in model.predict(cells()).select(0.0))


def test_job_names_its_base() -> None:
    job = LearningJob((), ("nucleus",), (1,), TINY, "x")

    assert base_of(replace(job, base=NUCLEI)).layout is NUCLEI_LAYOUT
    assert base_of(job).layout is not NUCLEI_LAYOUT


@pytest.mark.parametrize(
    ("share", "base"), [(0.9, NUCLEI), (0.2, GENERAL)], ids=["most objects were proposed by it", "few were"]
)
def test_nuclei_are_learned_from_the_nuclei_base(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, share: float, base: str
) -> None:
    import learning_builders

    bundled = replace(learning_builders.PROVENANCE, model_hash=file_hash(model_path(NUCLEI)))
    project = learning_project(tmp_path, images=1, objects=0)
    image_id = int(project.images.ids()[0])
    count = round(20 * share)
    places = [(octagon(2 + 7 * (number % 5), 2 + 7 * (number // 5), 20), 1) for number in range(20)]
    put(project, image_id, *places[count:])
    monkeypatch.setattr(learning_builders, "PROVENANCE", bundled)
    put(project, image_id, *places[:count], state=InstanceState.EDITED)

    assert learning_plan(project).base == base


def test_rounds_of_a_project_keep_their_base(tmp_path: Path) -> None:
    project = learning_project(tmp_path, images=3)
    learning_folder(project.path).mkdir()
    add_round(
        project.path,
        RoundRecord(
            number=1, model="set-round-1", model_hash="0", is_installed=True, reason="", base=NUCLEI,
            classes=("disc",), training=(1,), held_out=(), objects=3, seconds=1.0, steps=1, at="2026",
        ),
    )  # fmt: skip

    assert learning_plan(project).base == NUCLEI
    assert learning_plan(project, LearnOptions(base=GENERAL)).base == GENERAL
