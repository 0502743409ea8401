"""The annotations of a window recognised by one regular expression, which also proves them to be plain.

A file's annotations nearly all have the same keys in the same order. An expression made from the first of them reads
ids and checks every number four times faster than a JSON parser makes objects of them; a window in which anything is
otherwise goes to the parser.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# [0-9] and not \d: the engine has a faster loop for it.
_WHOLE = rb"-?(?:0|[1-9][0-9]{0,5}+)"
_COORDINATE = _WHOLE + rb"(?:\.[0-9]{1,12}+)?+"
"""Below a million; `segmentation.MAX_COORDINATE` is that."""
_NUMBER = rb"-?(?:0|[1-9][0-9]{0,14}+)(?:\.[0-9]{1,12}+)?+"
_ID = rb"([1-9][0-9]{0,14}+)"
_IDS = ("id", "image_id", "category_id")
_BETWEEN = re.compile(rb"\}(\s*,\s*)\{")


@dataclass(frozen=True, slots=True)
class Recognised:
    """Annotations as columns of equal length."""

    records: Sequence[bytes]
    """The JSON of each."""
    ids: list[int]
    image_ids: list[int]
    category_ids: list[int]
    crowds: Sequence[bytes]
    """b"0" or b"1" each; empty where the annotations do not say."""

    def __len__(self) -> int:
        return len(self.ids)


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
        places = [key for key in example if key in (*_IDS, "iscrowd")]
        self._place = {key: at for at, key in enumerate(places, start=1)}
        is_known = all(key in values for key in example) and all(key in example for key in (*_IDS, "segmentation"))
        pairs = [b'"' + key.encode() + b'"' + colon + values[key] for key in example] if is_known else []
        between = _BETWEEN.search(text)
        self._separator = between.group(1) if between is not None else b","
        record = rb"(\{" + comma.join(pairs) + rb"\})"
        self._pattern = re.compile(record + rb"(?:" + re.escape(self._separator) + rb"|$)") if is_known else None

    def __call__(self, text: bytes) -> Recognised | None:
        """All annotations of `text`, which is a list without its brackets; None where one of them looks otherwise."""
        if self._pattern is None:
            return None
        columns = list(zip(*self._pattern.findall(text), strict=True))
        if not columns:
            return None
        records = columns[0]
        # Nothing stands between them: all their lengths and separators make up the text.
        if sum(map(len, records)) + len(self._separator) * (len(records) - 1) != len(text):
            return None
        ids, image_ids, category_ids = (list(map(int, columns[self._place[key]])) for key in _IDS)
        crowds = columns[self._place["iscrowd"]] if "iscrowd" in self._place else ()
        return Recognised(records, ids, image_ids, category_ids, crowds)
