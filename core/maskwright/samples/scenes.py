"""The twelve scenes of the sample project, and how their label maps look through a microscope (BGR uint8).

`python -m maskwright.samples.scenes FOLDER` writes the images and their ground truth."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import orjson
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from maskwright.samples.shapes import LabelMap, ShapeSettings, place_nuclei

Picture = NDArray[np.float32]
"""(H, W) or (H, W, 3) float32, 0..1."""
Renderer = Callable[[np.random.Generator, LabelMap], NDArray[np.uint8]]


def smooth_noise(rng: np.random.Generator, shape_hw: tuple[int, int], scale_px: float) -> Picture:
    """Noise with zero mean and unit deviation whose structures are about `scale_px` wide."""
    height, width = shape_hw
    coarse = rng.normal(0, 1, (max(3, int(height / scale_px) + 3), max(3, int(width / scale_px) + 3)))
    field = cv2.resize(coarse.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    deviation = float(field.std())
    return np.asarray((field - float(field.mean())) / max(deviation, 1e-6), dtype=np.float32)


def per_nucleus(rng: np.random.Generator, labels: LabelMap, low: float, high: float) -> Picture:
    """One random value per nucleus, 0 outside."""
    values = rng.uniform(low, high, labels.max() + 1).astype(np.float32)
    values[0] = 0
    picture: Picture = values[labels]
    return picture


def dome(labels: LabelMap, *, edge_px: float) -> Picture:
    """0 outside, rising to 1 within `edge_px` of each nucleus's own border (touching nuclei keep their seam)."""
    same = np.ones(labels.shape, np.uint8)
    same[labels == 0] = 0
    same[:, 1:][labels[:, 1:] != labels[:, :-1]] = 0
    same[1:, :][labels[1:, :] != labels[:-1, :]] = 0
    distance = cv2.distanceTransform(same, cv2.DIST_L2, 5)
    return np.asarray(np.clip(distance / edge_px, 0, 1) ** 0.7, np.float32)


def fluorescence(
    *, gain: float = 1.0, haze: float = 0.08, noise: float = 0.02, tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
) -> Renderer:
    """Bright nuclei on black, as in a DAPI channel; `tint` is BGR."""

    def render(rng: np.random.Generator, labels: LabelMap) -> NDArray[np.uint8]:
        shape = (labels.shape[0], labels.shape[1])
        chromatin = 1 + 0.16 * smooth_noise(rng, shape, 5) + 0.10 * smooth_noise(rng, shape, 2.2)
        signal = per_nucleus(rng, labels, 0.45, 1.0) * dome(labels, edge_px=4) * chromatin
        glow = cv2.GaussianBlur(signal, (0, 0), 14)
        picture = gain * (cv2.GaussianBlur(signal, (0, 0), 0.9) + haze * 2.5 * glow) + haze * 0.25
        picture = picture + rng.normal(0, 1, shape) * (noise * (0.4 + np.sqrt(np.clip(picture, 0, 1))))
        return _to_u8(picture[..., None] * np.array(tint, np.float32))

    return render


def stained(*, ground: tuple[int, int, int], nucleus: tuple[int, int, int]) -> Renderer:
    """Dark nuclei in fibrous tissue, as stained with haematoxylin and eosin; colours are BGR."""

    def render(rng: np.random.Generator, labels: LabelMap) -> NDArray[np.uint8]:
        shape = (labels.shape[0], labels.shape[1])
        fibres = 0.6 * smooth_noise(rng, shape, 26) + 0.5 * smooth_noise(rng, shape, 7)
        tissue = np.clip(1 + 0.045 * fibres + 0.10 * _wavy_strands(rng, shape), 0.6, 1.15)
        near_nuclei = cv2.GaussianBlur((labels > 0).astype(np.float32), (0, 0), 12)
        lumen = np.clip(smooth_noise(rng, shape, 60) - 1.0 - 6 * near_nuclei, 0, 1)[..., None]
        base = np.array(ground, np.float32) / 255 * tissue[..., None]
        base = base * (1 - lumen) + 0.95 * lumen
        chromatin = 1 + 0.20 * smooth_noise(rng, shape, 4) + 0.12 * smooth_noise(rng, shape, 2)
        depth = per_nucleus(rng, labels, 0.62, 1.0) * dome(labels, edge_px=3)
        alpha = np.clip(cv2.GaussianBlur(depth * chromatin, (0, 0), 0.8), 0, 1)[..., None]
        picture = base * (1 - alpha) + np.array(nucleus, np.float32) / 255 * alpha
        return _to_u8(picture + rng.normal(0, 0.012, (*shape, 3)))

    return render


