"""QuPath's GeoJSON: one file per image with a feature per object; holes and parts are kept.

Features as QuPath's `qupath.lib.io.PathIO` writes them: objectType, classification {name, color}, measurements. QuPath
stores neither the image's name (the file name tells) nor its size; our files add both beside the features, where other
readers do not look."""

import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import orjson

from maskwright.document.palette import category_colour
from maskwright.document.values import Category, Instance, InstanceState
from maskwright.errors import FormatError
from maskwright.formats.atomic import atomic_writer
from maskwright.formats.building import DataSetBuilder, ParsedObject
from maskwright.formats.coco.options import CocoExportOptions, CocoSource
from maskwright.formats.data_set import DataSet
from maskwright.formats.json_stream import parsed
from maskwright.formats.naming import path_inside
from maskwright.formats.selection import SideFiles, WriteReport, chosen
from maskwright.formats.sizes import is_share, whole_size
from maskwright.geometry.polygon import Polygon
from maskwright.geometry.raster import rounded
from maskwright.regular_files import read_regular

SUFFIX = ".geojson"
_IMAGE = "image"
_ONES = uuid.UUID("5c0f3f0e-63a5-4c53-8b8a-6d1f3c9a7e21")
_UNCLASSIFIED = "Unclassified"


def write_qupath(source: CocoSource, path: Path, options: CocoExportOptions) -> WriteReport:
    """Write one file per image below the folder `path`. Raises FormatError if one cannot be written."""
    categories = {category.id: category for category in source.categories()}
    files = SideFiles(path, SUFFIX)
    images = instances = 0
    for image, taken in chosen(source, options):
        content = {
            "type": "FeatureCollection",
            "features": [_feature(each, categories[each.category_id]) for each in taken],
            _IMAGE: {"name": image.file_name, "width": image.width, "height": image.height},
        }
        with atomic_writer(files.path_for(image.file_name)) as file:
            file.write(orjson.dumps(content))
        images, instances = images + 1, instances + len(taken)
    path.mkdir(parents=True, exist_ok=True)
    lost = ("class and object ids", "classes that no object has", "crowd flags", "attributes", "boxes become outlines")
    return WriteReport(path, images, instances, lost)


def read_qupath(path: Path, sizes: Mapping[str, tuple[int, int]] | None = None) -> DataSet:
    """Read all `.geojson` files below a folder, or one; a file is named after its image.

    `sizes`, by image name, is for files that do not give theirs. Raises FormatError if there is no such file.
    """
    files = sorted(path.rglob(f"*{SUFFIX}")) if path.is_dir() else [path]
    root = path if path.is_dir() else path.parent
    if not files or not files[0].is_file():
        raise FormatError("no .geojson file here", path=path)
    by_stem = {PurePosixPath(name).with_suffix("").as_posix(): name for name in sizes or ()}
    builder = DataSetBuilder(path)
    for file in files:
        where = file.relative_to(root).as_posix()
        try:
            content = parsed(read_regular(file), file)
            name, size_wh = _image_of(content, where.removesuffix(SUFFIX), by_stem, sizes or {})
        except (OSError, FormatError, ValueError) as error:
            builder.skip(where, error)
            continue
        builder.add_image(name, size_wh, _objects(_features(content), where, builder))
    return builder.finished()


def _feature(instance: Instance, category: Category) -> dict[str, Any]:
    coordinates = [[_closed(ring) for ring in polygon.rings] for polygon in instance.polygons]
    is_one = len(coordinates) == 1
    properties: dict[str, Any] = {
        "objectType": "detection" if instance.state is InstanceState.PROPOSED else "annotation",
        "classification": {"name": category.name, "color": list(category_colour(category))},
    }
    if instance.score is not None:
        properties["measurements"] = {"Score": instance.score}
    return {
        "type": "Feature",
        "id": str(uuid.uuid5(_ONES, str(instance.id))),
        "geometry": {
            "type": "Polygon" if is_one else "MultiPolygon",
            "coordinates": coordinates[0] if is_one else coordinates,
        },
        "properties": properties,
    }


def _closed(ring: Any) -> list[list[float]]:
    points: list[list[float]] = rounded(ring).tolist()
    return [*points, points[0]]


def _features(content: Any) -> list[Any]:
    if isinstance(content, dict) and content.get("type") == "FeatureCollection":
        content = content.get("features")
    features = content if isinstance(content, list) else [content]
    if not all(isinstance(each, dict) and each.get("type") == "Feature" for each in features):
        raise ValueError("expected GeoJSON features")
    return features


def _image_of(
    content: Any, stem: str, by_stem: Mapping[str, str], sizes: Mapping[str, tuple[int, int]]
) -> tuple[str, tuple[int, int]]:
    _features(content)
    told = content.get(_IMAGE) if isinstance(content, dict) else None
    if isinstance(told, dict):
        return path_inside(told.get("name")), whole_size(told.get("width"), told.get("height"))
    name = by_stem.get(stem)
    size = sizes.get(name) if name is not None else None
    if name is None or size is None:
        raise ValueError(f"does not name its image, and no image is called {stem}.*")
    return name, size


def _objects(features: Sequence[Mapping[str, Any]], where: str, builder: DataSetBuilder) -> list[ParsedObject]:
    found = []
    for i, feature in enumerate(features):
        try:
            found.append(_object(feature))
        except (ValueError, TypeError) as error:
            builder.skip_object(f"{where} features[{i}]", error)
    return found


def _object(feature: Mapping[str, Any]) -> ParsedObject:
    geometry = feature.get("geometry")
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if not isinstance(geometry, dict) or kind not in ("Polygon", "MultiPolygon"):
        raise ValueError(f"a {kind} has no area")
    parts = geometry.get("coordinates")
    parts = [parts] if kind == "Polygon" else parts
    if not isinstance(parts, list) or not parts:
        raise ValueError("expected rings of coordinates")
    polygons = tuple(Polygon.of(_ring(rings[0]), [_ring(ring) for ring in rings[1:]]) for rings in map(list, parts))
    properties = feature.get("properties")
    known = properties if isinstance(properties, dict) else {}
    measured = known.get("measurements")
    score = measured.get("Score") if isinstance(measured, dict) else None
    is_detection = known.get("objectType") == "detection" and is_share(score)
    return ParsedObject(
        _label(known), polygons, score=float(score) if is_share(score) else None, is_proposal=is_detection
    )


def _ring(points: Any) -> list[tuple[float, float]]:
    if not isinstance(points, list) or not all(isinstance(p, list) and len(p) >= 2 for p in points):
        raise ValueError("expected a ring of points")
    ring = [(float(p[0]), float(p[1])) for p in points]
    if not all(abs(x) <= 1e6 and abs(y) <= 1e6 for x, y in ring):
        raise ValueError("expected coordinates within 1000000 pixels")
    return ring


def _label(properties: Mapping[str, Any]) -> str:
    """Derived classes have several names, joined as QuPath shows them."""
    classification = properties.get("classification")
    names = classification.get("names") if isinstance(classification, dict) else None
    name = classification.get("name") if isinstance(classification, dict) else None
    if isinstance(names, list) and names:
        name = ": ".join(str(part) for part in names)
    return name.strip() if isinstance(name, str) and name.strip() else _UNCLASSIFIED
