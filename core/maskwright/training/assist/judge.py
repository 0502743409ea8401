"""Evaluation during training: mean IoU within the window on a fixed sample, from a box and from one click."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from maskwright.assist.bundled.drawing import draw_box, draw_clicks
from maskwright.training.assist import prompts, windows
from maskwright.training.assist.network import AssistNetwork
from maskwright.training.assist.objects import Object, ObjectSet, PicturePyramid
from maskwright.training.assist.prompts import clicked

SIZE = 192
CLICK_WINDOW = 2.5
SMALLEST_AREA_PX = {False: 32**2, True: 64}
BATCH = 20


class Judge:
    """A fixed sample of each set, not used in training."""

    def __init__(self, sets: list[ObjectSet], *, objects_a_set: int = 100, seed: int = 0) -> None:
        self._crops = {one.name: _sample(one, objects_a_set, seed) for one in sets}

    def report(self, network: AssistNetwork) -> str:
        """Mean IoU from a box, after one more click, and from one click alone; by set."""
        words: list[str] = []
        for name, crops in self._crops.items():
            by_box = np.concatenate(
                [_ious(network, crops[i : i + BATCH], box=True) for i in range(0, len(crops), BATCH)]
            )
            by_click = np.concatenate(
                [_ious(network, crops[i : i + BATCH], box=False) for i in range(0, len(crops), BATCH)]
            )
            words.append(
                f"{name} box {by_box[:, 0].mean():.3f} +click {by_box[:, 1].mean():.3f}"
                f" click {by_click[:, 0].mean():.3f} +click {by_click[:, 1].mean():.3f}"
            )
        return "; ".join(words)


JudgedObject = tuple[PicturePyramid, Object]


def _sample(origin: ObjectSet, count: int, seed: int) -> list[JudgedObject]:
    random = np.random.default_rng(seed)
    least = SMALLEST_AREA_PX[origin.turns]
    every = [(picture, one) for picture in origin.pictures for one in picture.objects if one.area >= least]
    chosen = random.permutation(len(every))[:count]
    return [every[i] for i in chosen]


def _ious(network: AssistNetwork, samples: list[JudgedObject], *, box: bool) -> NDArray[np.float64]:
    """(N, 2) after the first prompt and after one more click."""
    views = [_view(picture, one, box=box) for picture, one in samples]
    images = torch.from_numpy(np.stack([view[0] for view in views])).permute(0, 3, 1, 2).float()
    wanted = torch.from_numpy(np.stack([view[1] for view in views]))
    prompt = torch.from_numpy(np.stack([view[2] for view in views]))
    columns: list[Tensor] = []
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        features = network.features(images.contiguous(memory_format=torch.channels_last))
        for _ in range(2):
            logits = network.head(features, prompt).mask_logits
            truth = wanted[:, None] > 127
            common = ((logits > 0) & truth).sum((1, 2, 3)).float()
            columns.append(common / ((logits > 0) | truth).sum((1, 2, 3)).clamp(min=1))
            prompt = clicked(prompt, logits, wanted, None)
    return np.asarray(torch.stack(columns, 1).double().numpy())


def _view(
    picture: PicturePyramid, one: Object, *, box: bool
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.float32]]:
    x0, y0, x1, y1 = one.box_xyxy
    side = CLICK_WINDOW * max(x1 - x0, y1 - y0, 16)
    window = windows.box_window(one.box_xyxy) if box else windows.around(((x0 + x1) / 2, (y0 + y1) / 2), (side, side))
    warp = windows.warp_window(window, size=SIZE, turn=np.eye(2))
    mask = warp.mask(one.mask, one.corner_xy)
    planes = np.zeros((4, SIZE // 2, SIZE // 2), np.float32)
    if box:
        corners = warp.points(np.array([[x0, y0], [x1, y1]])) / 2
        draw_box(planes[0], (*corners[0], *corners[1]))
    elif (point := prompts.deepest_point(mask > 127)) is not None:
        draw_clicks(planes[1], np.array([point]))
    return warp.picture(picture), mask, planes
