"""Recognises exports of SAM by names and shapes of inputs and outputs."""

from collections.abc import Sequence
from dataclasses import dataclass

from maskwright.assist.protocol import Backend
from maskwright.assist.running import LoadSettings
from maskwright.assist.sam.backend import SamBackend, SamLayout
from maskwright.assist.sam.layout import EMBEDDINGS, EncoderPicture, Role, SquareFit, roles_of
from maskwright.assist.sam.prompting import NoPoint
from maskwright.errors import ModelError
from maskwright.inference.interface import TensorSpec, described
from maskwright.inference.runtime import Network

_STRIDE = 16
"""Prompt pixels per embedding cell: 64 cells, 1024 pixels."""
_CELLS = 64
_EFFICIENT_POINTS = 6


def recognised_sam(networks: Sequence[Network], settings: LoadSettings) -> Backend | None:
    """A backend for an encoder and a decoder, in any order; None if they are neither. Raises as `sam_pair` does."""
    pair = sam_pair(networks)
    return SamBackend(pair.encoder, pair.decoder, pair.layout, settings) if pair is not None else None


@dataclass(frozen=True, slots=True)
class SamPair:
    """Two networks that fit together, and how to feed them."""

    encoder: Network
    decoder: Network
    layout: SamLayout


def sam_pair(networks: Sequence[Network]) -> SamPair | None:
    """An encoder and a decoder, given in any order; None if they are neither.

    Raises ModelError if one of them is missing or the two do not fit together.
    """
    decoders = [network for network in networks if _is_decoder(network)]
    encoders = [network for network in networks if network not in decoders and _is_encoder(network)]
    if not decoders and not encoders:
        return None
    if len(networks) != 2 or len(decoders) != 1 or len(encoders) != 1:
        _refuse(networks, encoders, decoders)
    return SamPair(encoders[0], decoders[0], sam_layout(encoders[0], decoders[0]))


def sam_layout(encoder: Network, decoder: Network) -> SamLayout:
    """How to feed the two. Raises ModelError if they do not fit together."""
    encoded, fed = roles_of(encoder.interface.outputs), roles_of(decoder.interface.inputs)
    answered = roles_of(decoder.interface.outputs)
    _check_fit(encoder, decoder, encoded, fed)
    image = encoder.interface.inputs[0]
    sides = _side(decoder.interface.inputs[fed[Role.EMBEDDING]]) or _side(
        encoder.interface.outputs[encoded[Role.EMBEDDING]]
    )
    frame_side = (sides or _CELLS) * _STRIDE
    is_efficient = image.is_called("batched_images")
    is_stretched = is_efficient or Role.FINE in fed
    if Role.FINE in fed:
        frame_side = _side(image) or frame_side  # SAM 3's tracker has 1008
    is_planar = image.rank != 3
    input_side = (_side(image) if is_planar else None) or frame_side
    return SamLayout(
        family="efficient_sam" if is_efficient else "sam2" if Role.FINE in fed else _sam(fed),
        picture=EncoderPicture(SquareFit(input_side, is_stretched), is_planar=is_planar, is_unit=is_efficient),
        frame=SquareFit(frame_side, is_stretched),
        cells=_mask_side(decoder, fed, frame_side),
        encoded={role: index for role, index in encoded.items() if role in EMBEDDINGS and role in fed},
        fed=fed,
        answered=answered,
        no_point=_no_point(fed, is_efficient=is_efficient),
        most_points=_EFFICIENT_POINTS if is_efficient else None,
        scales_answer=is_efficient,
    )


def _sam(fed: dict[Role, int]) -> str:
    return "sam_hq" if Role.EARLY in fed else "sam"


def _no_point(fed: dict[Role, int], *, is_efficient: bool) -> NoPoint:
    """EfficientSAM pads to six points itself; SAM 2 adds the point in the graph, except in exports by transformers with
    an input for boxes: that graph adds it only to boxes, so boxes go in as points and we add the point.
    """
    if is_efficient or (Role.FINE in fed and Role.BOXES not in fed):
        return NoPoint.NEVER
    return NoPoint.ALWAYS if Role.FINE in fed else NoPoint.WITHOUT_BOX


def _is_decoder(network: Network) -> bool:
    fed, answered = roles_of(network.interface.inputs), roles_of(network.interface.outputs)
    needed = (Role.EMBEDDING, Role.POINTS, Role.LABELS)
    has_masks = Role.MASKS in answered or Role.LOW_RES in answered
    return all(role in fed for role in needed) and has_masks and Role.SCORES in answered


def _is_encoder(network: Network) -> bool:
    interface = network.interface
    is_picture = len(interface.inputs) == 1 and interface.inputs[0].rank in (3, 4)
    return is_picture and Role.EMBEDDING in roles_of(interface.outputs)


def _check_fit(encoder: Network, decoder: Network, encoded: dict[Role, int], fed: dict[Role, int]) -> None:
    """Raise ModelError unless the encoder provides all the decoder needs, in the right shapes."""
    for role in EMBEDDINGS:
        if role not in fed:
            continue
        wanted = decoder.interface.inputs[fed[role]]
        given = encoder.interface.outputs[encoded[role]] if role in encoded else None
        if given is None or not _agree(given, wanted):
            raise ModelError(
                f"the decoder {decoder.path.name} expects {wanted}, but the encoder returns "
                f"{given or described(encoder.interface.outputs)}: they belong to different models",
                path=encoder.path,
            )


def _agree(given: TensorSpec, wanted: TensorSpec) -> bool:
    if given.shape is None or wanted.shape is None:
        return True
    if len(given.shape) != len(wanted.shape):
        return False
    return all(a is None or b is None or a == b for a, b in zip(given.shape, wanted.shape, strict=True))


def _side(spec: TensorSpec) -> int | None:
    return spec.shape[-1] if spec.shape else None


def _mask_side(decoder: Network, fed: dict[Role, int], frame_side: int) -> int:
    own = _side(decoder.interface.inputs[fed[Role.MASK]]) if Role.MASK in fed else None
    return own or frame_side // 4


def _refuse(networks: Sequence[Network], encoders: Sequence[Network], decoders: Sequence[Network]) -> None:
    path = networks[0].path
    if not decoders:
        raise ModelError(
            "this is a SAM encoder; its decoder is missing", path=path, hint="put the decoder in the same folder"
        )
    if not encoders:
        raise ModelError(
            "this is a SAM decoder; its encoder is missing", path=path, hint="put the decoder in the same folder"
        )
    raise ModelError(f"{len(networks)} networks, expected one encoder and one decoder", path=path)
