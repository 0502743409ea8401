"""The part of a project that imports annotations made elsewhere, in one transaction."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select, update

from maskwright.document.values import ImageRecord, ImageState
from maskwright.errors import FormatError, ImageError
from maskwright.file_names import usable_name
from maskwright.formats.data_set import Problem
from maskwright.formats.folder_contents import FolderSizes, files_below, names_in_folder, sizes_of
from maskwright.formats.json_stream import paused_gc
from maskwright.formats.naming import matched_names
from maskwright.formats.renaming import with_classes, with_images
from maskwright.images.header import probe_image
from maskwright.images.pages import page_source
from maskwright.project.bulk import TooHighError, insert_annotations
from maskwright.project.database import Database
from maskwright.project.import_values import ImportOptions, ImportResult, require_sizes, require_whole
from maskwright.project.incoming import (
    Annotated,
    keep_order,
    take_categories,
    take_images,
    take_instances,
)
from maskwright.project.instance_rows import next_id
from maskwright.project.known_objects import sort_by_known, write_changed
from maskwright.project.layer import ProposalRepository
from maskwright.project.numbers import read_numbers
from maskwright.project.repository import Repository
from maskwright.project.rows import write_settings
from maskwright.project.schema import history, images, instances, run_images, signals
from maskwright.project.source import ProjectSource

if TYPE_CHECKING:
    from maskwright.formats.coco.stream import CocoStream
    from maskwright.formats.data_set import DataSet

_LOOKED_AT = 1000
_IMAGES = "images"
"""Beside a COCO file; its image names are usually relative to this folder, where exports put the images."""


class _TrialError(Exception):
    """Rolls back a transaction that was only a trial."""


class _ChangedError(Exception):
    """Someone added the project's first objects while the file was being read."""


