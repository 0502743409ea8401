"""Has a tool write a data set in its own format, by its own code: what `bench_formats.py --tools` then reads.

    PYTHON producer_probes.py PRODUCER FOLDER

Runs in the tool's own environment, without Maskwright. FOLDER has `neutral.json` (images with objects: a class, rings
or a box) and the images in `images/`; what the tool writes goes into `FOLDER/out`. Exit code 3: not installed there.
"""

import importlib.util
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

Neutral = dict[str, Any]


def main() -> int:
    producer, folder = sys.argv[1], Path(sys.argv[2])
    data = json.loads((folder / "neutral.json").read_text())
    out = folder / "out"
    out.mkdir()
    try:
        PRODUCERS[producer](data, folder / "images", out)
    except ImportError as error:
        print(f"not installed: {error}", file=sys.stderr)
        return 3
    return 0


def produce_labelme(data: Neutral, images: Path, out: Path) -> None:
    from labelme._label_file import LabelFile

    for image in data["images"]:
        shapes = [shape for i, each in enumerate(image["objects"], 1) for shape in _labelme_shapes(each, i)]
        LabelFile().save(
            filename=str(_beside(image, images, out, ".json")), shapes=shapes,
            image_path=Path(image["name"]).name, image_height=image["height"], image_width=image["width"],
        )  # fmt: skip


def produce_xanylabeling(data: Neutral, images: Path, out: Path) -> None:
    """The frame of the file is its own; shapes are as its window hands them over."""
    spec = importlib.util.find_spec("anylabeling")
    if spec is None or spec.origin is None:
        raise ImportError("anylabeling")
    # The package starts with its window; only the modules of its files are wanted.
    for name in ("anylabeling", "anylabeling.views", "anylabeling.views.labeling"):
        package = ModuleType(name)
        package.__path__ = [str(Path(spec.origin).parent.joinpath(*name.split(".")[1:]))]
        sys.modules[name] = package
    from anylabeling.views.labeling.schema import create_xlabel_template

    for image in data["images"]:
        shapes = [shape for i, each in enumerate(image["objects"], 1) for shape in _labelme_shapes(each, i)]
        for shape in shapes:
            shape |= {"score": None, "difficult": False, "attributes": {}, "kie_linking": []}
            if shape["shape_type"] == "rectangle":
                (x1, y1), (x2, y2) = shape["points"]
                shape["points"] = [[x1, y1], [x2, y1], [x2, y2], [x1, y2]]
        content = create_xlabel_template(
            shapes=shapes, image_path=Path(image["name"]).name, image_height=image["height"],
            image_width=image["width"], checked=True,
        )  # fmt: skip
        _beside(image, images, out, ".json").write_text(json.dumps(content, ensure_ascii=False, indent=2))


def produce_isat(data: Neutral, images: Path, out: Path) -> None:
    from ISAT.annotation import Annotation, Object

    for image in data["images"]:
        label = _beside(image, images, out, ".json")
        annotation = Annotation(str(label.with_name(Path(image["name"]).name)), str(label))
        for group, each in enumerate(image["objects"], start=1):
            for ring in _rings(each):
                x1, y1, x2, y2 = _bounds([ring])
                area = abs(float(np.cross(ring[:-1], ring[1:]).sum())) / 2 if len(ring) > 2 else 0.0
                annotation.objects.append(Object(each["label"], group, ring, area, group, [x1, y1, x2, y2]))
        annotation.save_annotation()


def produce_labelstudio(data: Neutral, images: Path, out: Path) -> None:
    """Its brush, and polygons as its documentation has them: the package has no writer of those."""
    from label_studio_sdk.converter.brush import mask2rle

    tasks = []
    for number, image in enumerate(data["images"], start=1):
        scale = np.array([100 / image["width"], 100 / image["height"]])
        common = {"original_width": image["width"], "original_height": image["height"], "image_rotation": 0}
        results = []
        for i, each in enumerate(image["objects"]):
            rings = _rings(each)
            if len(rings) > 1:
                kind, value = "brushlabels", {"format": "rle", "rle": mask2rle(_mask(each, image) * np.uint8(255))}
            elif each["box"]:
                (x1, y1), (x2, y2) = np.reshape(_bounds(rings), (2, 2)) * scale
                kind, value = "rectanglelabels", {"x": x1, "y": y1, "width": x2 - x1, "height": y2 - y1, "rotation": 0}
            else:
                kind, value = "polygonlabels", {"points": (np.array(rings[0]) * scale).tolist(), "closed": True}
            results.append({"id": str(i), "type": kind, "value": {**value, kind: [each["label"]]}, **common})
        found = {"id": number, "result": results, "was_cancelled": False}
        place = f"/data/local-files/?d={image['name']}"
        tasks.append({"id": number, "data": {"image": place}, "annotations": [found], "predictions": []})
    (out / "export.json").write_text(json.dumps(tasks))


def produce_datumaro_cvat(data: Neutral, images: Path, out: Path) -> None:
    _datumaro(data, images).export(str(out), "cvat", save_media=False)
    ((file,),) = [list(out.glob("*.xml"))]
    file.rename(out / "annotations.xml")


def produce_datumaro_coco(data: Neutral, images: Path, out: Path) -> None:
    _datumaro(data, images).export(str(out), "coco_instances", save_media=False)


def produce_datumaro_panoptic(data: Neutral, images: Path, out: Path) -> None:
    _datumaro(data, images, as_masks=True).export(str(out), "coco_panoptic", save_media=False)


def produce_datumaro_voc(data: Neutral, images: Path, out: Path) -> None:
    _datumaro(data, images, as_masks=True).export(str(out), "voc", save_media=True)


