"""The methods of a project meant for scripts: images and classes by name, one call per step."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from maskwright.document import edits
from maskwright.document.change import Change
from maskwright.document.document import Document
from maskwright.document.values import Category, ImageRecord, Instance, Provenance
from maskwright.errors import InputError, ProjectError
from maskwright.geometry.polygon import Polygon, polygons_bounds_xyxy
from maskwright.project.categories import CategoryRepository
from maskwright.project.images import ImageRepository
from maskwright.project.instances import InstanceRepository
from maskwright.project.layer import ProposalRepository
from maskwright.project.proposals import ModelProposal as StoredProposal
from maskwright.project.rows import now
from maskwright.project.scan import ScannedImage, scan_folder
from maskwright.proposal import Outlines, Proposal, as_polygons, checked_score

ImageReference = int | str | ImageRecord
"""An image by its id, by its name relative to the image folder, or by its record."""
ClassLike = int | str | Category


@dataclass(frozen=True, slots=True)
class Scanned:
    """Result of scanning the image folder."""

    added_count: int
    failures: tuple[tuple[str, str], ...] = ()
    """(file name, reason) of files that look like images but cannot be read."""


class Scripting:
    """Raises ProjectError for unknown images, classes and objects, InputError for invalid values."""

    images: ImageRepository
    categories: CategoryRepository
    instances: InstanceRepository
    proposals: ProposalRepository

    def __iter__(self) -> Iterator[ImageRecord]:
        """The images, in order of adding."""
        return self.images.all()

    def scan(self, *, recursive: bool = True) -> Scanned:
        """Scan the image folder and add new images."""
        failures: list[tuple[str, str]] = []
        added = self.images.add(_readable(scan_folder(self.images.root, recursive), failures))
        return Scanned(added, tuple(failures))

    def image_path(self, record: ImageRecord) -> Path:
        """Where its file is, or should be."""
        return self.images.path(record)

    def ensure_categories(self, labels: Iterable[tuple[int, str]]) -> dict[int, int]:
        """Create a class for each (id, name) whose name is unknown; returns {given id: the project's id}."""
        return self.categories.ensure(labels)

    def find(self, image: ImageReference) -> ImageRecord:
        """The image with an id, a name or a record. Raises ProjectError if there is none."""
        if isinstance(image, ImageRecord):
            return self.images.record(image.id)
        if not isinstance(image, str):
            return self.images.record(_whole(image, "an image by id, name or record"))
        found = self.images.find(image)
        if found is None:
            raise ProjectError(
                f"the project has no image {image!r}", hint="call scan() to add the images of the folder"
            )
        return found

    def category(self, name_or_id: ClassLike) -> Category:
        """The class of this name, ignoring case if that is unambiguous, or of this id."""
        known = self.categories.listed()
        if isinstance(name_or_id, str):
            exact = [each for each in known if each.name == name_or_id]
            found = exact or [each for each in known if each.name.casefold() == name_or_id.strip().casefold()]
        else:
            wanted = name_or_id.id if isinstance(name_or_id, Category) else _whole(name_or_id, "a class by name or id")
            found = [each for each in (*known, *self.categories.offered()) if each.id == wanted]
        if len(found) == 1:
            return found[0]
        if found:
            ids = ", ".join(str(each.id) for each in found)
            raise ProjectError(f"{len(found)} classes are called {name_or_id!r}", hint=f"use an id: {ids}")
        hint = f"known: {', '.join(each.name for each in known) or 'none'}; categories.add() adds one"
        raise ProjectError(f"the project has no class {name_or_id!r}", hint=hint)

    def put_proposals(
        self,
        image_id: ImageReference,
        proposals: Sequence[Proposal | StoredProposal],
        *,
        source: str = "",
        run_id: int | None = None,
        seconds: float | None = None,
        provenance: Provenance | None = None,
        signals: Mapping[str, tuple[float, Any]] | None = None,
    ) -> Change:
        """Replace the open proposals of an image; what a user accepted, edited, drew or rejected stays.

        image_id: or the name or record of the image. source: who proposes this, stored with each. The other arguments
        are what the program itself knows of its models. Returns what changed.
        """
        _require_proposals(proposals)
        if any(isinstance(each, Proposal) for each in proposals) or not isinstance(image_id, int):
            record = self.find(image_id)
            image_id, proposals = record.id, self._as_stored(proposals, (record.width, record.height))
        if source and provenance is None:
            provenance = Provenance(source, "", 0.0, 1.0, now())
        stored = [each for each in proposals if isinstance(each, StoredProposal)]
        return self.proposals.put(
            image_id, stored, run_id=run_id, seconds=seconds, provenance=provenance, signals=signals
        )

    def accept(self, image: ImageReference, ids: Iterable[int] | None = None) -> Change:
        """Accept proposals; `ids` of None for all open ones in the image."""
        document = self._document(image, ids)
        return self._applied(document, edits.accept(document, _wanted(document, ids)), "Accept")

    def reject(self, image: ImageReference, ids: Iterable[int] | None = None) -> Change:
        """Reject proposals for good: they do not come back with another run."""
        document = self._document(image, ids)
        return self._applied(document, edits.reject(document, _wanted(document, ids)), "Reject")

    def delete(self, image: ImageReference, ids: Iterable[int]) -> Change:
        """Delete objects; proposals are rejected instead."""
        ids = list(ids)
        document = self._document(image, ids)
        return self._applied(document, edits.delete(document, ids), "Delete")

    def edit(
        self, image: ImageReference, id: int, *, polygons: Outlines | None = None, category: ClassLike | None = None
    ) -> Change:
        """Give an object another outline, another class, or both."""
        document = self._document(image, [id])
        change = Change.of([])
        if polygons is not None:
            change = edits.set_polygons(document, {id: _outline(polygons)})
        if category is not None:
            changed = document.apply(change)
            change = change.then(edits.set_category(changed, [id], self.category(category).id))
        return self._applied(document, change, "Edit")

    def draw(self, image: ImageReference, category: ClassLike, polygons: Outlines) -> Instance:
        """Add an object as if a user had drawn it."""
        record, own = self.find(image), self.category(category)
        instance = Instance(self.instances.reserve_ids(1)[0], own.id, _outline(polygons))
        self.instances.apply(record.id, Change.create([instance]), label="Draw")
        return instance

    def _as_stored(
        self, proposals: Sequence[Proposal | StoredProposal], size_wh: tuple[int, int]
    ) -> list[StoredProposal]:
        from maskwright.geometry.dense import mask_to_dense

        found = []
        for index, each in enumerate(proposals):
            if isinstance(each, StoredProposal):
                found.append(each)
                continue
            try:
                polygons, pixels = each.outlined(size_wh), each.pixels(size_wh)
            except ValueError as error:
                raise InputError(f"proposal {index}: {error}") from error
            _require_inside(index, polygons, size_wh)
            dense = mask_to_dense(pixels, (0, 0)) if pixels is not None else None
            own = self.category(each.category)
            found.append(StoredProposal(own.id, each.score, polygons, dense, is_box=each.is_box))
        return found

    def _document(self, image: ImageReference, ids: Iterable[int] | None) -> Document:
        document = self.instances.document(self.find(image).id)
        for id_ in ids or ():
            if id_ not in document:
                raise ProjectError(f"this image has no object {id_}")
        return document

    def _applied(self, document: Document, change: Change, label: str) -> Change:
        return self.instances.apply(document.image_id, change, label=label)


def _whole(value: Any, expected: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise InputError(f"expected {expected}, got {value!r}")
    return int(value)


def _require_proposals(proposals: Any) -> None:
    if isinstance(proposals, str | bytes) or not isinstance(proposals, Sequence):
        raise InputError(f"expected a list of proposals, got {proposals!r}"[:200])
    for index, each in enumerate(proposals):
        if not isinstance(each, Proposal | StoredProposal):
            raise InputError(f"proposal {index}: expected a Proposal, got {each!r}"[:200])
        checked_score(each.score)


def _require_inside(index: int, polygons: Sequence[Polygon], size_wh: tuple[int, int]) -> None:
    left, top, right, bottom = polygons_bounds_xyxy(polygons)
    if left >= size_wh[0] or top >= size_wh[1] or right <= 0 or bottom <= 0:
        raise InputError(f"proposal {index}: lies outside the image of {size_wh[0]} x {size_wh[1]} pixels")


def _wanted(document: Document, ids: Iterable[int] | None) -> list[int]:
    return [each.id for each in document if each.state == "proposed"] if ids is None else list(ids)


def _outline(polygons: Outlines) -> tuple[Any, ...]:
    try:
        found = as_polygons(polygons)
    except (ValueError, TypeError) as error:
        raise InputError(str(error)) from error
    if not found:
        raise InputError("expected a non-empty outline")
    return found


def _readable(scanned: Iterable[ScannedImage], failures: list[tuple[str, str]]) -> Iterator[ScannedImage]:
    for image in scanned:
        if image.failure is None:
            yield image
        else:
            failures.append((image.file_name, image.failure.reason))


def as_path(path: str | Path) -> Path:
    """Raises InputError for anything but a path."""
    if not isinstance(path, str | Path):
        raise InputError(f"expected a path, got {path!r}")
    return Path(path)
