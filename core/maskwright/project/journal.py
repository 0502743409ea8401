"""Changes as bytes: what the history table keeps so that undo survives a restart.

zlib over JSON {"v": 1, "entries": [[before, after], ...]} with polygons packed and base64; null for "not there".
"""

import zlib
from base64 import b64decode, b64encode
from types import MappingProxyType
from typing import Any

import orjson

from maskwright.document.change import Change
from maskwright.document.values import Instance, InstanceState, Provenance
from maskwright.project.packing import pack_polygons, unpack_polygons
from maskwright.project.rows import provenance_to_row

_VERSION = 1


def change_to_bytes(change: Change) -> bytes:
    entries = [[_to_dict(before), _to_dict(after)] for _, before, after in change]
    return zlib.compress(orjson.dumps({"v": _VERSION, "entries": entries}), 1)


def change_from_bytes(data: bytes) -> Change:
    """Raises ValueError when `data` was written by a newer version or is damaged."""
    try:
        content = orjson.loads(zlib.decompress(data))
    except zlib.error as error:
        raise ValueError(f"damaged history entry: {error}") from error
    if content["v"] != _VERSION:
        raise ValueError(f"expected a history entry of version {_VERSION}, got {content['v']}")
    return Change.of((_from_dict(before), _from_dict(after)) for before, after in content["entries"])


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
    return Instance(
        **{
            **content,
            "polygons": unpack_polygons(b64decode(content["polygons"])),
            "state": InstanceState(content["state"]),
            "provenance": Provenance(**provenance) if provenance else None,
            "extra": MappingProxyType(content["extra"]),
            "dense": b64decode(dense) if dense is not None else None,
        }
    )
