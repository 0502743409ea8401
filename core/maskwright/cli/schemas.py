"""What `--json` prints, command by command, as JSON Schema (2020-12). Keys may be added, none will be renamed."""

from collections.abc import Mapping
from typing import Any

Fields = Mapping[str, str]
"""{key: its type}, see `_TYPES`; a question mark: may be null; a star: may be missing."""

_TYPES: Mapping[str, Any] = {
    "text": {"type": "string"},
    "whole": {"type": "integer"},
    "number": {"type": "number"},
    "flag": {"type": "boolean"},
    "texts": {"type": "array", "items": {"type": "string"}},
    "objects": {"type": "array", "items": {"type": "object"}},
    "object": {"type": "object"},
    "list": {"type": "array"},
}
_WRITTEN = {"path": "text", "images": "whole", "instances": "whole", "verified": "object*"}
_ERROR: Fields = {"error": "text", "path": "text?", "hint": "text?"}

_OF: Mapping[str, tuple[Fields, ...]] = {
    "prelabel": (
        {
            "done": "whole", "failed": "whole", "remaining": "whole", "instances": "whole", "seconds": "number",
            "images_per_s": "number?", "device": "text", "device_note": "text?", "stopped_because": "text?",
            "out": "text?", "project": "text?", "refined": "object?", "failures": "objects", "exit_code": "whole",
        },
    ),
    "export": (
        {**_WRITTEN, "unreviewed": "whole", "losses": "texts", "left_out": "objects"},
        {"sets": "objects", "losses": "texts", "notes": "texts"},
        {"path": "text", "instances": "whole", "losses": "texts"},
    ),
    "import": (
        {
            "dry_run": "flag", "images": "whole", "instances": "whole", "added": "whole", "updated": "whole",
            "kept": "whole", "categories": "whole", "renumbered": "whole", "resized": "texts", "missing": "texts",
            "relocated": "texts", "problems": "texts",
        },
    ),
    "convert": ({**_WRITTEN, "losses": "texts", "problems": "texts"},),
    "check": ({"fixed": "whole", "findings": "objects"},),
    "evaluate": (
        {
            "bbox": "object", "segm": "object", "max_dets": "whole", "images": "whole", "truth": "whole",
            "predictions": "whole", "failures": "objects", "notes": "texts",
        },
    ),
    "queue": ({"order": "text", "images": "texts"},),
    "classes": ({"classes": "objects", "merged": "objects"},),
    "duplicates": ({"groups": "list"},),
    "restore": ({"backups": "texts"}, {"restored": "text", "kept": "text"}, {"kept": "text"}),
    "trust": ({"image_root": "text"},),
    "devices": ({"devices": "texts"},),
}  # fmt: skip
"""Of each command what it may print; commands that are not here promise an object and no more."""


def schema_of(command: str) -> dict[str, Any]:
    """`command`: "import", "models list"."""
    shapes = [_shape(fields) for fields in _OF.get(command, ())] or [{"type": "object"}]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"maskwright {command} --json",
        "anyOf": [*shapes, _shape(_ERROR)],
    }


def _shape(fields: Fields) -> dict[str, Any]:
    properties = {key: _typed(kind) for key, kind in fields.items()}
    required = [key for key, kind in fields.items() if not kind.endswith("*")]
    return {"type": "object", "properties": properties, "required": required}


def _typed(kind: str) -> dict[str, Any]:
    known: dict[str, Any] = _TYPES[kind.rstrip("?*")]
    return {"anyOf": [known, {"type": "null"}]} if kind.endswith("?") else known
