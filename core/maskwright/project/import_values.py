"""How annotations come into a project, and what came."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from maskwright.errors import IncompleteError
from maskwright.formats.data_set import Problem
from maskwright.words import count_of


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What came in."""

    image_count: int
    instance_count: int
    """All that the project has of the file now; `added_count` of them had not been there."""
    category_count: int
    renumbered_count: int = 0
    """Instances whose id was taken in the project."""
    resized: tuple[str, ...] = ()
    """Images of another size than the annotations are for; these were left out."""
    added_count: int = 0
    updated_count: int = 0
    """Were there, and are now as the file has them."""
    kept_count: int = 0
    """Were there, and were left as a user has changed them since."""


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How annotations are imported. By default what can be read, once."""

    is_strict: bool = False
    """Nothing at all unless everything can be imported."""
    is_trial: bool = False
    """Only to see what would come of it."""
    adds_again: bool = False
    """Also objects that are already there."""
    may_lack_images: bool = False
    """Even if not one of the images is in the image folder."""
    class_names: Mapping[str, str | None] = field(default_factory=lambda: MappingProxyType({}))
    """{class of the file: what it is called here, or None to leave its objects out}; others keep their names."""
    image_names: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """{image of the file that is not in the image folder: the file that it is there}."""
    leaves_out_missing: bool = False
    """Images that are not in the image folder, with their objects; else they are listed as missing."""


def require_whole(problems: Sequence[Problem], path: Path, options: ImportOptions) -> None:
    """Raises IncompleteError where a strict import would leave something out."""
    skipped = [each for each in problems if each.effect == "skipped"]
    if options.is_strict and skipped:
        count = count_of(len(skipped), "item")
        raise IncompleteError(
            f"{count} cannot be imported, so nothing was", problems=[str(each) for each in problems], path=path,
            hint=f"the first is {skipped[0]}",
        )  # fmt: skip


def require_sizes(result: ImportResult, options: ImportOptions) -> None:
    """Raises IncompleteError where a strict import would leave out images for their size."""
    if options.is_strict and result.resized:
        images = count_of(len(result.resized), "image")
        raise IncompleteError(
            f"nothing was imported: the size of {images} differs from the annotations'",
            problems=list(result.resized),
            hint=f"the first is {result.resized[0]}",
        )
