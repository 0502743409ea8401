"""What making edges finer than the network's grid does to large objects: IoU and boundary IoU before and after.

    python tests/benchmarks/bench_edges.py [--assistant bundled] [--least-px 120] [--set bsds pedestrians]

From a tight box. Boundary IoU in bands of 2 % (Cheng et al., CVPR 2021) and 0.5 % of the image's diagonal, the paired
difference with its standard error, and the CPU milliseconds that it costs.
"""

import argparse
import os
import sys
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))

from assist_protocol import Mask, Sample, Stopwatch, boundary_iou, iou, opened, samples

from maskwright.assist.loading import load_assistant
from maskwright.assist.outline import outlined
from maskwright.assist.protocol import Sharpening
from maskwright.assist.view import BackendAssistant
from maskwright.images import read_image

SHARED = Path(os.environ.get("MASKWRIGHT_SHARED", Path(__file__).resolve().parents[3] / "shared" / "data"))
SETS = {
    "bsds": ("photos/bsds/bsds.json", "photos/bsds/images"),
    "pedestrians": ("domains/pedestrians/val.json", "domains/pedestrians/images"),
    "coco": ("coco/val.json", "coco/val"),
}
BANDS = (0.02, 0.005)


def main() -> None:
    arguments = _arguments()
    cv2.setNumThreads(1)
    assistant = load_assistant(arguments.assistant, precision="f32", num_threads=1)
    for name in arguments.set:
        file, folder = (arguments.shared / part for part in SETS[name])
        chosen = samples(file, folder, count=arguments.count, least_area=32**2, most_per_image=2)
        _judge(name, [one for one in chosen if _side(one) >= arguments.least_px][: arguments.most], assistant)


def _judge(name: str, chosen: list[Sample], assistant: BackendAssistant) -> None:
    before, after, watch = [], [], Stopwatch()
    finer = 0
    for sample, view in opened(chosen, assistant):
        soft = view.outline(box_xyxy=sample.box_xyxy, min_iou=None).soft
        assert soft is not None
        backend = assistant.backend
        with watch:
            fine = backend.sharpened(read(sample), soft) if isinstance(backend, Sharpening) else soft
        finer += fine is not soft
        before.append(_figures(outlined(soft, None).mask, sample.truth))
        after.append(_figures(outlined(soft, None, fine=fine).mask, sample.truth))
    difference = np.array(after) - before
    print(f"{name}: {len(chosen)} objects, {finer} of them made finer, {watch.ms:.0f} CPU ms each")
    words = ("IoU", *(f"boundary IoU {band:.1%}" for band in BANDS))
    for number, word in enumerate(words):
        mean, error = difference[:, number].mean(), difference[:, number].std() / len(chosen) ** 0.5
        old, new = np.mean(before, axis=0)[number], np.mean(after, axis=0)[number]
        print(f"  {word:18} {old:.3f} -> {new:.3f}  {mean:+.4f} ({error:.4f})", flush=True)


_last: dict[Path, np.ndarray] = {}


def read(sample: Sample) -> np.ndarray:
    """The image; the last one is kept."""
    if sample.image not in _last:
        _last.clear()
        _last[sample.image] = read_image(sample.image).bgr_u8
    return _last[sample.image]


def _figures(mask: Mask, truth: Mask) -> tuple[float, ...]:
    return iou(mask, truth), *(boundary_iou(mask, truth, band) for band in BANDS)


def _side(sample: Sample) -> int:
    x1, y1, x2, y2 = sample.box_xyxy
    return max(x2 - x1, y2 - y1)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--assistant", default="bundled")
    parser.add_argument("--set", nargs="+", default=["bsds"], choices=sorted(SETS))
    parser.add_argument("--shared", type=Path, default=SHARED)
    parser.add_argument("--count", type=int, default=150, help="objects drawn, of which the large ones are judged")
    parser.add_argument("--least-px", type=int, default=120, help="longer side of the object's box")
    parser.add_argument("--most", type=int, default=10**6)
    return parser.parse_args()


if __name__ == "__main__":
    main()
