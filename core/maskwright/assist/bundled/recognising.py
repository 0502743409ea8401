"""Recognises a window network by the metadata in its file."""

from collections.abc import Sequence

from maskwright.assist.bundled.backend import WindowBackend, WindowNetwork
from maskwright.assist.bundled.choosing import Margins
from maskwright.assist.bundled.drawing import CLICK_SPREAD
from maskwright.assist.protocol import Backend
from maskwright.assist.running import LoadSettings
from maskwright.errors import ModelError
from maskwright.inference.interface import TensorSpec
from maskwright.inference.runtime import Network
from maskwright.plain_words import in_plain_words

MODEL_TYPE = "assist"
_PLANES = "box positive_clicks negative_clicks previous_probability"


def recognised_window_network(networks: Sequence[Network], settings: LoadSettings) -> Backend | None:
    """A backend for one network of model type "assist"; None for any other.

    Raises ModelError if the file contradicts itself or needs a newer version of the program.
    """
    if len(networks) != 1 or networks[0].interface.metadata.get("model_type") != MODEL_TYPE:
        return None
    return WindowBackend(networks[0], _layout(networks[0]), settings)


def _layout(network: Network) -> WindowNetwork:
    interface, notes = network.interface, network.interface.metadata
    try:
        side, multiple, outside = (int(notes[key]) for key in ("window_size", "window_multiple", "pad_value"))
        margins = Margins(float(notes["box_margin"]), float(notes["box_margin_px"]))
        spread = float(notes["click_spread"])
    except (KeyError, ValueError) as error:
        raise ModelError(
            f"its notes lack something, or are no numbers: {in_plain_words(error)}", path=network.path
        ) from error
    if notes.get("prompt_planes") != _PLANES or notes.get("color_space") != "BGR" or spread != CLICK_SPREAD:
        raise ModelError("it expects a prompt encoding that this version does not know", path=network.path)
    if side <= 0 or multiple <= 0 or side % (2 * multiple):
        raise ModelError(f"its window of {side} pixels is not a multiple of {2 * multiple}", path=network.path)
    return WindowNetwork(
        image=_position(interface.inputs, "image", network),
        prompt=_position(interface.inputs, "prompt", network),
        mask_logits=_position(interface.outputs, "mask_logits", network),
        quality=_position(interface.outputs, "quality", network),
        features=_position(interface.outputs, "features", network),
        side=side,
        outside=outside,
        margins=margins,
    )


def _position(specs: Sequence[TensorSpec], name: str, network: Network) -> int:
    found = [number for number, spec in enumerate(specs) if spec.is_called(name)]
    if not found:
        raise ModelError(f"{name} is missing", path=network.path)
    return found[0]
