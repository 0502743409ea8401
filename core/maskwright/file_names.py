"""Names of image files relative to their folder; an invalid name never becomes a path.

They come from annotation files and databases that anybody may have written. Backslashes and drive letters are refused
on all systems, because Windows would read them as paths and projects move between systems."""

import re

_PLAIN = re.compile(r"[\w-][\w .-]*(?:/[\w-][\w .-]*)*", re.ASCII)
"""Names that need no further checks; others take the slow path."""
_CONTROL = re.compile("[\0-\x1f\x7f]")
_DRIVE = re.compile("[A-Za-z]:")
_MOST_CHARACTERS = 4096


def file_name_fault(name: object) -> str | None:
    """Why `name` is not the relative path of a file below a folder, with forward slashes; None if it is."""
    if not isinstance(name, str):
        return "it is not text"
    if len(name) <= _MOST_CHARACTERS and ".." not in name and _PLAIN.fullmatch(name):
        return None
    if not name.strip() or name.rsplit("/", 1)[-1] in ("", "."):
        return "it is empty"
    if len(name) > _MOST_CHARACTERS:
        return f"it has {len(name)} characters"
    if _CONTROL.search(name):
        return "it contains a control character"
    if "\\" in name:
        return "it contains a backslash"
    if name.startswith("/") or _DRIVE.match(name):
        return "it is not relative to the image folder"
    if ".." in name.split("/"):
        return "it leads outside the image folder"
    return None


def usable_name(image_id: object, name: object) -> str:
    """The name that a database gives an image, or a stand-in if it is invalid."""
    return name if isinstance(name, str) and file_name_fault(name) is None else stand_in(f"image {image_id}", name)


def stand_in(row: str, name: object) -> str:
    """A harmless name that no file has, for a database `row` with an invalid one; it begins like the original."""
    text = re.sub("[^A-Za-z0-9._-]+", "_", name[:80]) if isinstance(name, str) else ""
    return f"{row} (damaged name)/{text.replace('..', '_').strip('.') or 'none'}"
