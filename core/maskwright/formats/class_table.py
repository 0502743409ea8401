"""The class names of YOLO data sets: Ultralytics' YAML and plain lists of names."""

from collections.abc import Iterator
from pathlib import Path

import yaml

from maskwright.errors import FormatError
from maskwright.plain_words import in_plain_words
from maskwright.regular_files import read_regular

_MOST_CLASSES = 100_000
_MOST_BYTES = 16 << 20


def read_yaml(file: Path) -> yaml.MappingNode:
    """The mapping in a YAML file, as nodes. Raises FormatError for anything else.

    Nodes rather than values, because a class may be called `no`, `1.0` or `2024-01-01`, and its name is what the file
    says. Uses the Python loader, where deep nesting raises an exception instead of crashing.
    """
    try:
        if file.stat().st_size > _MOST_BYTES:
            raise FormatError(f"is larger than {_MOST_BYTES >> 20} MB", path=file)
        node = yaml.compose(read_regular(file).decode("utf-8-sig"), Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError) as error:
        raise FormatError(f"the class names cannot be read: {in_plain_words(error)}", path=file) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise FormatError(f"the class names cannot be read: {in_plain_words(error)}", path=file) from error
    if not isinstance(node, yaml.MappingNode):
        raise FormatError("expected a table with `names:`", path=file)
    return node


def yaml_value(node: yaml.MappingNode, key: str) -> yaml.Node | None:
    """The value of `key`. Raises ValueError for a duplicate key, because one of the two would be lost."""
    found = [value for name, value in node.value if isinstance(name, yaml.ScalarNode) and name.value == key]
    if len(found) > 1:
        raise ValueError(f"`{key}` occurs twice")
    return found[0] if found else None


def yaml_texts(node: yaml.Node) -> Iterator[tuple[str, str]]:
    """(key, value) pairs of a mapping as written in the file; other nodes are skipped."""
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    return (
        (key.value, value.value)
        for key, value in pairs
        if isinstance(key, yaml.ScalarNode) and isinstance(value, yaml.ScalarNode) and _is_text(value.value)
    )


def names_of_yaml(file: Path) -> dict[int, str]:
    """{class number: name} of a data.yaml. Raises FormatError for a table that is damaged or contradicts itself."""
    node = read_yaml(file)
    try:
        table = yaml_value(node, "names")
        if table is None:
            raise ValueError("`names:` is missing")
        names = _numbered(table)
        count = yaml_value(node, "nc")
        if count is not None and _whole(count) != len(names):
            raise ValueError(f"`nc` says {_whole(count)} classes, but `names` has {len(names)}")
    except ValueError as error:
        raise FormatError(in_plain_words(error), path=file) from error
    return names


def names_of_lines(file: Path) -> dict[int, str]:
    """{class number: name} from a list with one name per line (classes.txt, obj.names). Raises FormatError."""
    try:
        lines = read_regular(file).decode("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise FormatError(f"the class names cannot be read: {in_plain_words(error)}", path=file) from error
    while lines and not lines[-1].strip():
        lines.pop()
    if not lines or len(lines) > _MOST_CLASSES:
        raise FormatError(f"expected 1 to {_MOST_CLASSES} names, one per line", path=file)
    if empty := [i for i, line in enumerate(lines, start=1) if not line.strip()]:
        raise FormatError(f"line {empty[0]} is empty, which would shift all later class numbers", path=file)
    return dict(enumerate(line.strip() for line in lines))


def _numbered(table: yaml.Node) -> dict[int, str]:
    names: dict[int, str] = {}
    for number, node in _entries(table):
        if not 0 <= number <= _MOST_CLASSES:  # a table of that length would fill the memory
            raise ValueError(f"expected class numbers up to {_MOST_CLASSES}, got {number}")
        if number in names:
            raise ValueError(f"class {number} occurs twice")
        is_empty = node.tag.endswith(":null") if isinstance(node, yaml.ScalarNode) else True
        if is_empty or not node.value.strip():
            raise ValueError(f"class {number} has no name")
        if not _is_text(node.value):
            raise ValueError(f"the name of class {number} is not text: {node.value[:40]!a}")
        names[number] = node.value.strip()
    return names


def _is_text(value: str) -> bool:
    """False for text with half a surrogate pair, which YAML can spell but no file can hold."""
    return not any("\ud800" <= character <= "\udfff" for character in value)


def _entries(table: yaml.Node) -> Iterator[tuple[int, yaml.Node]]:
    if isinstance(table, yaml.SequenceNode):
        yield from enumerate(table.value)
    elif isinstance(table, yaml.MappingNode):
        yield from ((_whole(key), value) for key, value in table.value)
    else:
        raise ValueError("expected `names` to be a list or a numbered table")


def _whole(node: yaml.Node) -> int:
    text = node.value if isinstance(node, yaml.ScalarNode) else ""
    if not text.strip().isdecimal() or len(text) > 9:
        raise ValueError(f"expected integer class numbers, got {text[:40] or 'something else'!r}")
    return int(text)
