"""Where the files of a YOLO data set lie: the class table, each label file, and its image.

Supports Ultralytics' layout (`images/` and `labels/` side by side, also per part: train, valid, test) and the older one
with labels beside the images and a list of class names (`classes.txt`, `obj.names`)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from maskwright.errors import FormatError
from maskwright.formats.class_table import names_of_lines, names_of_yaml, read_yaml, yaml_value
from maskwright.images import IMAGE_SUFFIXES

YAML_NAMES = ("data.yaml", "data.yml", "dataset.yaml", "dataset.yml")
LIST_NAMES = ("classes.txt", "obj.names", "_darknet.labels", "predefined_classes.txt")
_NO_LABELS = frozenset({*LIST_NAMES, "train.txt", "valid.txt", "val.txt", "test.txt", "notes.txt", "labels.txt"})


@dataclass(frozen=True, slots=True)
class LabelFile:
    """`place`: path of the image relative to the set's folder, without suffix; `prefix`: the part of it that does not
    belong to its name.
    """

    path: Path
    place: PurePosixPath
    prefix: str = ""


@dataclass(slots=True)
class YoloLayout:
    """A data set below `root`."""

    root: Path
    names: dict[int, str]
    has_keypoints: bool
    _folders: dict[Path, dict[str, str]] = field(default_factory=dict)

    def labels(self) -> Iterator[LabelFile]:
        """In the order of their names. Raises FormatError if there are none."""
        found = list(_label_files(self.root))
        if not found and not _label_folders(self.root):
            raise FormatError("no folder `labels` here, and no label file next to an image", path=self.root)
        return iter(found)

    def image_of(self, label: LabelFile) -> Path | None:
        """The image file; a folder is listed once for all its labels."""
        place = self.root / label.place
        if place.parent not in self._folders:
            self._folders[place.parent] = _images_in(place.parent)
        name = self._folders[place.parent].get(place.name)
        return place.parent / name if name is not None else None


def yolo_layout(path: Path) -> YoloLayout:
    """The layout of a folder, found by it, its YAML or its list of names. Raises FormatError without class names."""
    root = path if path.is_dir() else path.parent
    table = (
        path if path.is_file() else next((root / n for n in (*YAML_NAMES, *LIST_NAMES) if (root / n).is_file()), None)
    )
    table = table or next((file for name in LIST_NAMES for file in sorted(root.glob(f"*/{name}"))), None)
    if table is None:
        raise FormatError("no class names here", path=root, hint="expected data.yaml, classes.txt or obj.names")
    if table.suffix not in (".yaml", ".yml"):
        return YoloLayout(root, names_of_lines(table), has_keypoints=False)
    names = names_of_yaml(table)
    return YoloLayout(root, names, has_keypoints=yaml_value(read_yaml(table), "kpt_shape") is not None)


def is_yolo(path: Path) -> bool:
    """Whether a path looks like such a set; a guess by file names, only YAML is read."""
    if path.is_file():
        return path.name in LIST_NAMES or (path.suffix in (".yaml", ".yml") and _has_names(path))
    has_table = any((path / name).is_file() for name in (*YAML_NAMES, *LIST_NAMES))
    return path.is_dir() and (has_table or (path / "labels").is_dir() or any(path.glob("*/obj.names")))


def _has_names(file: Path) -> bool:
    try:
        return yaml_value(read_yaml(file), "names") is not None
    except (FormatError, ValueError):
        return True  # a damaged class table; its reader explains


def _label_files(root: Path) -> Iterator[LabelFile]:
    folders = _label_folders(root)
    for folder in folders:
        images = (folder.parent / "images").relative_to(root)
        is_only = folder == root / "labels"
        for file in sorted(folder.rglob("*.txt")):
            if file.name in LIST_NAMES:
                continue
            place = PurePosixPath(images.as_posix(), file.relative_to(folder).with_suffix("").as_posix())
            yield LabelFile(file, place, f"{images.as_posix()}/" if is_only else "")
    if not folders:
        for file in sorted(root.rglob("*.txt")):
            if file.name.lower() not in _NO_LABELS:
                yield LabelFile(file, PurePosixPath(file.relative_to(root).with_suffix("").as_posix()))


def _label_folders(root: Path) -> list[Path]:
    return [place for place in (root / "labels", *sorted(root.glob("*/labels"))) if place.is_dir()]


def _images_in(folder: Path) -> dict[str, str]:
    """{name without suffix: name}; the first by name if two differ only in the suffix."""
    try:
        names = sorted(entry.name for entry in folder.iterdir())
    except OSError:
        return {}
    found: dict[str, str] = {}
    for name in names:
        if PurePosixPath(name).suffix.lower() in IMAGE_SUFFIXES:
            found.setdefault(PurePosixPath(name).stem, name)
    return found
