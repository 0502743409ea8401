"""Loads an exported data set with the program it was exported for and writes down what that program made of it.

    PYTHON consumer_probes.py CONSUMER FOLDER OUT.npz

Runs in the consumer's own environment, without Maskwright: `try_consumers.py` starts it and compares. OUT holds one
mask per object with its image and class. Exit code 3: the consumer is not installed there.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

Seen = tuple[str, str, Any]
"""(image file name, class name, (H, W) bool)."""


def main() -> int:
    consumer, folder, out = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    try:
        seen = list(PROBES[consumer](folder))
    except ImportError as error:
        print(f"not installed: {error}", file=sys.stderr)
        return 3
    masks = {f"mask{i}": np.asarray(mask, bool) for i, (_, _, mask) in enumerate(seen)}
    np.savez_compressed(out, images=[name for name, _, _ in seen], classes=[label for _, label, _ in seen], **masks)
    return 0


def probe_pycocotools(folder: Path) -> Iterator[Seen]:
    from pycocotools.coco import COCO

    coco = COCO(str(folder / "annotations.json"))
    assert coco.getCatIds(supNms=["none"]) is not None
    coco.info()
    names = {category["id"]: category["name"] for category in coco.loadCats(coco.getCatIds())}
    for annotation in coco.loadAnns(coco.getAnnIds()):
        (image,) = coco.loadImgs(annotation["image_id"])
        yield image["file_name"], names[annotation["category_id"]], coco.annToMask(annotation)


def probe_detectron2(folder: Path) -> Iterator[Seen]:
    """There is no wheel: the rules of `detectron2/data/datasets/coco.py` (load_coco_json), as its source states them.

    Ids are unique, `ignore` is 0, rings with an odd count or fewer than 6 numbers go, an object without rings goes.
    """
    from pycocotools import mask as coco_mask

    content = json.loads((folder / "annotations.json").read_text())
    ids = [annotation["id"] for annotation in content["annotations"]]
    assert len(set(ids)) == len(ids), "annotation ids are not unique"
    images = {image["id"]: image for image in content["images"]}
    names = {category["id"]: category["name"] for category in content["categories"]}
    for annotation in content["annotations"]:
        assert annotation.get("ignore", 0) == 0, "ignore is set"
        assert {"iscrowd", "bbox", "category_id"} <= annotation.keys()
        image, shape = images[annotation["image_id"]], annotation["segmentation"]
        size = image["height"], image["width"]
        if isinstance(shape, dict):  # only with INPUT.MASK_FORMAT = "bitmask"
            rle = coco_mask.frPyObjects(shape, *size) if isinstance(shape["counts"], list) else shape
        else:
            rings = [ring for ring in shape if len(ring) % 2 == 0 and len(ring) >= 6]
            if not rings:
                continue
            rle = coco_mask.merge(coco_mask.frPyObjects(rings, *size))
        yield image["file_name"], names[annotation["category_id"]], coco_mask.decode(rle)


class _NoOperators(ModuleType):
    def __getattr__(self, name: str) -> Any:
        return None


def probe_mmdetection(folder: Path) -> Iterator[Seen]:
    import mmcv

    mmcv.__version__ = min(mmcv.__version__, "2.1.0")  # MMDetection 3.3 refuses later ones by name only
    # mmcv-lite has no compiled operators; data sets need none, but are imported together with the models.
    sys.modules.setdefault("mmcv._ext", _NoOperators("mmcv._ext"))
    from mmdet.datasets import CocoDataset
    from mmdet.datasets.transforms import LoadAnnotations
    from mmengine.registry import init_default_scope

    init_default_scope("mmdet")
    content = json.loads((folder / "annotations.json").read_text())
    classes = tuple(category["name"] for category in content["categories"])
    data = CocoDataset(
        ann_file=str(folder / "annotations.json"), data_prefix={"img": str(folder / "images")},
        metainfo={"classes": classes}, filter_cfg={"filter_empty_gt": False, "min_size": 1}, pipeline=[],
    )  # fmt: skip
    load = LoadAnnotations(with_bbox=True, with_mask=True, poly2mask=True)
    for i in range(len(data)):
        found = data.get_data_info(i)
        found = load.transform({**found, "ori_shape": (found["height"], found["width"])})
        name = Path(found["img_path"]).relative_to(folder / "images").as_posix()
        for label, mask in zip(found["gt_bboxes_labels"], found["gt_masks"].masks, strict=True):
            yield name, classes[label], mask


def probe_ultralytics(folder: Path) -> Iterator[Seen]:
    """Its own polygon2mask fills with OpenCV, through pixel centres, after cutting coordinates to whole numbers."""
    from ultralytics.data.dataset import YOLODataset
    from ultralytics.data.utils import check_det_dataset, polygon2mask

    data = check_det_dataset(str(folder / "data.yaml"), autodownload=False)
    for part in dict.fromkeys((data["train"], data["val"])):
        found = YOLODataset(img_path=part, data=data, task="segment", augment=False, imgsz=640)
        for label in found.labels:
            height, width = label["shape"]
            name = Path(label["im_file"]).relative_to(part).as_posix()
            for number, segment in zip(label["cls"].ravel(), label["segments"], strict=True):
                outline = (np.asarray(segment) * (width, height)).reshape(1, -1)
                yield name, data["names"][int(number)], polygon2mask((height, width), outline, 1, 1)


def probe_fiftyone(folder: Path) -> Iterator[Seen]:
    """A data set of FiftyOne needs MongoDB; this is the part of its importer that reads annotations."""
    from fiftyone.utils import coco

    _, classes, _, images, annotations = coco.load_coco_detection_annotations(str(folder / "annotations.json"))
    for image_id, found in annotations.items():
        image = images[image_id]
        width, height = image["width"], image["height"]
        for each in found:
            detection = each.to_detection((width, height), classes_map=classes, load_segmentation=True)
            left, top = (round(at * side) for at, side in zip(detection.bounding_box, (width, height), strict=False))
            mask = np.zeros((height, width), bool)
            part = np.asarray(detection.mask)
            mask[top : top + part.shape[0], left : left + part.shape[1]] = part[: height - top, : width - left]
            yield image["file_name"], detection.label, mask


def probe_datumaro(folder: Path) -> Iterator[Seen]:
    """Which is what CVAT reads COCO with; it wants the file in a folder of this name."""
    return _datumaro(folder / "annotations" / "instances_default.json", "coco_instances")


def probe_datumaro_cvat(folder: Path) -> Iterator[Seen]:
    return _datumaro(folder / "annotations.xml", "cvat")


def probe_datumaro_voc(folder: Path) -> Iterator[Seen]:
    return _datumaro(folder, "voc_instance_segmentation")


def probe_datumaro_panoptic(folder: Path) -> Iterator[Seen]:
    """It wants the file and its masks under the names that COCO gives them."""
    place = folder / "annotations"
    place.mkdir(exist_ok=True)
    (folder / "panoptic.json").rename(place / "panoptic_default.json")
    (folder / "panoptic").rename(place / "panoptic_default")
    return _datumaro(folder, "coco_panoptic")


def probe_isat(folder: Path) -> Iterator[Seen]:
    """Its window fills what its file holds; that of pycocotools stands for it."""
    from ISAT.annotation import Annotation
    from PIL import Image, ImageDraw

    for file in sorted(folder.rglob("*.json")):
        image = next(place for place in file.parent.glob(f"{file.stem}.*") if place.suffix != ".json")
        annotation = Annotation(str(image), str(file)).load_annotation()
        groups: dict[Any, list[Any]] = {}
        for each in annotation.objects:
            groups.setdefault((each.group, each.category), []).append(each.segmentation)
        for (_, label), rings in groups.items():
            canvas = Image.new("1", (annotation.width, annotation.height))
            for ring in rings:
                ImageDraw.Draw(canvas).polygon([tuple(point) for point in ring], fill=1)
            yield image.relative_to(folder).as_posix(), label, np.asarray(canvas)


def probe_labelstudio(folder: Path) -> Iterator[Seen]:
    """The brush by its own decoder; polygons, in percent, have none."""
    from label_studio_sdk.converter.brush import decode_rle
    from PIL import Image, ImageDraw

    for task in json.loads((folder / "export.json").read_text()):
        name = task["data"]["image"].split("?d=")[-1]
        for result in task["annotations"][0]["result"]:
            width, height, value = result["original_width"], result["original_height"], result["value"]
            if result["type"] == "brushlabels":
                mask = decode_rle(value["rle"]).reshape(height, width, 4)[..., 3] > 0
            else:
                canvas = Image.new("1", (width, height))
                scaled = [(x * width / 100, y * height / 100) for x, y in value["points"]]
                ImageDraw.Draw(canvas).polygon(scaled, fill=1)
                mask = np.asarray(canvas)
            yield name, value[result["type"]][0], mask


def probe_supervision(folder: Path) -> Iterator[Seen]:
    import supervision

    images = folder / "images"
    place = images if any(images.iterdir()) else folder
    return _supervised(
        supervision.DetectionDataset.from_coco(str(place), str(folder / "annotations.json"), force_masks=True), place
    )


def probe_supervision_yolo(folder: Path) -> Iterator[Seen]:
    import supervision

    data = supervision.DetectionDataset.from_yolo(
        str(folder / "images"), str(folder / "labels"), str(folder / "data.yaml"), force_masks=True
    )
    return _supervised(data, folder / "images")


def _supervised(data: Any, images: Path) -> Iterator[Seen]:
    for path, _, found in data:
        for mask, number in zip(found.mask if found.mask is not None else (), found.class_id, strict=True):
            yield Path(path).relative_to(images).as_posix(), data.classes[int(number)], mask


def probe_datasets(folder: Path) -> Iterator[Seen]:
    """Rings as they are in its rows, filled by even and odd."""
    import datasets
    from PIL import Image, ImageDraw

    data = datasets.load_dataset("imagefolder", data_dir=str(folder), split="train", cache_dir=str(folder / "c"))
    for row in data.cast_column("image", datasets.Image(decode=False)):
        objects = row["objects"]
        for label, rings in zip(objects["category"], objects["segmentation"] or (), strict=True):
            canvas = Image.new("1", (row["width"], row["height"]))
            for ring in rings:
                ImageDraw.Draw(canvas).polygon(list(zip(ring[::2], ring[1::2], strict=True)), fill=1)
            yield Path(row["image"]["path"]).name, label, np.asarray(canvas)


def _datumaro(path: Path, kind: str) -> Iterator[Seen]:
    import datumaro
    from pycocotools import mask as coco_mask

    data = datumaro.Dataset.import_from(str(path), kind)
    labels = data.categories()[datumaro.AnnotationType.label]
    for item in data:
        height, width = item.media_as(datumaro.Image).size
        groups: dict[Any, list[Any]] = {}
        for number, each in enumerate(item.annotations):
            if isinstance(each, datumaro.Polygon | datumaro.Mask):
                groups.setdefault(each.group or -number - 1, []).append(each)
        for parts in groups.values():
            masks = [
                coco_mask.decode(coco_mask.frPyObjects([part.points], height, width))[..., 0]
                if isinstance(part, datumaro.Polygon)
                else np.asarray(part.image)
                for part in parts
            ]
            name = item.media_as(datumaro.Image).path or item.id
            yield str(name), labels[parts[0].label].name, np.any(masks, axis=0)


def probe_labelme(folder: Path) -> Iterator[Seen]:
    from labelme._label_file import LabelFile
    from labelme.utils import shape_to_mask

    for file in sorted(folder.rglob("*.json")):
        found = LabelFile(str(file))
        raw = json.loads(file.read_text())
        size = raw["imageHeight"], raw["imageWidth"]
        name = (file.parent / raw["imagePath"]).relative_to(folder).as_posix()
        groups: dict[Any, list[Any]] = {}
        for number, shape in enumerate(found.shapes):
            group = shape["group_id"]
            groups.setdefault(-number - 1 if group is None else group, []).append(shape)
        for shapes in groups.values():
            masks = [shape_to_mask(size, shape["points"], "polygon") for shape in shapes]
            yield name, shapes[0]["label"], np.any(masks, axis=0)


PROBES = {name.removeprefix("probe_"): probe for name, probe in globals().items() if name.startswith("probe_")}

if __name__ == "__main__":
    sys.exit(main())