def phase_contrast(*, ground: float = 0.55) -> Renderer:
    """Grey cells with a dark rim and a bright halo, as in an unstained bright-field image."""

    def render(rng: np.random.Generator, labels: LabelMap) -> NDArray[np.uint8]:
        shape = (labels.shape[0], labels.shape[1])
        inside = (labels > 0).astype(np.float32)
        rim = inside - dome(labels, edge_px=5)
        halo = cv2.GaussianBlur(inside, (0, 0), 3.5) * (1 - inside)
        organelles = smooth_noise(rng, shape, 4) * 0.05 * inside
        picture = ground + 0.04 * smooth_noise(rng, shape, 120) + 0.30 * halo - 0.32 * rim * inside
        picture = picture - 0.06 * inside + organelles
        picture = cv2.GaussianBlur(picture.astype(np.float32), (0, 0), 0.8) + rng.normal(0, 0.012, shape)
        return _to_u8(np.repeat(picture[..., None], 3, axis=2))

    return render


def _wavy_strands(rng: np.random.Generator, shape_hw: tuple[int, int]) -> Picture:
    """Streaks along a random direction, bent by slow noise, like collagen in tissue."""
    height, width = shape_hw
    side = int(np.hypot(height, width)) + 80
    streaks = cv2.GaussianBlur(smooth_noise(rng, (side, side), 3), (0, 0), sigmaX=10, sigmaY=1.4)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    turn = rng.uniform(0, np.pi)
    bend = 22 * smooth_noise(rng, shape_hw, 90)
    across = (x - width / 2) * np.sin(turn) + (y - height / 2) * np.cos(turn) + bend
    along = (x - width / 2) * np.cos(turn) - (y - height / 2) * np.sin(turn)
    map_x, map_y = (along + side / 2).astype(np.float32), (across + side / 2).astype(np.float32)
    bent = cv2.remap(streaks, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(bent, np.float32)


def _to_u8(picture: NDArray[np.floating]) -> NDArray[np.uint8]:
    return np.clip(np.round(picture * 255), 0, 255).astype(np.uint8)


@dataclass(frozen=True, slots=True)
class SampleScene:
    """An image to generate: its name, size, seed, nuclei and optics."""

    name: str
    size_wh: tuple[int, int]
    seed: int
    shapes: ShapeSettings
    render: Renderer


_PINK, _ROSE, _LILAC = (214, 186, 232), (196, 170, 224), (226, 206, 228)
_VIOLET, _INDIGO = (128, 52, 92), (118, 66, 70)

SCENES: tuple[SampleScene, ...] = (
    SampleScene("01-culture-dapi", (512, 512), 11, ShapeSettings(46, (15, 25)), fluorescence()),
    SampleScene(
        "02-tissue-stained",
        (512, 400),
        12,
        ShapeSettings(58, (10, 17), 0.5, 0.08, 0.05),
        stained(ground=_PINK, nucleus=_VIOLET),
    ),
    SampleScene(
        "03-dense-colony", (512, 512), 13, ShapeSettings(150, (10, 16), 0.3, 0.05, 0.06, 5), fluorescence(haze=0.10)
    ),
    SampleScene("04-phase-contrast", (520, 400), 14, ShapeSettings(26, (18, 28), 0.4, 0.05), phase_contrast()),
    SampleScene("05-small-and-many", (448, 448), 15, ShapeSettings(170, (5, 9), 0.3, 0.05), fluorescence(noise=0.03)),
    SampleScene(
        "06-dim-field", (400, 320), 16, ShapeSettings(24, (13, 20)), fluorescence(gain=0.16, haze=0.05, noise=0.012)
    ),
    SampleScene(
        "07-blue-channel", (640, 480), 17, ShapeSettings(40, (20, 34), 0.4), fluorescence(tint=(1.0, 0.32, 0.22))
    ),
    SampleScene(
        "08-lymph-stained",
        (420, 420),
        18,
        ShapeSettings(120, (9, 13), 0.25, 0.07, 0.02),
        stained(ground=_LILAC, nucleus=_INDIGO),
    ),
    SampleScene("09-large-nuclei", (512, 448), 19, ShapeSettings(24, (25, 38), 0.35, 0.07), fluorescence(haze=0.14)),
    SampleScene(
        "10-overlapping-pairs",
        (448, 360),
        20,
        ShapeSettings(48, (15, 22), 0.45, 0.06, 0.16, 7),
        fluorescence(gain=0.85),
    ),
    SampleScene(
        "11-sparse-glands",
        (560, 420),
        21,
        ShapeSettings(34, (12, 22), 0.6, 0.10),
        stained(ground=_ROSE, nucleus=_VIOLET),
    ),
    SampleScene(
        "12-mixed-sizes",
        (600, 450),
        22,
        ShapeSettings(64, (7, 32), 0.4, 0.07),
        fluorescence(tint=(0.45, 1.0, 0.40), noise=0.025),
    ),
)


GROUND_TRUTH = "ground_truth.json"
CATEGORY = {"id": 1, "name": "nucleus", "supercategory": "cell"}


def make_scene(scene: SampleScene) -> tuple[NDArray[np.uint8], LabelMap]:
    """The image (H, W, 3) BGR uint8 and the exact label map that it was drawn from; the same on every call."""
    rng = np.random.default_rng(scene.seed)
    labels = place_nuclei(rng, scene.size_wh, scene.shapes)
    return scene.render(rng, labels), labels


def write_samples(folder: Path, scenes: tuple[SampleScene, ...] = SCENES) -> Path:
    """Write one JPEG per scene and a COCO file with pixel-exact RLE masks; returns the COCO file's path."""
    folder.mkdir(parents=True, exist_ok=True)
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for image_id, scene in enumerate(scenes, start=1):
        picture, labels = make_scene(scene)
        file_name = f"{scene.name}.jpg"
        encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 90])[1]
        (folder / file_name).write_bytes(encoded.tobytes())
        images.append({"id": image_id, "file_name": file_name, "width": scene.size_wh[0], "height": scene.size_wh[1]})
        for label in range(1, int(labels.max()) + 1):
            annotations.append(_annotation(len(annotations) + 1, image_id, labels == label))
    document = {
        "info": {"description": "Maskwright samples: generated scenes with exact masks, CC0"},
        "licenses": [],
        "images": images,
        "annotations": annotations,
        "categories": [CATEGORY],
    }
    path = folder / GROUND_TRUTH
    path.write_bytes(orjson.dumps(document))
    return path


def _annotation(annotation_id: int, image_id: int, mask: NDArray[np.bool_]) -> dict[str, Any]:
    rle = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
    return {
        "id": annotation_id,
        "image_id": image_id,
        "category_id": CATEGORY["id"],
        "segmentation": {"size": rle["size"], "counts": rle["counts"].decode("ascii")},
        "bbox": [float(value) for value in coco_mask.toBbox(rle)],
        "area": float(coco_mask.area(rle)),
        "iscrowd": 0,
    }


if __name__ == "__main__":
    write_samples(Path(sys.argv[1]))
