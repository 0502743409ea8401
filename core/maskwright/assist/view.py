"""Wraps any backend as an assistant: validates prompts, caches features, pastes and traces answers."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from maskwright.assist.correct import corrected, corrected_crop
from maskwright.assist.features import FeatureCache, FeatureKey
from maskwright.assist.outline import Outline, outlined
from maskwright.assist.placing import SoftMask
from maskwright.assist.prompt import MaskCrop, MaskLike, Prompt
from maskwright.assist.protocol import Backend, Cancel, Describing, Sharpening, WindowFeatures
from maskwright.assist.window import Window
from maskwright.errors import ModelError
from maskwright.geometry.convert import mask_to_polygons


class BackendAssistant:
    """A `protocol.Assistant` around a backend."""

    def __init__(self, backend: Backend, cache: FeatureCache | None = None) -> None:
        self.backend = backend
        self.cache = cache if cache is not None else FeatureCache()

    @property
    def name(self) -> str:
        return self.backend.name

    @property
    def content_hash(self) -> str:
        return self.backend.content_hash

    @property
    def device(self) -> str:
        return self.backend.device

    @property
    def device_note(self) -> str | None:
        return self.backend.device_note

    def open(self, image_bgr_u8: NDArray[np.uint8], *, identity: str | None = None) -> "BackendView":
        image = image_bgr_u8
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
            raise ValueError(f"expected an (H, W, 3) uint8 image, got {image.shape} {image.dtype}")
        return BackendView(self.backend, image, self.cache, identity)


class BackendView:
    """A `protocol.View` around a backend."""

    def __init__(
        self, backend: Backend, image_bgr: NDArray[np.uint8], cache: FeatureCache, identity: str | None
    ) -> None:
        self._backend, self._image, self._cache = backend, image_bgr, cache
        self._identity: str | object = identity if identity is not None else object()
        self._preparing = threading.Lock()

    @property
    def size_wh(self) -> tuple[int, int]:
        return self._image.shape[1], self._image.shape[0]

    def prepare(self, *, cancel: Cancel | None = None) -> None:
        if self._backend.keeps_features:
            self._features_of(cancel)(Window.whole(self.size_wh))

    def outline(
        self,
        points_xy: ArrayLike = (),
        labels: ArrayLike | None = None,
        box_xyxy: ArrayLike | None = None,
        mask: MaskLike | None = None,
        *,
        previous: Outline | None = None,
        min_iou: float | None = 0.98,
        cancel: Cancel | None = None,
    ) -> Outline:
        soft = previous.soft if previous is not None else None
        prompt = Prompt.of(self.size_wh, points_xy, labels, box_xyxy, mask, soft)
        answer = self._outlined(self._backend.answers(self._features_of(cancel), [prompt], cancel)[0], min_iou)
        if mask is None or prompt.mask is None or not len(prompt.points_xy):
            return answer
        return _corrected(answer, mask, prompt.mask, prompt)

    def outlines(
        self,
        boxes_xyxy: ArrayLike,
        masks: Sequence[MaskLike | None] | None = None,
        *,
        min_iou: float | None = 0.98,
        cancel: Cancel | None = None,
    ) -> list[Outline]:
        boxes = np.array(boxes_xyxy, np.float64).reshape(-1, 4)
        shown = masks if masks is not None else [None] * len(boxes)
        prompts = [Prompt.of(self.size_wh, box_xyxy=box, mask=mask) for box, mask in zip(boxes, shown, strict=True)]
        if not prompts:
            return []
        softs = self._backend.answers(self._features_of(cancel), prompts, cancel)
        return [self._outlined(soft, min_iou) for soft in softs]

    def pointed(
        self, points_xy: ArrayLike, window_px: float, *, min_iou: float | None = 0.98, cancel: Cancel | None = None
    ) -> list[Outline]:
        """One outline per click: points (N, 2), each seen in a window of `window_px` image pixels around it.

        Raises ModelError if the backend gives no descriptors, else as `outline` does.
        """
        if not isinstance(self._backend, Describing):
            raise ModelError(f"{self._backend.name} cannot compare objects", hint="use the bundled assistant")
        points = np.array(points_xy, np.float64).reshape(-1, 2)
        prompts = [Prompt.of(self.size_wh, [point]) for point in points]
        softs = self._backend.pointed(self._features_of(cancel), prompts, window_px, cancel)
        return [outlined(soft, min_iou) for soft in softs]

    def _outlined(self, soft: SoftMask, min_iou: float | None) -> Outline:
        fine = self._backend.sharpened(self._image, soft) if isinstance(self._backend, Sharpening) else None
        return outlined(soft, min_iou, fine=fine)

    def _features_of(self, cancel: Cancel | None) -> Callable[[Window], WindowFeatures]:
        def features_of(window: Window) -> WindowFeatures:
            key = FeatureKey(self._backend.content_hash, self._identity, window)
            with self._preparing:  # a prompt during preparation waits for it instead of starting another
                known = self._cache.get(key)
                if known is not None:
                    return known
                made = self._backend.prepare(self._image, window, cancel)
                self._cache.put(key, made, keeps=self._backend.keeps_features)
                return made

        return features_of


def _corrected(answer: Outline, mask: MaskLike, before: MaskCrop, prompt: Prompt) -> Outline:
    """Only changes near the points are taken over from the answer."""
    polygons = (
        mask_to_polygons(before.pixels, min_iou=answer.min_iou, offset_xy=before.corner_xy)
        if isinstance(mask, np.ndarray)
        else tuple(mask)
    )
    after = MaskCrop(answer.crop_mask, answer.crop_xy)
    merged = corrected(polygons, before, after, prompt.points_xy, prompt.labels, min_iou=answer.min_iou)
    crop = corrected_crop(merged, prompt.size_wh)
    return replace(answer, crop_mask=crop.pixels, crop_xy=crop.corner_xy, corrected=merged)
