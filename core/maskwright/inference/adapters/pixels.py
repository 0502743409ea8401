"""How a network wants its pixels, told from its own notes, the converter's, or the graph."""

from typing import Literal

from maskwright.errors import ModelError
from maskwright.inference.adapters.family import PixelFormat
from maskwright.inference.interface import NetworkInterface
from maskwright.inference.runtime import ImageInput

IMAGENET_MEAN_RGB = (123.675, 116.78, 103.94)
IMAGENET_SCALE_RGB = (58.395, 57.12, 57.375)
"""Of the model's own description in Open Model Zoo (model.yml), on a scale of 0..255."""


def image_input(
    interface: NetworkInterface, *, index: int, default: PixelFormat, override: PixelFormat | None
) -> ImageInput:
    """The format of image input `index`.

    In this order: the caller's word; `model_info` (color_space, mean_values, scale_values); what the model converter
    noted; an input that feeds a convolution directly has nothing to normalise it, so it wants normalised RGB (the raw
    ONNX export and the converted IR of one YOLACT differ in nothing else); the family's own habit.
    """
    layout: Literal["NCHW", "NHWC"]
    layout = "NHWC" if interface.inputs[index].dim(3) == 3 and interface.inputs[index].dim(1) != 3 else "NCHW"
    if override is None and "color_space" in interface.metadata:
        is_rgb = interface.metadata["color_space"].strip().upper() == "RGB"
        return ImageInput(index, layout, is_rgb, _floats(interface, "mean_values"), _floats(interface, "scale_values"))
    match override or _told(interface) or ("rgb-normalised" if interface.feeds_convolution else default):
        case "bgr":
            return ImageInput(index, layout)
        case "rgb":
            return ImageInput(index, layout, is_rgb=True)
        case _:
            return ImageInput(index, layout, is_rgb=True, mean=IMAGENET_MEAN_RGB, scale=IMAGENET_SCALE_RGB)


def _told(interface: NetworkInterface) -> PixelFormat | None:
    """The format according to the model converter, which reversed the channels of what was an RGB network."""
    if not interface.conversion.get("mean_values"):
        return None
    return "bgr" if interface.conversion.get("reverse_input_channels") == "True" else "rgb"


def _floats(interface: NetworkInterface, key: str) -> tuple[float, ...]:
    try:
        return tuple(float(word) for word in interface.metadata.get(key, "").split())
    except ValueError as error:
        raise ModelError(f"the model's {key} are not numbers: {error}") from error
