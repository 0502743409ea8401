"""Reads a COCO ground truth and validates it, with a clear message if it is not one."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from maskwright.errors import FormatError
from maskwright.formats.json_stream import parsed


def read_truth(path: Path) -> dict[str, Any]:
    """A COCO dataset with images, categories and annotations. Raises FormatError for anything else."""
    dataset = read_json(path)
    missing = [key for key in ("images", "categories", "annotations") if not _is_list_of_objects(dataset, key)]
    if missing:
        raise FormatError(f"not a COCO ground truth: no list of {', '.join(missing)}", path=path)
    return dict(dataset)


def read_json(path: Path) -> Any:
    """Parsed JSON. Raises FormatError with the path if the file is missing, unreadable or not JSON."""
    try:
        return parsed(path.read_bytes(), path)
    except OSError as error:
        raise FormatError(f"cannot be read: {error.strerror}", path=path) from error


def category_map(
    named: Iterable[tuple[int, str]], truth: Iterable[Mapping[str, Any]]
) -> tuple[dict[int, int], tuple[str, ...]]:
    """{id of a model (or file): id of the ground truth}, and notes about classes that do not match.

    Matches by name, whatever the ids; if no name matches, by equal ids; a single class is paired with a single class.
    """
    own, wanted = dict(named), {int(category["id"]): str(category["name"]) for category in truth}
    by_name = {_plain(name): key for key, name in wanted.items()}
    found = {key: by_name[_plain(name)] for key, name in own.items() if _plain(name) in by_name}
    if not found:
        found = {key: key for key in own if key in wanted}
    if not found and len(own) == len(wanted) == 1:
        found = dict(zip(own, wanted, strict=True))
    notes = []
    unnamed = [own[key] for key in own if key not in found]
    if unnamed:
        notes.append(f"not in the ground truth, so ignored: {', '.join(sorted(unnamed))}")
    unseen = sorted(wanted[key] for key in set(wanted) - set(found.values()))
    if unseen:
        notes.append(f"in the ground truth but never predicted: {', '.join(unseen)}")
    renamed = sorted(
        f"{own[key]} as {wanted[to]}" for key, to in found.items() if _plain(own[key]) != _plain(wanted[to])
    )
    if renamed:
        notes.append(f"evaluated under another name: {', '.join(renamed)}")
    return found, tuple(notes)


def _plain(name: str) -> str:
    return name.strip().lower().replace("_", " ")


def _is_list_of_objects(dataset: Any, key: str) -> bool:
    entries = dataset.get(key) if isinstance(dataset, dict) else None
    return isinstance(entries, list) and all(isinstance(entry, dict) for entry in entries)
