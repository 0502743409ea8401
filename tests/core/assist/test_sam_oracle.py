"""MobileSAM's own code as the judge: random weights, a drawn picture, seven prompts (`shared/data/oracle/sam`)."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import maskwright as mw
from maskwright.assist.placing import SoftMask
from maskwright.assist.prompt import Prompt
from maskwright.assist.protocol import WindowFeatures
from maskwright.assist.sam.backend import SamBackend
from maskwright.assist.sam.prompting import Tokens, tokens
from maskwright.assist.window import Window
from maskwright.geometry.raster import mask_iou
from shared_data import shared_path

needed = ("torch", "onnx", "mobile_sam")
pytestmark = [
    pytest.mark.skipif(any(find_spec(name) is None for name in needed), reason=f"needs {', '.join(needed)}"),
    pytest.mark.slow,
]
CASES = ("click", "click_pad", "box", "box_neg", "mask", "portrait", "click5")


@pytest.fixture(scope="module")
def oracle() -> Path:
    return shared_path("oracle/sam")


@pytest.fixture(scope="module")
def script(oracle: Path) -> ModuleType:
    """The drawing of the picture and the prompts, without its networks."""
    lines = (oracle / "sam_oracle.py").read_text().replace("import sys,types,numpy as np,torch,torch.nn as nn", "")
    module = ModuleType("sam_oracle")
    module.__dict__.update(np=np, sys=sys, nn=type("nn", (), {"Module": object}))
    exec(compile(lines.replace("from mobile_sam", "#"), "sam_oracle", "exec"), module.__dict__)
    return module


@pytest.fixture(scope="module")
def vectors(oracle: Path) -> dict[str, np.ndarray]:
    with np.load(oracle / "mobile_sam_vectors.npz") as stored:
        return dict(stored)


@pytest.fixture(scope="module")
def backend(oracle: Path, tmp_path_factory: pytest.TempPathFactory) -> SamBackend:
    folder = tmp_path_factory.mktemp("oracle")
    build = [sys.executable, "-W", "ignore", str(oracle / "sam_oracle.py"), "build", str(folder)]
    subprocess.run(build, check=True, capture_output=True)
    pair = folder / "mobile_sam_encoder.onnx", folder / "mobile_sam_decoder.onnx"
    loaded = mw.load_assistant(pair, precision="f32", num_threads=2).backend
    assert isinstance(loaded, SamBackend)
    return loaded


@pytest.fixture(scope="module")
def seen(backend: SamBackend, script: ModuleType) -> dict[tuple[int, int], WindowFeatures]:
    sizes = {case[1] for case in script.cases()}
    pictures = {(h, w): np.ascontiguousarray(script.picture(h, w)[..., ::-1]) for h, w in sizes}
    return {(h, w): backend.prepare(picture, Window.whole((w, h)), None) for (h, w), picture in pictures.items()}


def case_of(script: ModuleType, name: str) -> tuple[Tokens, np.ndarray | None, tuple[int, int]]:
    """The tokens as the reference was fed them, its mask input, the size as (h, w)."""
    _, (h, w), points, labels, mask, has_mask = next(case for case in script.cases() if case[0] == name)
    scale = np.array([int(w * 1024 / max(h, w) + 0.5) / w, int(h * 1024 / max(h, w) + 0.5) / h])
    return Tokens(np.array(points) * scale, np.array(labels)), mask[0, 0] if has_mask else None, (h, w)


def full(soft: SoftMask) -> np.ndarray:
    mask, (x, y) = soft.mask()
    frame = np.zeros(soft.size_wh[::-1], bool)
    frame[y : y + mask.shape[0], x : x + mask.shape[1]] = mask
    return frame


def test_embeddings_are_the_reference_s(
    seen: dict[tuple[int, int], WindowFeatures], vectors: dict[str, np.ndarray]
) -> None:
    for (h, w), features in seen.items():
        expected = vectors[f"enc/{h}x{w}/out_sample"]
        assert np.abs(features.arrays["embedding"][0, :, ::5, ::5] - expected).max() < 1e-3


@pytest.mark.parametrize("name", CASES)
def test_logits_and_pixels_are_the_reference_s(
    name: str,
    backend: SamBackend,
    seen: dict[tuple[int, int], WindowFeatures],
    script: ModuleType,
    vectors: dict[str, np.ndarray],
) -> None:
    shown, mask, (h, w) = case_of(script, name)
    soft = backend.decoded(seen[h, w], shown, mask, (w, h))
    assert np.abs(soft.logits[::2, ::2] - vectors[f"{name}/out/low_res_masks"][0, 0]).max() < 1e-3
    expected = np.unpackbits(vectors[f"{name}/out/masks_packed"])[: h * w].reshape(h, w).astype(bool)
    assert mask_iou(full(soft), expected) >= 0.999
    assert soft.score == pytest.approx(float(np.clip(vectors[f"{name}/out/iou_predictions"], 0, 1)[0, 0]), abs=1e-3)


@pytest.mark.parametrize("name", ["click_pad", "box", "box_neg", "portrait"])
def test_prompts_become_the_reference_s_tokens(name: str, backend: SamBackend, script: ModuleType) -> None:
    shown, _, (h, w) = case_of(script, name)
    edges = (shown.points + 0.5) / backend.layout.frame.scale_xy((w, h))
    points, box = edges[np.isin(shown.labels, (0, 1))], edges[np.isin(shown.labels, (2, 3))]
    prompt = Prompt.of((w, h), points, shown.labels[np.isin(shown.labels, (0, 1))], box.ravel() if len(box) else None)
    made = tokens(prompt, backend.layout.frame, takes_mask=True, no_point=backend.layout.no_point)
    assert np.allclose(made.points, shown.points)
    assert made.labels.tolist() == shown.labels.tolist()


def test_bytes_of_sixteen_bit_embeddings_give_the_same_pixels(
    backend: SamBackend, seen: dict[tuple[int, int], WindowFeatures], script: ModuleType
) -> None:
    shown, _, (h, w) = case_of(script, "box")
    halved = {key: array.astype(np.float16).astype(np.float32) for key, array in seen[h, w].arrays.items()}
    before = full(backend.decoded(seen[h, w], shown, None, (w, h)))
    after = full(backend.decoded(WindowFeatures(Window.whole((w, h)), halved), shown, None, (w, h)))
    assert mask_iou(before, after) >= 0.999
