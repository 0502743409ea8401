"""Label Studio: a list of tasks, each with an image and annotations; shapes in percent of the image's size.

Fields as in Label Studio's documentation of its tags (polygonlabels, rectanglelabels, ellipselabels, brushlabels).
Objects with holes or parts are written as brush masks, which hold every pixel; predictions are read as proposals."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

import numpy as np
import orjson
from numpy.typing import NDArray

from maskwright.document.values import ImageRecord, Instance, InstanceState
from maskwright.errors import FormatError
from maskwright.formats.atomic import atomic_writer
from maskwright.formats.boxes import is_box, rectangle
from maskwright.formats.brush_rle import brush_to_mask, mask_to_brush
from maskwright.formats.building import DataSetBuilder, ParsedObject
from maskwright.formats.coco.options import CocoExportOptions, CocoSource
from maskwright.formats.data_set import DataSet
from maskwright.formats.json_stream import parsed
from maskwright.formats.naming import path_inside
from maskwright.formats.selection import WriteReport, chosen
from maskwright.formats.sizes import is_number, is_share, whole_size
from maskwright.geometry.convert import mask_to_polygons
from maskwright.geometry.keyhole import ring_to_polygons
from maskwright.geometry.polygon import Polygon
from maskwright.geometry.raster import polygons_to_mask, rounded
from maskwright.images import IMAGE_SUFFIXES
from maskwright.regular_files import read_regular

_ELLIPSE_VERTICES = 64


def result_to_object(
    result: Mapping[str, Any], labels: Mapping[str, Any] | None, *, is_prediction: bool
) -> ParsedObject:
    """`labels`: the result with the class if that is separate. Raises ValueError without an area or a class."""
    value = result.get("value")
    if not isinstance(value, Mapping):
        raise ValueError("expected a value")
    kind = next((name for name in _GEOMETRY if _is_of(name, result, value)), None)
    if kind is None:
        raise ValueError(f"{result.get('type', 'this')!s} has no area")
    if result.get("image_rotation"):
        raise ValueError("was drawn on a rotated image, whose coordinates are not documented")
    size_wh = whole_size(result.get("original_width"), result.get("original_height"))
    polygons, is_box = _GEOMETRY[kind](value, size_wh)
    if not polygons:
        raise ValueError("covers no pixel")
    score = result.get("score")
    return ParsedObject(
        _label(kind, value, labels), polygons, is_box, float(score) if is_share(score) else None,
        is_proposal=is_prediction,
    )  # fmt: skip


def _is_of(name: str, result: Mapping[str, Any], value: Mapping[str, Any]) -> bool:
    return result.get("type") in (name, f"{name}labels") or f"{name}labels" in value


def _label(kind: str, value: Mapping[str, Any], labels: Mapping[str, Any] | None) -> str:
    apart = labels.get("value") if labels is not None else None
    places = [value.get(f"{kind}labels"), value.get("labels"), apart.get("labels") if isinstance(apart, dict) else None]
    found = next((names for names in places if isinstance(names, list) and names), None)
    if found is None or not isinstance(found[0], str) or not found[0].strip():
        raise ValueError("has no class")
    if len(found) > 1:
        raise ValueError(f"has {len(found)} classes")
    return found[0].strip()


def _polygon(value: Mapping[str, Any], size_wh: tuple[int, int]) -> tuple[tuple[Polygon, ...], bool]:
    points = np.array(value.get("points"), np.float64)
    if value.get("closed") is False or points.ndim != 2 or points.shape[1:] != (2,) or not _is_in_reach(points):
        raise ValueError("expected a closed polygon of points in percent")
    return ring_to_polygons(Polygon.of(rounded(_pixels(points, size_wh))).exterior), False


def _rectangle(value: Mapping[str, Any], size_wh: tuple[int, int]) -> tuple[tuple[Polygon, ...], bool]:
    x, y, w, h = _numbers(value, "x", "y", "width", "height")
    corners = rounded(_pixels(np.array([[x, y], [x + w, y + h]]), size_wh))
    box = rectangle(*corners.ravel().tolist())
    turn = value.get("rotation") or 0
    return (box, True) if not turn else (_turned(box, corners[0], turn), False)


def _ellipse(value: Mapping[str, Any], size_wh: tuple[int, int]) -> tuple[tuple[Polygon, ...], bool]:
    x, y, rx, ry = _numbers(value, "x", "y", "radiusX", "radiusY")
    (centre, radii) = _pixels(np.array([[x, y], [rx, ry]]), size_wh)
    if radii.min() <= 0:
        raise ValueError("expected an ellipse with an area")
    angle = np.linspace(0, 2 * math.pi, _ELLIPSE_VERTICES, endpoint=False)
    ring = centre + radii * np.stack((np.cos(angle), np.sin(angle)), axis=1)
    return _turned((Polygon.of(ring),), centre, value.get("rotation") or 0), False


def _brush(value: Mapping[str, Any], size_wh: tuple[int, int]) -> tuple[tuple[Polygon, ...], bool]:
    data = value.get("rle")
    if not isinstance(data, list):
        raise ValueError("expected a brush mask of bytes")
    return mask_to_polygons(brush_to_mask(data, size_wh), min_iou=None), False


_GEOMETRY = {"polygon": _polygon, "rectangle": _rectangle, "ellipse": _ellipse, "brush": _brush}


def _pixels(points: NDArray[np.float64], size_wh: tuple[int, int]) -> NDArray[np.float64]:
    return points * (np.array(size_wh) / 100)


def _is_in_reach(points: NDArray[np.float64]) -> bool:
    return bool(np.isfinite(points).all() and np.abs(points).max(initial=0) <= 1000)


def _numbers(value: Mapping[str, Any], *keys: str) -> list[float]:
    numbers = [value.get(key) for key in keys]
    found = [float(number) for number in numbers if is_number(number) and abs(number) <= 1000]
    if len(found) < len(keys):
        raise ValueError(f"expected {', '.join(keys)} in percent")
    return found


def _turned(polygons: tuple[Polygon, ...], pivot: NDArray[np.float64], degrees: Any) -> tuple[Polygon, ...]:
    """Rotated clockwise on the screen, in pixels."""
    if not is_number(degrees):
        raise ValueError("expected a rotation in degrees")
    angle = math.radians(degrees)
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    return tuple(Polygon.of(rounded((polygon.exterior - pivot) @ turn + pivot)) for polygon in polygons)


_UPLOAD = re.compile(r"(^|/)[0-9a-f]{8}-(?=[^/]+$)")
_LOCAL = "/data/local-files/?d="


def write_label_studio(source: CocoSource, path: Path, options: CocoExportOptions) -> WriteReport:
    """Write `path` as one JSON file. Raises FormatError if it cannot be written."""
    names = {category.id: category.name for category in source.categories()}
    images = instances = 0
    with atomic_writer(path) as file:
        separator = b"[\n"
        for image, taken in chosen(source, options):
            images, instances = images + 1, instances + len(taken)
            file.write(separator + orjson.dumps(_task(images, image, taken, names)))
            separator = b",\n"
        file.write(b"[]\n" if not images else b"]\n")
    lost = ("class and object ids", "attributes", "crowd flags", "classes that no object has")
    return WriteReport(path, images, instances, lost)


def read_label_studio(path: Path, sizes: Mapping[str, tuple[int, int]] | None = None) -> DataSet:
    """Read the JSON or JSON-MIN export. Raises FormatError for anything else.

    Sizes are stored with the shapes; `sizes`, by image name, is for images without any. Of several annotations of an
    image, the last is read.
    """
    try:
        content = parsed(read_regular(path), path)
    except OSError as error:
        raise FormatError(f"cannot be read: {error.strerror or error}", path=path) from error
    tasks = content if isinstance(content, list) else [content]
    if not all(isinstance(task, dict) and _is_task(task) for task in tasks):
        raise FormatError("expected Label Studio's list of tasks", path=path)
    builder = DataSetBuilder(path)
    for i, task in enumerate(tasks):
        where = f"task {task.get('id', i)}"
        try:
            _add(task, where, sizes or {}, builder)
        except ValueError as error:
            builder.skip(where, error)
    return builder.finished()


def _task(number: int, image: ImageRecord, taken: Sequence[Instance], names: Mapping[int, str]) -> dict[str, Any]:
    proposed = [each for each in taken if each.state is InstanceState.PROPOSED]
    decided = [each for each in taken if each.state is not InstanceState.PROPOSED]
    data = {"image": _LOCAL + quote(image.file_name), "width": image.width, "height": image.height}
    found: dict[str, Any] = {"id": number, "data": data, "annotations": [], "predictions": []}
    if decided or not proposed:
        results = [_result(each, image, names[each.category_id]) for each in decided]
        found["annotations"] = [{"id": number, "was_cancelled": False, "result": results}]
    if proposed:
        results = [_result(each, image, names[each.category_id]) for each in proposed]
        score = sum(each.score or 0.0 for each in proposed) / len(proposed)
        found["predictions"] = [{"model_version": "maskwright", "score": score, "result": results}]
    return found


def _result(instance: Instance, image: ImageRecord, label: str) -> dict[str, Any]:
    scale = np.array([100 / image.width, 100 / image.height])
    value: dict[str, Any]
    if is_box(instance):
        x1, y1, x2, y2 = (np.array(instance.bounds_xyxy).reshape(2, 2) * scale).ravel().tolist()
        kind, value = "rectanglelabels", {"x": x1, "y": y1, "width": x2 - x1, "height": y2 - y1, "rotation": 0}
    elif len(instance.polygons) == 1 and not instance.polygons[0].holes:
        points = (rounded(instance.polygons[0].exterior) * scale).tolist()
        kind, value = "polygonlabels", {"points": points, "closed": True}
    else:
        mask = polygons_to_mask(instance.polygons, (image.width, image.height))
        kind, value = "brushlabels", {"format": "rle", "rle": mask_to_brush(mask)}
    result = {
        "id": f"{instance.id:08x}",
        "type": kind,
        "from_name": "label",
        "to_name": "image",
        "original_width": image.width,
        "original_height": image.height,
        "image_rotation": 0,
        "value": {**value, kind: [label]},
    }
    return result | ({"score": instance.score} if instance.score is not None else {})


def _image_name(task: Mapping[str, Any]) -> str:
    """The image's path; uploads have eight hexadecimal digits before their name. Raises ValueError if missing."""
    data = task.get("data", task)
    texts = {key: value for key, value in data.items() if isinstance(value, str)}
    usual = [texts[key] for key in ("image", "img", "image_url", "url") if key in texts]
    suffixed = [text for text in texts.values() if PurePosixPath(text.split("?")[0]).suffix.lower() in IMAGE_SUFFIXES]
    if not usual and not suffixed:
        raise ValueError("expected an image among its data")
    text = (usual or suffixed)[0]
    name = path_inside(text)
    return _UPLOAD.sub(r"\1", name) if "/upload/" in text else name


