"""Turns image names as exporters write them into paths inside an image folder, and matches them with the files
there."""

import re
from collections import defaultdict
from collections.abc import Collection, Mapping
from functools import partial
from heapq import nsmallest
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from maskwright.file_names import file_name_fault

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{1,20}://")
_DRIVE = re.compile(r"[A-Za-z]:")


def path_inside(name: Any) -> str:
    """The relative path, with forward slashes, that a name must mean; an absolute path or URL loses its root.

    `C:\\images\\a.jpg` is `images/a.jpg`, `../images/a.jpg` too, `https://host/x/a.jpg?v=1` is `x/a.jpg`, and Label
    Studio's `/data/local-files/?d=x/a.jpg` is `x/a.jpg`. `matched_names` finds where the file really is. Raises
    ValueError for a name that means no file.
    """
    if not isinstance(name, str) or not name.strip():
        raise ValueError("expected a file name")
    if file_name_fault(name) is None and not any(sign in name for sign in ("./", "//", "/?")):
        return name
    text = name
    if _SCHEME.match(name) or "/?d=" in name:
        try:
            text = _path_of_url(name)
        except ValueError as error:
            raise ValueError(f"expected a file name, got {name[:80]!r}") from error
    text = text.replace("\\", "/")
    text = _DRIVE.sub("", text, count=1) if _DRIVE.match(text) else text
    parts = [part for part in PurePosixPath(text).parts if part not in ("/", "//")]
    last_up = max((i for i, part in enumerate(parts) if part == ".."), default=-1)
    inside = parts[last_up + 1 :]
    found = "/".join(inside)
    if (fault := file_name_fault(found)) is not None:
        raise ValueError(f"expected a file name, got {name[:200]!r}: {fault}")
    return found


def matched_names(names: Collection[str], known: Collection[str]) -> dict[str, str]:
    """{name: the known file that it must mean}, for names that are not known themselves.

    The file that shares the longest path ending wins. Ambiguous names are left out, and so are files that two names
    would share or that have the name of another entry.
    """
    by_last: dict[str, list[str]] = defaultdict(list)
    taken = set(names) & set(known)
    for file in known:
        if file not in taken:
            by_last[PurePosixPath(file).name].append(file)
    wishes: dict[str, list[str]] = defaultdict(list)
    for name in names:
        if name in taken:
            continue
        best = _best(name, by_last.get(PurePosixPath(name).name, []))
        if best is not None:
            wishes[best].append(name)
    return {claims[0]: file for file, claims in wishes.items() if len(claims) == 1}


def similar_names(names: Collection[str], known: Collection[str], most: int = 8) -> dict[str, list[str]]:
    """{name: known files that it may mean, the likeliest first}, for names that are not known themselves.

    They have the same name in another folder, or the same but for the ending; upper and lower case do not count. A file
    that one of the names is already stays out.
    """
    by_stem: dict[str, list[str]] = defaultdict(list)
    for file in set(known) - set(names):
        by_stem[PurePosixPath(file).stem.casefold()].append(file)
    return {
        name: nsmallest(most, by_stem.get(PurePosixPath(name).stem.casefold(), ()), partial(_unlikeness, name))
        for name in names
        if name not in known
    }


def _unlikeness(name: str, file: str) -> tuple[bool, int, str]:
    own, other = PurePosixPath(name), PurePosixPath(file)
    folders_in_common = _common_end(own.parent.as_posix(), other.parent.as_posix())
    return own.name.casefold() != other.name.casefold(), -folders_in_common, file


def _best(name: str, files: list[str]) -> str | None:
    lengths = {file: _common_end(name, file) for file in files}
    longest = max(lengths.values(), default=0)
    best = [file for file, length in lengths.items() if length == longest]
    return best[0] if len(best) == 1 else None


def _common_end(a: str, b: str) -> int:
    count = 0
    for one, other in zip(reversed(PurePosixPath(a).parts), reversed(PurePosixPath(b).parts), strict=False):
        if one != other:
            break
        count += 1
    return count


def _path_of_url(name: str) -> str:
    url = urlsplit(name)
    query: Mapping[str, list[str]] = parse_qs(url.query)
    if url.path.rstrip("/").endswith("local-files") and query.get("d"):
        return query["d"][0]
    return unquote(url.path)
