"""The annotations of a window recognised by one regular expression, which also proves them to be plain.

A file's annotations nearly all have the same keys in the same order. An expression made from the first of them reads
ids and checks every number four times faster than a JSON parser makes objects of them; a window in which anything is
otherwise goes to the parser.
"""

import re
from collections.abc import Mapping
from typing import Any

_WHOLE = rb"-?(?:0|[1-9]\d{0,5}+)"
_COORDINATE = _WHOLE + rb"(?:\.\d{1,12}+)?+"
"""Below a million; `segmentation.MAX_COORDINATE` is that."""
_NUMBER = rb"-?(?:0|[1-9]\d{0,14}+)(?:\.\d{1,12}+)?+"
_ID = rb"([1-9]\d{0,14}+)"
_IDS = ("id", "image_id", "category_id")


class Recognised(list[tuple[bytes, ...]]):
    """(text, group, group, ...) of each annotation; `Shortcut.place` says which group is which."""


class Shortcut:
    """Recognises annotations that look like `example`, written as `text` is."""

    def __init__(self, example: Mapping[str, Any], text: bytes) -> None:
        colon, comma = (b": ", b", ") if b'": ' in text[:400] else (b":", b",")
        pair = _COORDINATE + comma + _COORDINATE
        ring = rb"\[" + pair + rb"(?:" + comma + pair + rb"){2,}+\]"
        values = {
            **dict.fromkeys(_IDS, _ID),
            "segmentation": rb"\[" + ring + rb"(?:" + comma + ring + rb")*+\]",
            "area": _NUMBER,
            "bbox": rb"\[" + _NUMBER + rb"(?:" + comma + _NUMBER + rb"){3}\]",
            "iscrowd": rb"([01])",
        }
        self.place = {key: at for at, key in enumerate((k for k in example if k in (*_IDS, "iscrowd")), start=1)}
        is_known = all(key in values for key in example) and all(key in example for key in (*_IDS, "segmentation"))
        pairs = [b'"' + key.encode() + b'"' + colon + values[key] for key in example] if is_known else []
        record = rb"(\{" + comma.join(pairs) + rb"\})"
        self._pattern = re.compile(record + rb"(?:\s*,\s*+|$)") if is_known else None

    def __call__(self, text: bytes) -> Recognised | None:
        """All annotations of `text`, which is a list without its brackets; None where one of them looks otherwise."""
        if self._pattern is None:
            return None
        end = 0
        found = Recognised()
        for match in self._pattern.finditer(text):
            if match.start() != end:
                return None
            end = match.end()
            found.append(match.groups())
        return found if end == len(text) else None
