"""Formats with one small JSON file per image: going through the files."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from maskwright.errors import FormatError
from maskwright.formats.building import DataSetBuilder
from maskwright.formats.json_stream import parsed
from maskwright.regular_files import read_regular


def json_documents(path: Path, builder: DataSetBuilder) -> Iterator[tuple[str, Path, Mapping[str, Any]]]:
    """(place for people, folder from the set's root, content) of each JSON object below a folder, or of one file.

    What cannot be read is listed as a problem.
    """
    files = sorted(path.rglob("*.json")) if path.is_dir() else [path]
    root = path if path.is_dir() else path.parent
    for file in files:
        where = file.relative_to(root).as_posix()
        try:
            content = parsed(read_regular(file), file)
        except (OSError, FormatError) as error:
            builder.skip(where, error)
            continue
        if isinstance(content, dict):
            yield where, file.parent.relative_to(root), content