def produce_datumaro_yolo(data: Neutral, images: Path, out: Path) -> None:
    _datumaro(data, images, is_split=True).export(str(out), "yolo_ultralytics", save_media=True)


def produce_supervision_coco(data: Neutral, images: Path, out: Path) -> None:
    _supervision(data, images).as_coco(annotations_path=str(out / "annotations.json"))


def produce_supervision_yolo(data: Neutral, images: Path, out: Path) -> None:
    """It keeps names of images without their folders."""
    _supervision(data, images).as_yolo(str(out / "images"), str(out / "labels"), str(out / "data.yaml"))


def produce_supervision_voc(data: Neutral, images: Path, out: Path) -> None:
    _supervision(data, images).as_pascal_voc(str(out / "images"), str(out / "annotations"))


def produce_supervision_labelme(data: Neutral, images: Path, out: Path) -> None:
    _supervision(data, images).as_labelme(str(out), str(out))


def produce_ultralytics(data: Neutral, images: Path, out: Path) -> None:
    """From COCO by its own converter, the class table by its own YAML writer."""
    from ultralytics.data.converter import convert_coco
    from ultralytics.utils import YAML

    source = out.parent / "coco"
    source.mkdir()
    (source / "instances_train.json").write_text(json.dumps(_coco(data)))
    convert_coco(str(source), str(out / "made"), use_segments=True, cls91to80=False)
    labels = next((out / "made" / "labels").iterdir())
    shutil.copytree(labels, out / "labels")
    shutil.copytree(images, out / "images")
    shutil.rmtree(out / "made")
    YAML.save(out / "data.yaml", {"train": "images", "val": "images", "names": dict(enumerate(data["classes"]))})


def _labelme_shapes(each: Neutral, group: int) -> Iterator[dict[str, Any]]:
    rings = _rings(each)
    for ring in rings:
        points = np.reshape(_bounds([ring]), (2, 2)).tolist() if each["box"] else ring
        yield {
            "label": each["label"], "points": points, "group_id": group if len(rings) > 1 else None,
            "shape_type": "rectangle" if each["box"] else "polygon", "flags": {}, "description": "", "mask": None,
        }  # fmt: skip


def _beside(image: Neutral, images: Path, out: Path, suffix: str) -> Path:
    """Where the file of an image goes, which is put beside it."""
    place = out / image["name"]
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(images / image["name"], place)
    return place.with_suffix(suffix)


def _rings(each: Neutral) -> list[list[list[float]]]:
    return [np.reshape(ring, (-1, 2)).tolist() for ring in each["rings"]]


def _bounds(rings: list[list[list[float]]]) -> list[float]:
    points = np.concatenate([np.array(ring) for ring in rings])
    return [*points.min(axis=0).tolist(), *points.max(axis=0).tolist()]


def _mask(each: Neutral, image: Neutral) -> Any:
    """(H, W) bool of an object's runs, which are column by column, none first."""
    flat = np.repeat(np.arange(len(each["runs"])) % 2 == 1, each["runs"])
    return flat.reshape(image["width"], image["height"]).T


def _coco(data: Neutral) -> dict[str, Any]:
    numbers = {name: i for i, name in enumerate(data["classes"], start=1)}
    images, annotations = [], []
    for i, image in enumerate(data["images"], start=1):
        images.append({"id": i, "file_name": image["name"], "width": image["width"], "height": image["height"]})
        for each in image["objects"]:
            x1, y1, x2, y2 = _bounds(_rings(each))
            annotations.append({
                "id": len(annotations) + 1, "image_id": i, "category_id": numbers[each["label"]], "iscrowd": 0,
                "segmentation": each["rings"], "bbox": [x1, y1, x2 - x1, y2 - y1], "area": (x2 - x1) * (y2 - y1),
            })  # fmt: skip
    categories = [{"id": number, "name": name} for name, number in numbers.items()]
    return {"images": images, "annotations": annotations, "categories": categories}


def _datumaro(data: Neutral, images: Path, *, as_masks: bool = False, is_split: bool = False) -> Any:
    import datumaro

    items = []
    for i, image in enumerate(data["images"], start=1):
        annotations: list[Any] = []
        for group, each in enumerate(image["objects"], start=1):
            common = {"label": data["classes"].index(each["label"]), "group": group, "id": group}
            x1, y1, x2, y2 = _bounds(_rings(each))
            if as_masks:
                annotations.append(datumaro.Mask(_mask(each, image), z_order=group, **common))
            elif each["box"]:
                annotations.append(datumaro.Bbox(x1, y1, x2 - x1, y2 - y1, **common))
            else:
                annotations += [datumaro.Polygon(ring, **common) for ring in each["rings"]]
        media = datumaro.Image.from_file(path=str(images / image["name"]), size=(image["height"], image["width"]))
        name = Path(image["name"]).with_suffix("").as_posix()
        subset = "val" if is_split and i % 2 == 0 else "train"
        items.append(
            datumaro.DatasetItem(id=name, subset=subset, media=media, annotations=annotations, attributes={"id": i})
        )
    return datumaro.Dataset.from_iterable(items, categories=data["classes"])


def _supervision(data: Neutral, images: Path) -> Any:
    import supervision

    file = images.parent / "for-supervision.json"
    file.write_text(json.dumps(_coco(data)))
    return supervision.DetectionDataset.from_coco(str(images), str(file), force_masks=True)


PRODUCERS = {
    name.removeprefix("produce_"): produce for name, produce in globals().items() if name.startswith("produce_")
}

if __name__ == "__main__":
    sys.exit(main())
