"""Packs changes for the history table, so that undo survives a restart.

zlib over JSON {"v": 1, "entries": [[before, after], ...]} with polygons packed and in base64; null for "does not
exist"."""

import zlib
from base64 import b64decode, b64encode
from types import MappingProxyType
from typing import Any

import orjson

from maskwright.document.change import Change
from maskwright.document.values import Instance, InstanceState, Provenance
from maskwright.inflating import inflate
from maskwright.plain_words import in_plain_words
from maskwright.project.packing import pack_polygons, unpack_polygons
from maskwright.project.rows import provenance_to_row, sound_instance

_VERSION = 1
_SURELY_BYTES, _MOST_TIMES, _MOST_BYTES = 1 << 20, 50, 256 * 2**20
"""Limit for unpacking. Outlines in base64 shrink to a third or a tenth; a thousandth is an attempt to fill the
memory."""


def change_to_bytes(change: Change) -> bytes:
    """Pack a change."""
    entries = [[_to_dict(before), _to_dict(after)] for _, before, after in change]
    plain = orjson.dumps({"v": _VERSION, "entries": entries})
    packed = zlib.compress(plain, 1)
    # so that what is written can be read
    return packed if len(plain) <= _most_bytes(packed) else zlib.compress(plain, 0)


def change_from_bytes(data: bytes) -> Change:
    """Unpack a change. Raises ValueError for data that is damaged or from a newer version."""
    try:
        content = orjson.loads(inflate(data, _most_bytes(data)))
        if content["v"] != _VERSION:
            raise ValueError(f"expected version {_VERSION}, got {content['v']}")
        return Change.of((_from_dict(before), _from_dict(after)) for before, after in content["entries"])
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise ValueError(f"damaged history entry: {in_plain_words(error)}") from error


def _most_bytes(packed: bytes) -> int:
    return min(_SURELY_BYTES + _MOST_TIMES * len(packed), _MOST_BYTES)


def _to_dict(instance: Instance | None) -> dict[str, Any] | None:
    if instance is None:
        return None
    return {
        "id": instance.id,
        "category_id": instance.category_id,
        "polygons": b64encode(pack_polygons(instance.polygons)).decode(),
        "state": instance.state.value,
        "score": instance.score,
        "provenance": provenance_to_row(instance.provenance) if instance.provenance else None,
        "z": instance.z,
        "is_visible": instance.is_visible,
        "is_locked": instance.is_locked,
        "is_crowd": instance.is_crowd,
        "extra": dict(instance.extra),
        "dense": b64encode(instance.dense).decode() if instance.dense is not None else None,
    }


def _from_dict(content: dict[str, Any] | None) -> Instance | None:
    if content is None:
        return None
    provenance, dense = content["provenance"], content.get("dense")
    instance = Instance(
        **{
            **content,
            "polygons": unpack_polygons(b64decode(content["polygons"])),
            "state": InstanceState(content["state"]),
            "provenance": Provenance(**provenance) if provenance else None,
            "extra": MappingProxyType(content["extra"]),
            "dense": b64decode(dense) if dense is not None else None,
        }
    )
    return sound_instance(instance)
