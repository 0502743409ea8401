"""How a network expects its pixels, from its own metadata, the converter's, or the graph."""

from dataclasses import replace
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from maskwright.errors import ModelError
from maskwright.inference.adapters.family import PixelFormat
from maskwright.inference.interface import ImageInput, NetworkInterface, TensorLayout, TensorSpec
from maskwright.plain_words import in_plain_words

IMAGENET_MEAN_RGB = (123.675, 116.78, 103.94)
IMAGENET_SCALE_RGB = (58.395, 57.12, 57.375)
"""In the model's description in Open Model Zoo (model.yml), on a scale of 0..255."""


def image_input(
    interface: NetworkInterface, *, index: int, default: PixelFormat, override: PixelFormat | None
) -> ImageInput:
    """The format of image input `index`.

    In this order: the caller's choice; `model_info` (color_space, mean_values, scale_values, reverse_input_channels);
    the model converter's metadata; an input that feeds a convolution directly cannot normalise, so it expects
    normalised RGB (which is all that distinguishes the raw ONNX export from the converted IR of the same YOLACT),
    unless the family uses another scale; the family's default.
    """
    layout = _layout(interface.inputs[index])
    if override is None and (noted := _noted(interface, default)) is not None:
        return replace(noted, index=index, layout=layout)
    chosen = override or _told(interface)
    if chosen is None:
        chosen = "rgb-normalised" if interface.feeds_convolution and default != "rgb-unit" else default
    match chosen:
        case "bgr":
            return ImageInput(index, layout)
        case "rgb":
            return ImageInput(index, layout, is_rgb=True)
        case "rgb-unit":
            return ImageInput(index, layout, is_rgb=True, scale=(255.0,) * 3)
        case "rgb-normalised":
            return ImageInput(index, layout, is_rgb=True, mean=IMAGENET_MEAN_RGB, scale=IMAGENET_SCALE_RGB)
        case _:
            assert_never(chosen)


def noted_pixels(wanted: ImageInput) -> dict[str, str]:
    """The entries of `model_info` from which `image_input` reads the same format again."""
    return {
        "color_space": "RGB" if wanted.is_rgb else "BGR",
        "mean_values": " ".join(f"{value:g}" for value in wanted.mean),
        "scale_values": " ".join(f"{value:g}" for value in wanted.scale),
    }


def float_tensor(pixels: NDArray[np.uint8], wanted: ImageInput) -> NDArray[np.float32]:
    """The tensor for pixels ((1,) H, W, 3) uint8 BGR if preprocessing is not done in the graph."""
    values = (pixels[..., ::-1] if wanted.is_rgb else pixels).astype(np.float32)
    if wanted.mean:
        values -= np.array(wanted.mean, np.float32)
    if wanted.scale:
        values /= np.array(wanted.scale, np.float32)
    return np.ascontiguousarray(values if wanted.layout == "NHWC" else np.moveaxis(values, -1, -3))


def _layout(spec: TensorSpec) -> TensorLayout:
    if spec.rank == 3:
        return "CHW"
    return "NHWC" if spec.dim(3) == 3 and spec.dim(1) != 3 else "NCHW"


def _noted(interface: NetworkInterface, default: PixelFormat) -> ImageInput | None:
    """The format according to `model_info`; None if it says nothing.

    Without color_space the order of a mean of three tells the channel order (ImageNet's falls from red to blue);
    reverse_input_channels does not, because writers disagree whether it starts from BGR or RGB.
    """
    notes = interface.metadata
    if not any(notes.get(key) for key in ("color_space", "mean_values", "scale_values", "reverse_input_channels")):
        return None
    mean, scale = _floats(interface, "mean_values"), _floats(interface, "scale_values")
    if notes.get("intensity_mode") == "scale_to_unit":
        top = float(notes.get("intensity_max_value", 255))
        mean, scale = tuple(top * value for value in mean), tuple(top * value for value in scale or (1.0,) * 3)
    if "color_space" in notes:
        is_rgb = notes["color_space"].strip().upper() == "RGB"
    elif len(mean) == 3 and mean[0] != mean[2]:
        is_rgb = mean[0] > mean[2]
    else:
        is_rgb = default != "bgr" or notes.get("reverse_input_channels", "").lower() in ("true", "yes")
    return ImageInput(is_rgb=is_rgb, mean=mean, scale=scale)


def _told(interface: NetworkInterface) -> PixelFormat | None:
    """The format according to the model converter, which reversed the channels of RGB networks."""
    if not interface.conversion.get("mean_values"):
        return None
    return "bgr" if interface.conversion.get("reverse_input_channels") == "True" else "rgb"


def _floats(interface: NetworkInterface, key: str) -> tuple[float, ...]:
    """One number per channel; a single number applies to all of them."""
    words = interface.metadata.get(key, "").translate(str.maketrans("[](),", "     ")).split()
    try:
        values = tuple(float(word) for word in words)
    except ValueError as error:
        raise ModelError(f"the model's {key} are not numbers: {in_plain_words(error)}") from error
    if len(values) not in (0, 1, 3) or (key == "scale_values" and 0 in values):
        raise ModelError(f"the model's {key} are {len(values)} numbers, expected 3 nonzero ones")
    return values * 3 if len(values) == 1 else values