class ImportRepository(Repository):
    """Imports annotations made elsewhere."""

    def __init__(self, database: Database, source: ProjectSource, proposals: ProposalRepository) -> None:
        super().__init__(database)
        self._source, self._proposals = source, proposals

    def add(self, data: Annotated, options: ImportOptions | None = None) -> ImportResult:
        """Add everything in `data` in one transaction: an error leaves the project unchanged.

        Images are matched by file name, categories by name. Existing things keep their ids; new ones get ids that were
        never used, and the file's ids are kept for the export: a project without annotations takes over all of them,
        another one those that are free. Objects that exist already are not added again but updated from the file,
        unless a user has changed them.
        """
        chosen = options or ImportOptions()
        result: ImportResult | None = None
        misfits = self._misfits(data.images())
        try:
            with self._database.write() as connection:
                result = _taken(connection, data, misfits, adds_again=chosen.adds_again)
                require_sizes(result, chosen)
                if chosen.is_trial:
                    raise _TrialError
        except _TrialError:
            pass
        assert result is not None
        return result

    def add_file(
        self,
        path: Path,
        *,
        format_name: str | None = None,
        alone: bool = False,
        options: ImportOptions | None = None,
    ) -> tuple[ImportResult, list[Problem]]:
        """Import a file or folder of any known format; also returns the problems.

        Images with other names than in the image folder are matched by the end of their path. `alone`: nobody reads the
        project meanwhile, which makes large files faster (see `Database.write_alone`). Raises FormatError for an
        unknown or wrong format or if none of the images is in the image folder, IncompleteError if a strict import
        cannot take everything.
        """
        # Imported here, because the formats import OpenCV, which a window does not need to start.
        from maskwright.formats.registry import format_of, is_results
        from maskwright.project.detections import take_detections

        chosen = options or ImportOptions()
        if format_name in (None, "coco") and is_results(path):
            return take_detections(self._source, self._proposals, path, chosen)
        kind = format_of(path, format_name)
        if kind.name == "coco":
            return self.add_coco(path, alone=alone, options=chosen)
        sized = kind.read_sized
        data = (
            kind.read(path) if sized is None else sized(path, FolderSizes(self._sizes_here(), self._source.image_root))
        )
        return self._take_read(data, path, chosen, kind.image_folder)

    def add_coco(
        self, path: Path, *, alone: bool = False, options: ImportOptions | None = None
    ) -> tuple[ImportResult, list[Problem]]:
        """Import a COCO file of any size: as a stream if the project has no annotations, otherwise as `add`.

        Also returns the problems. Raises FormatError for a file that is not COCO, and as `add_file`.
        """
        from maskwright.formats.coco.reader import read_coco
        from maskwright.formats.coco.stream import CocoStream

        chosen = options or ImportOptions(may_lack_images=True)
        size_of = sizes_of(self._source.image_root, path.parent)
        is_as_it_is = not (chosen.class_names or chosen.image_names or chosen.leaves_out_missing)
        for keeps_ids in (True, False) if is_as_it_is else ():
            stream = CocoStream(path, size_of=size_of)
            with self._database.read() as connection:
                is_fresh = _is_fresh(connection)
            if not is_fresh or not stream.is_streamable:
                break
            try:
                return self._take_stream(stream, path, chosen, alone=alone, keeps_ids=keeps_ids)
            except TooHighError:
                continue
            except _ChangedError:  # someone is working in this project
                break
        return self._take_read(read_coco(path, size_of=size_of), path, chosen, _IMAGES)

    def read(self, path: Path) -> "DataSet":
        """What a file or folder of any known format would bring, with the names that its images have here.

        Does not read results lists of detectors. Raises FormatError as `add_file` does, but not for missing images.
        """
        from maskwright.formats.coco.reader import read_coco
        from maskwright.formats.registry import format_of

        kind = format_of(path, None)
        if kind.name == "coco":
            data = read_coco(path, size_of=sizes_of(self._source.image_root, path.parent))
        else:
            sized = kind.read_sized
            data = (
                kind.read(path)
                if sized is None
                else sized(path, FolderSizes(self._sizes_here(), self._source.image_root))
            )
        problems = list(data.problems)
        data = self._as_named_here(data, path, ImportOptions(may_lack_images=True), problems, kind.image_folder)
        return replace(data, problems=tuple(problems))

    def _take_read(
        self, data: "DataSet", path: Path, options: ImportOptions, image_folder: str = ""
    ) -> tuple[ImportResult, list[Problem]]:
        problems = list(data.problems)
        data = with_images(self._as_named_here(data, path, options, problems, image_folder), options.image_names)
        if options.leaves_out_missing:
            here = files_below(self._source.image_root)
            kept = tuple(each for each in data.image_list if page_source(Path(each.file_name))[0].as_posix() in here)
            left = {each.file_name for each in data.image_list} - {each.file_name for each in kept}
            problems += [Problem(name, "its file is not in the image folder") for name in sorted(left)]
            data = replace(data, image_list=kept)
        require_whole(problems, path, options)
        return self.add(with_classes(data, options.class_names), options), problems

    def _as_named_here(
        self, data: "DataSet", path: Path, options: ImportOptions, problems: list[Problem], image_folder: str
    ) -> "DataSet":
        names = self._names_here([image.file_name for image in data.images()], path, options, problems, image_folder)
        if not names:
            return data
        renamed = (replace(each, file_name=names.get(each.file_name, each.file_name)) for each in data.image_list)
        return replace(data, image_list=tuple(renamed))

    def _take_stream(
        self, stream: "CocoStream", path: Path, options: ImportOptions, *, alone: bool, keeps_ids: bool
    ) -> tuple[ImportResult, list[Problem]]:
        names = [image.file_name for image in stream.images.values()]
        stream.rename_images(self._names_here(names, path, options, stream.problems, _IMAGES))
        misfits = self._misfits(stream.images.values())
        is_alone = alone and not options.is_trial
        transaction = self._database.write_alone() if is_alone else self._database.write()
        result: ImportResult | None = None
        try:
            with paused_gc(), transaction as connection:
                if not _is_fresh(connection):
                    raise _ChangedError
                result = take_stream(connection, stream, misfits, keeps_ids=keeps_ids)
                require_whole(stream.problems, path, options)
                require_sizes(result, options)
                if options.is_trial:
                    raise _TrialError
        except _TrialError:
            pass
        assert result is not None
        return result, stream.problems

    def _names_here(
        self,
        names: Sequence[str],
        path: Path,
        options: ImportOptions,
        problems: list[Problem],
        image_folder: str = "",
    ) -> dict[str, str]:
        """{name in the file: name here} of images that are here under another path; each is also a problem.

        Except for images in `image_folder` beside the file, to which the format's names are relative. Raises
        FormatError if not one image is here and that matters.
        """
        with self._database.read() as connection:
            known = {usable_name(*row) for row in connection.execute(select(images.c.id, images.c.file_name))}
        here = known | files_below(self._source.image_root)
        if here.issuperset(names):
            return {}
        if found := names_in_folder(names, here, path, self._source.image_root, image_folder):
            return found
        # If one name fits, names are relative to the image folder, and the other images are missing.
        found = matched_names(names, here) if here.isdisjoint(names) else {}
        problems += [
            Problem(name, f"was matched to {place!r} in the image folder", "changed") for name, place in found.items()
        ]
        is_lost = names and not found and here.isdisjoint(page_source(Path(name))[0].as_posix() for name in names)
        if is_lost and not options.may_lack_images and not options.image_names:
            raise FormatError(
                f"none of its images ({len(names)}) is in {self._source.image_root}", path=path,
                hint=f"the first is called {names[0]!r}; --relocate searches by name and size",
            )  # fmt: skip
        return found

    def _misfits(self, records: Iterable[ImageRecord]) -> frozenset[str]:
        """Names of images that are new to the project and whose file has another size than the record.

        If none of the first thousand has, the others are not opened.
        """
        known = self._sizes_here()
        new = [image for image in records if image.file_name not in known]
        some = new[:: max(1, len(new) // _LOOKED_AT)]
        if not any(_is_misfit(image, self._source.image_root) for image in some):
            return frozenset()
        return frozenset(image.file_name for image in new if _is_misfit(image, self._source.image_root))

    def _sizes_here(self) -> Mapping[str, tuple[int, int]]:
        """Of all images of the project, by name; damaged ones are missing."""
        columns = (images.c.id, images.c.file_name, images.c.width, images.c.height)
        with self._database.read() as connection:
            rows = connection.execute(select(*columns)).fetchall()
        return {usable_name(*row[:2]): row[2:] for row in rows if type(row.width) is type(row.height) is int}


def _is_misfit(image: ImageRecord, root: Path) -> bool:
    try:
        return probe_image(root / image.file_name).size_wh != (image.width, image.height)
    except ImageError:
        return False


def _taken(connection: Connection, data: Annotated, misfits: frozenset[str], *, adds_again: bool) -> ImportResult:
    is_fresh = _is_fresh(connection)
    category_ids = take_categories(connection, data.categories(), is_fresh=is_fresh)
    image_ids, resized = take_images(connection, list(data.images()), misfits, is_fresh=is_fresh)
    if is_fresh or adds_again:
        count, renumbered = take_instances(connection, data, image_ids, category_ids, is_fresh=is_fresh)
        if is_fresh:
            write_settings(connection, _header(data.settings))
        return ImportResult(len(image_ids), count, len(category_ids), renumbered, tuple(resized), added_count=count)
    found = sort_by_known(connection, data, image_ids, category_ids)
    count, renumbered = take_instances(connection, found.new, image_ids, category_ids, is_fresh=False)
    write_changed(connection, found.changed)
    return ImportResult(
        len(image_ids),
        count + len(found.changed) + found.unchanged_count + found.kept_count,
        len(category_ids),
        renumbered,
        tuple(resized),
        added_count=count,
        updated_count=len(found.changed),
        kept_count=found.kept_count,
    )


def take_stream(
    connection: Connection, stream: "CocoStream", misfits: frozenset[str] = frozenset(), *, keeps_ids: bool = True
) -> ImportResult:
    """Import a stream into a fresh project. Unless `keeps_ids` all objects get new ids, as they do if any has been used
    before.

    Raises TooHighError for an id that the project cannot take over.
    """
    category_ids = take_categories(connection, list(stream.categories.values()), is_fresh=True)
    image_ids, resized = take_images(connection, list(stream.images.values()), misfits, is_fresh=True)
    numbers = read_numbers(connection, "category")
    stream.read_with_care(id_ for id_, own in category_ids.items() if numbers[own] != id_)
    first = next_id(connection)
    is_new = keeps_ids and first == 1
    inserted = insert_annotations(connection, stream, image_ids, category_ids, first=None if is_new else first)
    write_settings(connection, stream.settings if inserted.order is None else _header(stream.settings))
    if inserted.order is not None:
        keep_order(connection, list(image_ids.values()), inserted.order)
    for id_ in stream.left_open(inserted.filled):
        state = {"state": ImageState.UNSEEN.value}
        connection.execute(update(images).where(images.c.id == image_ids[id_]).values(state))
    count = inserted.count
    return ImportResult(len(image_ids), count, len(stream.categories), resized=tuple(resized), added_count=count)


def _header(values: Mapping[str, object]) -> dict[str, object]:
    """What a file has besides its objects, except for their order by its own ids."""
    from maskwright.formats.coco.options import ORDER_SETTING

    return {key: value for key, value in values.items() if key != ORDER_SETTING}


def _is_fresh(connection: Connection) -> bool:
    """Whether nothing refers to an image or instance yet."""
    return not any(connection.scalar(select(table).limit(1)) for table in (instances, history, run_images, signals))