def _is_task(task: Mapping[str, Any]) -> bool:
    return isinstance(task.get("data"), dict) or "annotation_id" in task or "annotator" in task


def _add(task: Mapping[str, Any], where: str, sizes: Mapping[str, tuple[int, int]], builder: DataSetBuilder) -> None:
    name = _image_name(task)
    results, is_prediction = _results(task, where, builder)
    labels = {each.get("id"): each for each in results if each.get("type") == "labels"}
    size = next(_sizes_of(results), None) or sizes.get(name) or _size_of_data(task)
    if size is None:
        raise ValueError(f"the size of {name} is unknown because nothing is drawn on it")
    objects = []
    for i, result in enumerate(results):
        if result.get("type") in ("labels", "relation"):
            continue
        try:
            objects.append(result_to_object(result, labels.get(result.get("id")), is_prediction=is_prediction))
        except ValueError as error:
            builder.skip_object(f"{where} result {i}", error)
    builder.add_image(name, size, objects, is_finished=bool(task.get("annotations", True)))


def _results(task: Mapping[str, Any], where: str, builder: DataSetBuilder) -> tuple[list[Mapping[str, Any]], bool]:
    """The shapes of a task, and whether they are only predictions."""
    if "data" not in task:  # JSON-MIN: shapes lie under the names of their tags, without the wrapping
        lists = [value for value in task.values() if isinstance(value, list)]
        flat = [each for shapes in lists for each in shapes if isinstance(each, dict) and "original_width" in each]
        return [{**each, "value": each} for each in flat], False
    done = [a for a in _dicts(task.get("annotations")) if not a.get("was_cancelled")]
    if len(done) > 1:
        builder.change(where, f"has {len(done)} annotations; only the last one is read")
    if done:
        return _dicts(done[-1].get("result")), False
    predicted = _dicts(task.get("predictions"))
    score = predicted[-1].get("score") if predicted else None
    return [{"score": score, **each} for each in _dicts(predicted[-1].get("result"))] if predicted else [], True


def _sizes_of(results: Sequence[Mapping[str, Any]]) -> Iterator[tuple[int, int]]:
    for result in results:
        if "original_width" in result:
            yield whole_size(result["original_width"], result.get("original_height"))


def _size_of_data(task: Mapping[str, Any]) -> tuple[int, int] | None:
    data = task.get("data")
    if isinstance(data, dict) and "width" in data:
        return whole_size(data["width"], data.get("height"))
    return None


def _dicts(value: Any) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
