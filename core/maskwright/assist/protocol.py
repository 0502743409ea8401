"""The two interfaces: what callers see of an assistant, and what a network or method must provide to be one.

    assistant = load_assistant("bundled")
    view = assistant.open(image_bgr_u8)
    outline = view.outline(points_xy=[(120, 80)], labels=[1])
    better = view.outline(points_xy=[(120, 80), (140, 95)], labels=[1, 0], previous=outline)

Callers use `Assistant` and `View`. To add a network, implement `Backend` and list it in `loading.FAMILIES`; caching,
validation, pasting and tracing happen around it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from maskwright.assist.outline import Outline
from maskwright.assist.placing import SoftMask
from maskwright.assist.prompt import MaskLike, Prompt
from maskwright.assist.window import Window
from maskwright.monitor import Cancel as Cancel


@dataclass(frozen=True, slots=True, eq=False)
class WindowFeatures:
    """What a backend computed from one window of an image, so that prompts there are cheap; arrays are read-only."""

    window: Window
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        return sum(array.nbytes for array in self.arrays.values())


FeaturesOf: TypeAlias = Callable[[Window], WindowFeatures]
"""Features of a window of the open image: computed on the first call, then cached."""


class Backend(Protocol):
    """A network or method that outlines what a prompt shows. All methods are thread-safe.

    `prepare` and `outline` are the two halves; `answers` combines them, because only the backend knows which windows a
    prompt needs: the whole image once (SAM), or one that follows the object (small networks).
    """

    @property
    def name(self) -> str:
        """Recorded in the provenance."""
        ...

    @property
    def content_hash(self) -> str:
        """SHA-256 over the files; identifies cached features."""
        ...

    @property
    def device(self) -> str:
        """The device that it runs on."""

    @property
    def device_note(self) -> str | None:
        """Why it does not run on the requested device; None if it does."""
        ...

    @property
    def keeps_features(self) -> bool:
        """Whether features are expensive enough to keep on disk."""
        ...

    def prepare(self, image_bgr: NDArray[np.uint8], window: Window, cancel: Cancel | None) -> WindowFeatures:
        """Features of a window of an (H, W, 3) image, of which it copies no more than it needs.

        Raises InferenceCancelledError once `cancel` is set, ModelError if inference fails.
        """
        ...

    def outline(self, features: WindowFeatures, prompt: Prompt, cancel: Cancel | None) -> SoftMask:
        """Answer a prompt from these features alone. Raises as `prepare` does."""
        ...

    def answers(self, features_of: FeaturesOf, prompts: Sequence[Prompt], cancel: Cancel | None) -> list[SoftMask]:
        """One answer per prompt. Raises as `prepare` does."""
        ...


@runtime_checkable
class Describing(Protocol):
    """A backend whose answers carry descriptors and that can be told the size of objects."""

    def pointed(
        self, features_of: FeaturesOf, prompts: Sequence[Prompt], window_px: float, cancel: Cancel | None
    ) -> list[SoftMask]:
        """One answer per prompt, from a window of side `window_px` around its points. Raises as `prepare` does."""
        ...


@runtime_checkable
class Sharpening(Protocol):
    """A backend whose answers are coarser than the image for large objects."""

    def sharpened(self, image_bgr: NDArray[np.uint8], soft: SoftMask) -> SoftMask:
        """The answer on a finer grid; `soft` itself if a finer grid would show no more."""
        ...


class View(Protocol):
    """One open image. All methods are thread-safe."""

    @property
    def size_wh(self) -> tuple[int, int]:
        """Size of the image."""

    def prepare(self, *, cancel: Cancel | None = None) -> None:
        """Compute what the first prompt would have to wait for, such as SAM's embedding. Raises as `outline` does."""
        ...

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
        """Outline the object that the prompt shows.

        points_xy: (N, 2), continuous pixel coordinates; labels: (N,), 1 inside the object, 0 outside, None for all
        inside; box_xyxy: clipped to the image. mask: an outline to correct, (H, W) or polygons, which may change only
        near the points; without points all of it may change. previous: the answer to the prompt before its last press,
        which most networks continue from. min_iou: least IoU of the polygons with the mask; None or 1 for exact. Raises
        PromptError for a prompt that cannot be answered, InferenceCancelledError once `cancel` is set, ModelError if
        inference fails.
        """
        ...

    def outlines(
        self,
        boxes_xyxy: ArrayLike,
        masks: Sequence[MaskLike | None] | None = None,
        *,
        min_iou: float | None = 0.98,
        cancel: Cancel | None = None,
    ) -> list[Outline]:
        """One outline per box, (N, 4), batched if the network can. Raises as `outline` does.

        masks: for each box None or an outline to start from, all of which may change.
        """
        ...


class Assistant(Protocol):
    """A loaded backend. All methods are thread-safe."""

    @property
    def name(self) -> str:
        """Recorded in the provenance."""

    @property
    def content_hash(self) -> str:
        """SHA-256 over the files."""

    @property
    def device(self) -> str:
        """The device that it runs on."""

    @property
    def device_note(self) -> str | None:
        """Why it does not run on the requested device; None if it does."""

    def open(self, image_bgr_u8: NDArray[np.uint8], *, identity: str | None = None) -> View:
        """A view of an upright (H, W, 3) uint8 BGR image. Cheap: nothing is copied or computed.

        The image must not change while the view is used. identity: text that identifies the image, such as its file's
        digest, so that features are found again in memory and on disk. Raises ValueError for another shape or dtype.
        """
        ...
