"""The whole chain on one synthetic image: crops, network, objective, checkpoint, export."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs the extra `train`")
openvino = pytest.importorskip("openvino")

from maskwright.training.dataset import Dataset, TrainingSample
from maskwright.training.export import ModelDescription, YolactInterface, export, load_average
from maskwright.training.loader import CropStream, LoaderConfig, TrainingBatch
from maskwright.training.network import NetworkConfig, Segmenter, all_prototypes
from maskwright.training.train import NucleiTrainingRun, TrainConfig

TINY = NetworkConfig(stem=8, widths=(16, 16, 16, 16), depths=(1, 1, 1, 1), pyramid=16, head=16, prototype_features=16)
DESCRIPTION = ModelDescription(
    name="tiny", version="0", license="MIT", category_names=("round cell",), category_ids=(4,)
)


@pytest.fixture
def dataset() -> Dataset:
    """One 64 px image with two bright discs."""
    y, x = np.mgrid[:64, :64]
    labels = np.zeros((64, 64), np.int16)
    for number, (column, row) in enumerate([(20, 18), (44, 42)], start=1):
        labels[(x - column) ** 2 + (y - row) ** 2 <= 100] = number
    image = np.repeat(np.where(labels > 0, 200, 30).astype(np.uint8)[..., None], 3, axis=2)
    return Dataset([TrainingSample(image, labels, np.zeros(2, np.int64))], ["round cell"], [4])


@pytest.fixture
def run(dataset: Dataset, tmp_path: Path) -> NucleiTrainingRun:
    config = TrainConfig(out=tmp_path, steps=150, network=TINY, bfloat16=False, warmup_steps=5, ema_decay=0.9)
    return NucleiTrainingRun(dataset, config)


def whole_image(dataset: Dataset) -> TrainingBatch:
    sample = dataset.samples[0]
    return TrainingBatch(
        images=torch.from_numpy(sample.image)[None],
        labels=torch.from_numpy(sample.labels)[None],
        boxes=torch.tensor([[10.0, 8, 31, 29], [34.0, 32, 55, 53]]),
        image=torch.zeros(2, dtype=torch.long),
        category=torch.zeros(2, dtype=torch.long),
    )


def test_tiny_network_learns_one_image(run: NucleiTrainingRun, dataset: Dataset) -> None:
    batch = whole_image(dataset)
    for _ in range(150):
        run.learn(batch, share_of_rate=1.5)

    with torch.no_grad():
        output = run.network.eval()(batch.network_input())
        best = output.class_logits[0, :, 0].argmax()
        logits = torch.einsum("k,khw->hw", output.coefficients[0, best], all_prototypes(output.learned)[0])
    found = (logits > 0).numpy()
    x1, y1, x2, y2 = output.boxes[0, best].round().int().clamp(0, 64).tolist()
    truth = batch.labels[0].numpy() == batch.labels[0, (y1 + y2) // 2, (x1 + x2) // 2].item()
    inside = np.zeros_like(found)
    inside[y1 // 2 : y2 // 2, x1 // 2 : x2 // 2] = True
    found, truth = found & inside, truth[1::2, 1::2]
    assert (found & truth).sum() / (found | truth).sum() > 0.8


def test_checkpoint_resumes_where_it_stopped(run: NucleiTrainingRun, dataset: Dataset) -> None:
    run.learn(whole_image(dataset), share_of_rate=0.5)
    run.save()

    resumed = NucleiTrainingRun(dataset, run.config)

    assert resumed.resume()
    assert resumed.step == 1
    assert torch.equal(resumed.average.trunk.stem[0].weight, run.average.trunk.stem[0].weight)


def test_batch_depends_on_seed_and_number_alone(dataset: Dataset) -> None:
    config = LoaderConfig(batch=3, size=64, seed=5)

    first, again = (CropStream(dataset.samples, config).batch(7) for _ in range(2))

    assert torch.equal(first.images, again.images)
    assert torch.equal(first.labels, again.labels)


def test_batch_numbers_instances_through_all_crops(dataset: Dataset) -> None:
    batch = CropStream(dataset.samples, LoaderConfig(batch=4, size=64)).batch(0)

    for row, image in enumerate(batch.image.tolist()):
        assert (batch.labels[image] == row + 1).any()


@pytest.mark.parametrize("size_hw", [(64, 96), (160, 32)], ids=["landscape", "portrait"])
def test_exported_model_repeats_the_network(run: NucleiTrainingRun, size_hw: tuple[int, int]) -> None:
    run.save()
    network, _ = load_average(run.config.out / "checkpoint.pt")
    path = export(network, DESCRIPTION, to=run.config.out / "tiny.xml")
    image = np.random.default_rng(0).uniform(0, 255, (1, 3, *size_hw)).astype(np.float32)

    compiled = openvino.compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    answers = compiled({"image": image})
    with torch.no_grad():
        expected = YolactInterface(network)(torch.from_numpy(image))

    # The file holds FP16 weights, hence the tolerance.
    for name, tensor in zip(("conf", "boxes", "mask", "proto"), expected, strict=True):
        np.testing.assert_allclose(answers[name], tensor.numpy(), atol=0.02, err_msg=name)


def test_exported_model_describes_itself(tmp_path: Path) -> None:
    path = export(Segmenter(TINY), DESCRIPTION, to=tmp_path / "tiny.xml")

    model = openvino.Core().read_model(path)

    assert model.get_rt_info(["model_info", "labels"]).astype(str) == "round_cell"
    assert model.get_rt_info(["model_info", "category_ids"]).astype(str) == "4"
