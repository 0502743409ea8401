"""Imports a COCO results list into a project: proposals with scores for the images that it has."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maskwright.document.values import ImageRecord, Provenance
from maskwright.errors import FormatError
from maskwright.formats.data_set import Problem
from maskwright.plain_words import in_plain_words
from maskwright.project.proposals import ModelProposal
from maskwright.project.rows import now

if TYPE_CHECKING:
    from maskwright.project.import_values import ImportOptions, ImportResult
    from maskwright.project.layer import ProposalRepository
    from maskwright.project.source import ProjectSource


def take_detections(
    project: "ProjectSource", layer: "ProposalRepository", path: Path, options: "ImportOptions"
) -> tuple["ImportResult", list[Problem]]:
    """Import with image and class ids as in an export of the project.

    Like a model's run it replaces open proposals; what a user has answered stays. Raises FormatError for anything but a
    results list, and for one without any entry for this project.
    """
    from maskwright.formats.json_stream import parsed  # these import OpenCV
    from maskwright.project.import_values import ImportResult, require_whole

    try:
        data = path.read_bytes()
    except OSError as error:
        raise FormatError(f"cannot be read: {error.strerror or error}", path=path) from error
    content = parsed(data, path)
    if not isinstance(content, list):
        raise FormatError("expected a list of detections", path=path)
    numbers = project.file_numbers().inverse()
    records = {image.id: image for image in project.images()}
    classes = {category.id for category in project.categories()}
    found: dict[int, list[ModelProposal]] = defaultdict(list)
    problems: list[Problem] = []
    for i, entry in enumerate(content):
        try:
            image_id = numbers.images[_id(entry, "image_id")]
            category_id = numbers.categories[_id(entry, "category_id")]
            if image_id not in records or category_id not in classes:
                what = "image" if image_id not in records else "class"
                raise ValueError(f"the project has no {what} with this id")
            found[image_id].append(_proposal(entry, records[image_id], category_id))
        except ValueError as error:
            problems.append(Problem(f"detection {i}", in_plain_words(error)))
    if content and not found:
        raise FormatError(f"nothing in it belongs to this project: {problems[0]}", path=path)
    require_whole(problems, path, options)
    origin = Provenance(path.stem, hashlib.sha256(data).hexdigest()[:16], 0.0, 1.0, now())
    if not options.is_trial:
        for image_id, proposals in found.items():
            layer.put(image_id, proposals, provenance=origin)
    count = sum(map(len, found.values()))
    return ImportResult(len(found), count, len(classes), added_count=count), problems


def _id(entry: Any, key: str) -> int:
    value = entry.get(key) if isinstance(entry, Mapping) else None
    if type(value) is not int:
        raise ValueError(f"expected a whole number as {key}, got {value!r}")
    return value


def _proposal(entry: Mapping[str, Any], image: ImageRecord, category_id: int) -> ModelProposal:
    from maskwright.formats.coco.segmentation import bbox_to_polygon, segmentation_to_polygons
    from maskwright.formats.sizes import is_share

    score = entry.get("score")
    if not is_share(score):
        raise ValueError(f"expected a score of 0 to 1, got {score!r}")
    if entry.get("segmentation"):
        polygons, left_out = segmentation_to_polygons(entry["segmentation"], (image.width, image.height))
        if left_out:
            raise ValueError("; ".join(left_out))
        return ModelProposal(category_id, float(score), polygons)
    return ModelProposal(category_id, float(score), (bbox_to_polygon(entry.get("bbox")),), is_box=True)
