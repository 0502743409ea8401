"""Annotation files that were made to harm, and what is done with them."""

import io
import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tifffile
from hostile_projects import Case, Commands, project


def _annotations(name: str, content: Callable[[], bytes]) -> Callable[[Path, Path], Commands]:
    def make(place: Path, home: Path) -> Commands:
        file = place / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content())
        source = str(place if len(Path(name).parts) > 1 else file)
        out, made = place.parent / "out", project(place / "into")
        return [
            ["convert", source, str(out / "labelme"), "--to", "labelme"],
            ["convert", source, str(out / "b.json"), "--to", "coco"],
            ["convert", source, str(out / "masks"), "--to", "png"],
            ["import", str(made), source],
        ]

    return make


def _coco(**changes: object) -> bytes:
    content: dict[str, object] = {
        "images": [{"id": 1, "file_name": "0.png", "width": 64, "height": 48}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "segmentation": [[1, 1, 9, 1, 9, 9]], "bbox": [1, 1, 8, 8]}],  # noqa: E501
        "categories": [{"id": 1, "name": "cell"}],
    }  # fmt: skip
    return json.dumps(content | changes).encode()


def _with(segmentation: object, **keys: object) -> bytes:
    return _coco(annotations=[{"id": 1, "image_id": 1, "category_id": 1, "segmentation": segmentation, **keys}])


def _image(**keys: object) -> bytes:
    return _coco(images=[{"id": 1, "file_name": "0.png", "width": 64, "height": 48} | keys])


_BILLION = b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">' + b"".join(  # noqa: E501
    b'<!ENTITY %c "%s">' % (letter, b"&%c;" % (letter - 1) * 10) for letter in b"cdefghi"
)  # fmt: skip


def _tall_tiff() -> bytes:
    out = io.BytesIO()
    tifffile.imwrite(out, np.zeros((1_000_000, 64), np.uint8), compression="zlib", rowsperstrip=1_000_000)
    return out.getvalue()


