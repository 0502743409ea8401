"""Small data sets as other tools lay them out, one for each way of reading that our own writers do not reach."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from maskwright.formats.brush_rle import mask_to_brush
from maskwright.formats.registry import AnnotationFormat, format_named

_RING = [[2, 3], [12, 3], [12, 8], [2, 8]]
_FLAT = [value for point in _RING for value in point]


def foreign_sets(folder: Path) -> Iterator[tuple[AnnotationFormat, Path]]:
    """(format, place), each in a folder of its own below `folder`."""
    for name, make in _SETS.items():
        place = folder / "foreign" / name
        place.mkdir(parents=True)
        kind, path = make(place)
        yield format_named(kind), path


def _picture(place: Path, pixels: Any = None) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(place), np.zeros((30, 40), np.uint8) if pixels is None else pixels)


def _mask() -> Any:
    pixels = np.zeros((30, 40), np.uint8)
    pixels[3:9, 4:20], pixels[12:20, 5:9] = 1, 2
    return pixels


def _labelimg(folder: Path) -> tuple[str, Path]:
    """VOC beside the images, with what only some tools write."""
    _picture(folder / "a.jpg")
    box = "<bndbox><xmin>3</xmin><ymin>3</ymin><xmax>12</xmax><ymax>14</ymax></bndbox>"
    points = "".join(f"<x{i}>{x}</x{i}><y{i}>{y}</y{i}>" for i, (x, y) in enumerate(_RING, start=1))
    turned = "<robndbox><cx>20</cx><cy>15</cy><w>10</w><h>4</h><angle>0.5</angle></robndbox>"
    inside = [f"<difficult>1</difficult>{box}", f"{box}<polygon>{points}</polygon>", turned]
    objects = "".join(f"<object><name>car</name>{each}</object>" for each in inside)
    size = "<size><width>40</width><height>30</height><depth>3</depth></size>"
    text = f"<annotation><folder>x</folder><filename>a.jpg</filename>{size}{objects}</annotation>"
    (folder / "a.xml").write_text(text)
    return "voc", folder


def _coloured_masks(folder: Path) -> tuple[str, Path]:
    """CVAT's segmentation masks."""
    palette = np.array([[0, 0, 0], [0, 0, 128], [0, 128, 0]], np.uint8)  # BGR
    _picture(folder / "SegmentationObject" / "a.png", palette[_mask()])
    _picture(folder / "SegmentationClass" / "a.png", palette[np.minimum(_mask(), 1)])
    (folder / "labelmap.txt").write_text("# label:color_rgb:parts:actions\nbackground:0,0,0::\ncar:128,0,0::\n")
    return "voc", folder


def _darknet(folder: Path) -> tuple[str, Path]:
    _picture(folder / "obj_train_data" / "a.jpg")
    (folder / "obj_train_data" / "a.txt").write_text("0 0.5 0.5 0.2 0.2\n1 0.5 0.5 0.2 0.25 0.75\n")
    (folder / "obj.names").write_text("car\nStraße\n")
    return "yolo", folder


def _tracks(folder: Path) -> tuple[str, Path]:
    _picture(folder / "images" / "a.jpg")
    (folder / "labels").mkdir()
    (folder / "labels" / "a.txt").write_text("0 0.5 0.5 0.2 0.2 0.75 1\n1 0.5 0.5 0.25 0.25 0.5 12\n")
    (folder / "data.yaml").write_text("names: {0: car, 1: 'a, b'}\nnc: 2\n")
    return "yolo", folder


def _cvat(folder: Path) -> tuple[str, Path]:
    points = ";".join(f"{x},{y}" for x, y in _RING)
    shapes = (
        f'<polygon label="car" points="{points}" group_id="1" z_order="2"/>'
        '<polygon label="car" points="20,3;25,3;25,8" group_id="1"/>'
        '<box label="car" xtl="10" ytl="10" xbr="20" ybr="14" rotation="30" occluded="1"/>'
        '<ellipse label="bus" cx="20" cy="15" rx="10" ry="5"/><tag label="night"/>'
        '<mask label="bus" left="2" top="3" width="4" height="2" rle="1, 2, 3, 2"/>'
    )
    image = f'<image id="0" name="sub/a.png" width="40" height="30">{shapes}</image>'
    labels = "<meta><job><labels><label><name>car</name></label></labels></job></meta>"
    (folder / "annotations.xml").write_text(f"<annotations><version>1.1</version>{labels}{image}</annotations>")
    return "cvat", folder


def _labelme(folder: Path) -> tuple[str, Path]:
    encoded = base64.b64encode(cv2.imencode(".png", _mask()[3:9, 4:20])[1].tobytes()).decode()
    shapes = [
        {"shape_type": "polygon", "points": _RING, "group_id": 3},
        {"shape_type": "polygon", "points": [[20, 3], [25, 3], [25, 8]], "group_id": 3},
        {"shape_type": "rectangle", "points": [_RING[0], _RING[2]]},
        {"shape_type": "rotation", "points": [[5, 5], [9, 7], [7, 11], [3, 9]], "direction": 0.5},
        {"shape_type": "circle", "points": [[20, 15], [25, 15]]},
        {"shape_type": "mask", "points": [[4, 3], [19, 8]], "mask": encoded},
    ]
    content = {
        "version": "6.3.1", "flags": {"dark": True}, "imagePath": "..\\images\\a.png", "imageData": None,
        "imageHeight": 30, "imageWidth": 40, "shapes": [{"label": "car", "flags": {}} | shape for shape in shapes],
    }  # fmt: skip
    (folder / "a.json").write_text(json.dumps(content))
    return "labelme", folder


