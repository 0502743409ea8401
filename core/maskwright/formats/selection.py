"""What the writers of all formats share: which objects are written, and in which shape."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from maskwright.document.values import ImageRecord, Instance
from maskwright.errors import FormatError, InputError
from maskwright.file_names import file_name_fault
from maskwright.formats.coco.options import CocoExportOptions, CocoSource
from maskwright.geometry.algebra import clip_to_image
from maskwright.geometry.raster import polygons_area

if TYPE_CHECKING:
    from maskwright.formats.verification import Verification


@dataclass(frozen=True, slots=True)
class WriteReport:
    """What a writer wrote, and what the format could not hold."""

    path: Path
    image_count: int
    instance_count: int
    losses: tuple[str, ...] = ()
    verification: "Verification | None" = None
    """The result of reading the files again; None if nobody did."""


def chosen(source: CocoSource, options: CocoExportOptions) -> Iterator[tuple[ImageRecord, list[Instance]]]:
    """Each image to write with its instances, clipped to it, lowest first; those without a pixel are left out."""
    for image in source.images():
        if not options.takes_image(image):
            continue
        taken = [instance for instance in source.instances(image.id) if options.takes_instance(instance)]
        size_wh = (image.width, image.height)
        cut = (_cut(instance, size_wh) for instance in taken)
        visible = [instance for instance in cut if polygons_area(instance.polygons, size_wh)]
        yield image, sorted(visible, key=lambda instance: (instance.z, instance.id))


def _cut(instance: Instance, size_wh: tuple[int, int]) -> Instance:
    try:
        return replace(instance, polygons=clip_to_image(instance.polygons, size_wh))
    except InputError as error:
        raise FormatError(f"object {instance.id}: {error}") from error


def require_file_name(file_name: str) -> None:
    """Raises FormatError for a name that would lead out of the target folder."""
    if (fault := file_name_fault(file_name)) is not None:
        raise FormatError(f"{file_name[:200]!r} cannot be exported under this name: {fault}")


class SideFiles:
    """Paths of files beside images; refuses two images that would share one."""

    def __init__(self, folder: Path, suffix: str) -> None:
        self._folder, self._suffix = folder, suffix
        self._owner: dict[Path, str] = {}

    def path_for(self, file_name: str) -> Path:
        """FOLDER/sub/name.SUFFIX for sub/name.png, creating the folder. Raises FormatError for a repeated name."""
        require_file_name(file_name)
        path = self._folder / PurePosixPath(file_name).with_suffix(self._suffix)
        other = self._owner.setdefault(path, file_name)
        if other != file_name:
            raise FormatError(
                f"{other} and {file_name} would be written to the same file", path=path, hint="rename one image"
            )
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FormatError(f"cannot create the folder: {error.strerror or error}", path=path.parent) from error
        return path