_ANNOTATIONS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "COCO that leads outside": ("a.json", lambda: _image(file_name="../../../home/letter.txt")),
    "COCO with an absolute name": ("a.json", lambda: _image(file_name="/etc/passwd")),
    "COCO of a huge image": ("a.json", lambda: _image(width=2_000_000_000, height=2_000_000_000)),
    "COCO of a large image, a mask of all": ("a.json", lambda: _coco(
        images=[{"id": 1, "file_name": "0.png", "width": 1_000_000, "height": 1_000_000}],
        annotations=[{"id": 1, "image_id": 1, "category_id": 1, "iscrowd": 1,
                      "segmentation": {"size": [10**6, 10**6], "counts": [0, 10**12]}}])),
    "COCO, an outline of a large image": ("a.json", lambda: _coco(
        images=[{"id": 1, "file_name": "0.png", "width": 1_000_000, "height": 1_000_000}],
        annotations=[{"id": 1, "image_id": 1, "category_id": 1, "segmentation": [[0, 0, 10**6, 0, 10**6, 10**6]]}])),
    "COCO with runs that overflow": ("a.json", lambda: _with({"size": [48, 64], "counts": [2**63, 2**63]})),
    "COCO with text runs of a huge number": ("a.json", lambda: _with({"size": [48, 64], "counts": "oooooooooooooooooooo"})),  # noqa: E501
    "COCO, far away": ("a.json", lambda: _with([[1e308, 1e308, -1e308, 1, 5, 5]])),
    "COCO, a million vertices": ("a.json", lambda: _with([[i % 60 for i in range(2_000_000)]])),
    "COCO, a hundred thousand parts": ("a.json", lambda: _with([[1, 1, 9, 1, 9, 9]] * 100_000)),
    "COCO, deep": ("a.json", lambda: b'{"images": ' + b"[" * 200_000 + b"]" * 200_000 + b"}"),
    "COCO, a number of a million digits": ("a.json", lambda: _coco().replace(b'"width": 64', b'"width": ' + b"9" * 10**6)),  # noqa: E501
    "COCO, steering names": ("a.json", lambda: _coco(categories=[{"id": 1, "name": "\x1b]0;x\x07\u202ex"}])),
    "COCO, a class that leads outside": ("a.json", lambda: _coco(categories=[{"id": 1, "name": "../../../home/x"}])),
    "VOC with entities": ("v/Annotations/a.xml", lambda: _BILLION + b"]><annotation>&i;</annotation>"),
    "VOC that reads a file": ("v/Annotations/a.xml", lambda: b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM '
                              b'"file:///etc/passwd">]><annotation><filename>&x;</filename></annotation>'),
    "CVAT with entities": ("a.xml", lambda: _BILLION + b"]><annotations><version>1.1</version>&i;</annotations>"),
    "CVAT, deep": ("a.xml", lambda: b"<annotations>" + b"<image>" * 300_000),
    "labelme with a path": ("l/a.json", lambda: json.dumps({
        "imagePath": "../../../home/letter.txt", "imageHeight": 48, "imageWidth": 64, "shapes": []}).encode()),
    "labelme, a mask that inflates": ("l/a.json", lambda: json.dumps({
        "imagePath": "0.png", "imageHeight": 48, "imageWidth": 64, "shapes": [{
            "label": "x", "shape_type": "mask", "points": [[0, 0], [5, 5]], "mask": "iVBORw0KGgo=" * 1000}]}).encode()),
    "labelme, a huge image": ("l/a.json", lambda: json.dumps({
        "imagePath": "0.png", "imageHeight": 10**12, "imageWidth": 64, "shapes": []}).encode()),
    "YOLO of words": ("y/labels/0.txt", lambda: b"0 " + b"1e999 " * 100_000),
    "YOLO, data.yaml with anchors": ("y/data.yaml", lambda: b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
        b"%c: &%c [%s]\n" % (c, c, b",".join([b"*%c" % (c - 1)] * 9)) for c in b"bcdefghi") + b"names: *i\n"),
    "YOLO, data.yaml that runs": ("y/data.yaml", lambda: b"names: !!python/object/apply:os.system ['touch /x']\n"),
    "panoptic that leads outside": ("p/panoptic.json", lambda: json.dumps({
        "images": [{"id": 1, "file_name": "0.png", "width": 64, "height": 48}],
        "annotations": [{"image_id": 1, "file_name": "../../../home/letter.txt", "segments_info": []}],
        "categories": [{"id": 1, "name": "x", "isthing": 1}]}).encode()),
    "QuPath, deep": ("q.geojson", lambda: b'{"type": "FeatureCollection", "features": ' + b"[" * 100_000),
    "Label Studio, runs that overflow": ("s.json", lambda: json.dumps([{"data": {"image": "0.png"}, "annotations": [{
        "result": [{"type": "brushlabels", "original_width": 10**9, "original_height": 10**9, "value": {
            "format": "rle", "rle": [255] * 1000, "brushlabels": ["x"]}}]}]}]).encode()),
    "not text": ("a.json", lambda: np.random.default_rng(2).bytes(100_000)),
    "a tall image beside": ("t/0.tif", _tall_tiff),
}  # fmt: skip


def _annotation_pipe(place: Path, home: Path) -> Commands:
    made = project(place / "into")
    (place / "set").mkdir()
    os.mkfifo(place / "set" / "a.json")
    os.mkfifo(place / "into" / "images" / "x.png")
    out = str(place.parent / "out" / "a.json")
    return [
        ["convert", str(place / "set"), out, "--to", "coco"],
        ["prelabel", str(place / "into" / "images"), "--model", "nuclei", "--out", out],
        ["duplicates", str(made)],
    ]


ANNOTATIONS = (
    *(Case(f"annotations: {name}", _annotations(file, content)) for name, (file, content) in _ANNOTATIONS.items()),
    Case("annotations and images that are pipes", _annotation_pipe),
)
