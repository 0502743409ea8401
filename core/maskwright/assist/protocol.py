"""The two seams: what a caller sees of an assistant, and what a network or method has to offer to be one.

    assistant = load_assistant("bundled")
    view = assistant.open(image_bgr_u8)
    outline = view.outline(points_xy=[(120, 80)], labels=[1])
    better = view.outline(points_xy=[(120, 80), (140, 95)], labels=[1, 0], previous=outline)

Callers use `Assistant` and `View`. Whoever adds a network implements `Backend` and names it in `families.FAMILIES`;
caching, checking, pasting and tracing are done around it.
"""

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
    """What a backend made of one window of an image, so that prompts there are cheap; arrays are read-only."""

    window: Window
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    @property
    def nbytes(self) -> int:
        return sum(array.nbytes for array in self.arrays.values())


FeaturesOf: TypeAlias = Callable[[Window], WindowFeatures]
"""Features of a window of the open image: prepared at the first call, then from the cache."""


class Backend(Protocol):
    """A network or method that outlines what a prompt shows. All methods may be called from several threads.

    `prepare` and `outline` are the two halves; `answers` puts them together, for only the backend knows which windows
    a prompt needs: the whole image once (SAM), or one that follows the object (small networks).
    """

    @property
    def name(self) -> str:
        """For provenance."""
        ...

    @property
    def content_hash(self) -> str:
        """SHA-256 over the files, so that features can be told apart and kept."""
        ...

    @property
    def device(self) -> str: ...

    @property
    def device_note(self) -> str | None:
        """Why it is not the device asked for; None if it is."""
        ...

    @property
    def keeps_features(self) -> bool:
        """Whether features cost so much that they are worth a place on the disk."""
        ...

    def prepare(self, image_bgr: NDArray[np.uint8], window: Window, cancel: Cancel | None) -> WindowFeatures:
        """Features of a window of an (H, W, 3) image, of which it copies no more than it needs.

        Raises InferenceCancelledError once `cancel` is set, ModelError where inference fails.
        """
        ...

    def outline(self, features: WindowFeatures, prompt: Prompt, cancel: Cancel | None) -> SoftMask:
        """The answer to a prompt from these features alone. Raises as `prepare` does."""
        ...

    def answers(self, features_of: FeaturesOf, prompts: Sequence[Prompt], cancel: Cancel | None) -> list[SoftMask]:
        """One answer per prompt. Raises as `prepare` does."""
        ...


@runtime_checkable
class Describing(Protocol):
    """A backend whose answers carry descriptors and that can be told how large objects are."""

    def pointed(
        self, features_of: FeaturesOf, prompts: Sequence[Prompt], window_px: float, cancel: Cancel | None
    ) -> list[SoftMask]:
        """One answer per prompt, each from a window of that side about its points alone. Raises as `prepare` does."""
        ...


@runtime_checkable
class Sharpening(Protocol):
    """A backend whose answers are coarser than the image of a large object."""

    def sharpened(self, image_bgr: NDArray[np.uint8], soft: SoftMask) -> SoftMask:
        """The answer on a finer grid; itself where that would show no more."""
        ...


class View(Protocol):
    """One open image. All methods may be called from several threads."""

    @property
    def size_wh(self) -> tuple[int, int]: ...

    def prepare(self, *, cancel: Cancel | None = None) -> None:
        """Make what the first prompt would have to wait for, such as SAM's embedding. Raises as `outline` does."""
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
        """The outline of what is shown.

        points_xy: (N, 2), continuous pixel coordinates; labels: (N,), 1 inside the object, 0 outside, None for all
        inside; box_xyxy: clipped to the image. mask: an outline to correct, (H, W) or polygons, of which only what is
        near the points may change; without points it is redone as a whole. previous: the answer to the same prompt less
        its last press, which most networks continue from. min_iou: of the polygons with the mask, None or 1 for exact.
        Raises PromptError for a prompt that cannot be answered, InferenceCancelledError once `cancel` is set,
        ModelError where inference fails.
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
        """Of (N, 4) boxes an outline each, batched where the network can. Raises as `outline` does.

        masks: for each box an outline to start from, of which everything may change, or None.
        """
        ...


class Assistant(Protocol):
    """A loaded backend. All methods may be called from several threads."""

    @property
    def name(self) -> str: ...

    @property
    def content_hash(self) -> str: ...

    @property
    def device(self) -> str: ...

    @property
    def device_note(self) -> str | None: ...

    def open(self, image_bgr_u8: NDArray[np.uint8], *, identity: str | None = None) -> View:
        """A view of an image (H, W, 3) uint8 BGR, upright; cheap, nothing is copied or run.

        The image must not change while the view is used. identity: what tells it from all others, such as its file's
        digest: features are then found again, in memory and on disk. Raises ValueError for another shape or type.
        """
        ...
