"""Options and results of an import."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from maskwright.errors import IncompleteError
from maskwright.formats.data_set import Problem
from maskwright.words import count_of


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What was imported."""

    image_count: int
    instance_count: int
    """All objects of the file that the project has now; `added_count` of them are new."""
    category_count: int
    renumbered_count: int = 0
    """Objects whose id was taken in the project."""
    resized: tuple[str, ...] = ()
    """Images whose size differs from that of their annotations; these were left out."""
    added_count: int = 0
    updated_count: int = 0
    """Objects that existed and were updated from the file."""
    kept_count: int = 0
    """Objects that existed and were kept as a user has changed them since."""

    @property
    def news(self) -> str:
        """How many of the objects are new, and what became of the others; empty if all are new."""
        if not (there := self.instance_count - self.added_count):
            return ""
        kept = f", {self.kept_count} not updated because changed here" if self.kept_count else ""
        return f"{self.added_count} new, {there} already there ({self.updated_count} updated{kept})"


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How annotations are imported. By default everything readable, each object once."""

    is_strict: bool = False
    """Import nothing unless everything can be imported."""
    is_trial: bool = False
    """Only report what would happen."""
    adds_again: bool = False
    """Also add objects that exist already."""
    may_lack_images: bool = False
    """Import even if none of the images is in the image folder."""
    class_names: Mapping[str, str | None] = field(default_factory=lambda: MappingProxyType({}))
    """{class of the file: its name here, or None to leave its objects out}; other classes keep their names."""
    image_names: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """{image of the file that is not in the image folder: the file there to use for it}."""
    leaves_out_missing: bool = False
    """Skip images that are not in the image folder, with their objects; otherwise they are listed as missing."""


def require_whole(problems: Sequence[Problem], path: Path, options: ImportOptions) -> None:
    """Raises IncompleteError if a strict import would leave something out."""
    skipped = [each for each in problems if each.effect == "skipped"]
    if options.is_strict and skipped:
        count = count_of(len(skipped), "item")
        raise IncompleteError(
            f"{count} cannot be imported, so nothing was", problems=[str(each) for each in problems], path=path,
            hint=f"the first is {skipped[0]}",
        )  # fmt: skip


def require_sizes(result: ImportResult, options: ImportOptions) -> None:
    """Raises IncompleteError if a strict import would leave out images because of their size."""
    if options.is_strict and result.resized:
        images = count_of(len(result.resized), "image")
        raise IncompleteError(
            f"nothing was imported: the size of {images} differs from the annotations'",
            problems=list(result.resized),
            hint=f"the first is {result.resized[0]}",
        )
