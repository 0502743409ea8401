"""How annotations come into a project, and what came."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


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
    """Images that the project knows in another size; their annotations were left out."""
    added_count: int = 0
    updated_count: int = 0
    """Were there, and are now as the file has them."""
    kept_count: int = 0
    """Were there, and were left as a person has changed them since."""


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How annotations are taken in. By default what can be read, once."""

    is_strict: bool = False
    """Nothing at all unless everything can be taken in."""
    is_trial: bool = False
    """Only to see what would come of it."""
    adds_again: bool = False
    """Also objects that are there already."""
    may_lack_images: bool = False
    """Even if not one of the images is in the image folder."""
    class_names: Mapping[str, str | None] = field(default_factory=lambda: MappingProxyType({}))
    """{class of the file: what it is called here, or None to leave its objects out}; others keep their names."""
