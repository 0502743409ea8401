"""The interface between a network's tensors and candidates: what each model family's file must provide."""

import ast
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from maskwright.errors import ModelError
from maskwright.inference.adapters.resizing import Resizing
from maskwright.inference.candidates import Candidates
from maskwright.inference.frame import Frame
from maskwright.inference.interface import ImageInput, NetworkInterface, TensorSpec, described
from maskwright.inference.labels import ModelCategory
from maskwright.inference.thresholds import Defaults
from maskwright.plain_words import in_plain_words

PixelFormat = Literal["bgr", "rgb", "rgb-unit", "rgb-normalised"]
"""How a network expects its pixels: 0..255 in either channel order, RGB 0..1, or RGB normalised as for ImageNet."""
Roles = Mapping[str, int]
"""Position of each output by role."""


class Adapter(Protocol):
    """A model family bound to one network."""

    family: ClassVar[str]

    @property
    def name(self) -> str:
        """The model's name, from its metadata or its file."""

    @property
    def categories(self) -> tuple[ModelCategory, ...]:
        """By the class index that candidates use."""
        ...

    @property
    def labels(self) -> tuple[ModelCategory, ...]:
        """The `categories` with real names."""
        ...

    @property
    def defaults(self) -> Defaults:
        """The model's own operating point."""

    @property
    def image_input(self) -> ImageInput:
        """How to prepare the image."""

    @classmethod
    def recognised(cls, interface: NetworkInterface, pixels: PixelFormat | None) -> "Adapter | None":
        """An adapter for this network; None if it is of another family.

        Raises ModelError if the network contradicts itself, ValueError if its labels do not fit.
        """
        ...

    @staticmethod
    def output_roles(outputs: Sequence[TensorSpec]) -> Roles | None:
        """Positions of the outputs that this family needs, found by name, else by shape; None if one is missing."""
        ...

    def feeds(self, image: NDArray[np.uint8]) -> dict[int, NDArray[Any]]:
        """Input tensors by position for an image (H, W, 3) uint8 BGR."""
        ...

    def frame(self, size_wh: tuple[int, int]) -> Frame:
        """Where an image of that size lies in the network's input."""
        ...

    def candidates(self, outputs: Mapping[str, NDArray[Any]], frame: Frame) -> Candidates:
        """Decode tensors, given by role. The result shares no memory with them."""
        ...


@dataclass(frozen=True, slots=True)
class CardNotes:
    """What rt_info's `model_info` says besides labels, with the family's defaults filled in."""

    name: str
    defaults: Defaults


def card_notes(interface: NetworkInterface, name: str, defaults: Defaults) -> CardNotes:
    """Read name and operating point. Raises ModelError for values that are not numbers."""
    notes = interface.metadata
    try:
        return CardNotes(
            notes.get("model_name", name),
            Defaults(
                float(notes.get("score_threshold", notes.get("confidence_threshold", defaults.score))),
                float(notes.get("nms_iou", notes.get("iou_threshold", defaults.nms_iou))),
                int(notes.get("max_instances", defaults.max_instances)),
                notes.get("mask_parts", "") == "largest" or defaults.keeps_largest_part,
                defaults.is_multi_label,
                notes.get("agnostic_nms", "").casefold() in ("true", "yes", "1") or defaults.is_class_agnostic,
            ),
        )
    except ValueError as error:
        raise ModelError(f"the model's metadata is damaged: {in_plain_words(error)}") from error


def noted_labels(interface: NetworkInterface) -> tuple[list[str], list[int]]:
    """Names and category ids from `model_info`; both empty if there are none. Raises ModelError for invalid ids.

    `labels` is the list of OpenVINO's model API, in which a space separates two labels and "_" may be either; a model
    learned from a project also has its exact names in `label_names`. An ONNX file may have names in the exporter's
    metadata.
    """
    names = [label.replace("_", " ") for label in interface.metadata.get("labels", "").split()]
    names = _exact_names(interface.metadata.get("label_names", ""), len(names)) or names
    if not names:
        return _exported_names(interface.framework.get("names", "")), []
    try:
        return names, [int(word) for word in interface.metadata.get("category_ids", "").split()]
    except ValueError as error:
        raise ModelError(f"the model's category ids are damaged: {in_plain_words(error)}") from error


def _exact_names(text: str, count: int) -> list[str]:
    """Names from a JSON list of `count` strings; empty for anything else."""
    try:
        found = json.loads(text)
    except ValueError:
        return []
    is_list = isinstance(found, list) and len(found) == count and all(isinstance(name, str) for name in found)
    return found if is_list else []


def _exported_names(text: str) -> list[str]:
    """Names from a text such as "{0: 'cat', 1: 'dog'}", as Ultralytics writes it; empty for anything else."""
    try:
        found = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return []
    if not isinstance(found, dict) or sorted(map(str, found)) != sorted(map(str, range(len(found)))):
        return []
    return [str(found[key]) for key in sorted(found, key=int)]


def by_role(adapter: Adapter, outputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Rename tensors from whatever names they have to roles. Raises ModelError if one is missing."""
    arrays = list(outputs.values())
    specs = [TensorSpec(frozenset({name}), array.shape) for name, array in outputs.items()]
    roles = adapter.output_roles(specs)
    if roles is None:
        raise ModelError(f"not the outputs of {adapter.family}: {described(specs)}")
    return {role: arrays[index] for role, index in roles.items()}


def named_roles(outputs: Sequence[TensorSpec], names: Sequence[str]) -> dict[str, int] | None:
    """Positions of outputs with all of these names; None if one is not found."""
    found = {name: k for name in names for k, spec in enumerate(outputs) if spec.is_called(name)}
    return found if len(found) == len(names) and len(set(found.values())) == len(names) else None


def agree(*sizes: int | None) -> bool:
    """Whether all known sizes are equal."""
    return len({size for size in sizes if size is not None}) <= 1


@dataclass(frozen=True)
class BoundNetwork:
    """Name, categories, operating point, pixel format and resizing; families add their tensors."""

    notes: CardNotes
    categories: tuple[ModelCategory, ...]
    image_input: ImageInput
    resizing: Resizing

    @property
    def name(self) -> str:
        return self.notes.name

    @property
    def labels(self) -> tuple[ModelCategory, ...]:
        """The categories with names of their own."""
        named = tuple(category for category in self.categories if category.name != f"category {category.id}")
        return named or self.categories

    @property
    def defaults(self) -> Defaults:
        return self.notes.defaults

    def frame(self, size_wh: tuple[int, int]) -> Frame:
        return self.resizing.frame(size_wh)