def _isat(folder: Path) -> tuple[str, Path]:
    common = {"category": "car", "group": 1, "layer": 1, "iscrowd": False, "note": "x", "area": 50}
    hole = {"category": "__background__", "group": 2, "layer": 2, "segmentation": [[4, 4], [6, 4], [6, 6], [4, 6]]}
    info = {"description": "ISAT", "folder": "/x", "name": "a.png", "width": 40, "height": 30, "depth": 3, "note": ""}
    (folder / "a.json").write_text(json.dumps({"info": info, "objects": [common | {"segmentation": _RING}, hole]}))
    (folder / "isat.yaml").write_text("label:\n- color: '#000000'\n  name: car\n- color: '#ff0000'\n  name: bus\n")
    return "isat", folder


def _studio(folder: Path) -> tuple[str, Path]:
    size = {"original_width": 40, "original_height": 30, "image_rotation": 0}
    box = {"x": 25, "y": 10, "width": 50, "height": 20, "rotation": 15}
    brush = {"format": "rle", "rle": mask_to_brush(_mask() == 1)}
    values = {
        "polygonlabels": {"points": [[10, 10], [60, 10], [60, 50]]},
        "rectanglelabels": box,
        "ellipselabels": {"x": 50, "y": 50, "radiusX": 20, "radiusY": 10, "rotation": 5},
        "brushlabels": brush,
    }
    results = [{"id": kind, "type": kind, "value": value | {kind: ["car"]}, **size} for kind, value in values.items()]
    predicted = {"score": 0.25, "result": results[:1]}
    done = [{"result": results, "was_cancelled": False}]
    data = {"image": "/data/upload/3/0a1b2c3d-a.png"}
    tasks = [{"id": 1, "data": data, "annotations": done, "predictions": []}]
    tasks += [{"id": 2, "data": {"image": "b.png"}, "annotations": [], "predictions": [predicted]}]
    (folder / "export.json").write_text(json.dumps(tasks))
    return "labelstudio", folder / "export.json"


def _studio_min(folder: Path) -> tuple[str, Path]:
    box = {"x": 25, "y": 10, "width": 50, "height": 20, "rectanglelabels": ["car"]}
    shape = box | {"original_width": 40, "original_height": 30}
    (folder / "min.json").write_text(
        json.dumps([{"image": "s3://b/x/a.png", "id": 1, "label": [shape], "annotator": 1}])
    )
    return "labelstudio", folder / "min.json"


def _roboflow(folder: Path) -> tuple[str, Path]:
    """COCO beside its images, with a box, run lengths, a crowd, and ids as texts."""
    rle = {"size": [30, 40], "counts": [90, 5, 25, 5, 1075]}
    shapes: list[Any] = [[_FLAT], [], rle, rle]
    annotations = [
        {"id": i, "image_id": 0, "category_id": 1, "segmentation": shape, "bbox": [2, 3, 10, 5], "area": 50,
         "iscrowd": int(i == 4)}
        for i, shape in enumerate(shapes, start=1)
    ]  # fmt: skip
    categories = [{"id": 0, "name": "car", "supercategory": "none"}, {"id": 1, "name": "car", "supercategory": "car"}]
    images = [{"id": 0, "file_name": "a_jpg.rf.1.jpg", "width": 40.0, "height": 30, "extra": {"name": "a.jpg"}}]
    for part in ("train", "valid"):
        (folder / part).mkdir()
        content = {"info": {}, "images": images, "annotations": annotations, "categories": categories}
        (folder / part / "_annotations.coco.json").write_text(json.dumps(content))
    return "coco-folder", folder


def _masks(folder: Path) -> tuple[str, Path]:
    _picture(folder / "images" / "a.jpg")
    _picture(folder / "masks" / "a.png", _mask())
    (folder / "classes.txt").write_text("nothing\ncar\nbus\n")
    return "png", folder


def _bowl(folder: Path) -> tuple[str, Path]:
    for i in (1, 2):
        _picture(folder / "id1" / "masks" / f"{i}.png", (_mask() == i).astype(np.uint8) * 255)
    _picture(folder / "id1" / "images" / "id1.png")
    return "png", folder


def _qupath(folder: Path) -> tuple[str, Path]:
    ring = [*_RING, _RING[0]]
    hole = [[4, 4], [6, 4], [6, 6], [4, 6], [4, 4]]
    known = {
        "objectType": "detection",
        "classification": {"names": ["Tumor", "Positive"]},
        "measurements": {"Score": 1},
    }
    features = [
        {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring, hole]}, "properties": known},
        {"type": "Feature", "geometry": {"type": "MultiPolygon", "coordinates": [[ring]]}, "properties": {}},
    ]
    image = {"name": "a.png", "width": 40, "height": 30}
    (folder / "a.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features, "image": image}))
    return "qupath", folder


_SETS = {
    "labelimg": _labelimg,
    "coloured-masks": _coloured_masks,
    "darknet": _darknet,
    "tracks": _tracks,
    "cvat": _cvat,
    "labelme": _labelme,
    "isat": _isat,
    "studio": _studio,
    "studio-min": _studio_min,
    "roboflow": _roboflow,
    "masks": _masks,
    "bowl": _bowl,
    "qupath": _qupath,
}
