"""COCO files that pycocotools and its kin read without surprises."""

import errno
import io
import json
import os
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from coco_sources import ListSource, one_image, square, square_with_hole, varied_source
from maskwright.document.values import Category, ImageRecord, ImageState, Instance, InstanceState, Provenance
from maskwright.errors import FormatError
from maskwright.formats.coco import CocoExportOptions, export_coco
from maskwright.geometry.polygon import Polygon
from maskwright.geometry.raster import polygons_to_mask


def exported(source: ListSource, path: Path, options: CocoExportOptions | None = None) -> dict[str, Any]:
    export_coco(source, path, options)
    content: dict[str, Any] = json.loads(path.read_text())
    return content


def loaded(path: Path) -> COCO:
    with redirect_stdout(io.StringIO()):
        return COCO(str(path))


@pytest.mark.parametrize("holes", ["keyhole", "rle"])
def test_masks_come_back_identical_from_pycocotools(tmp_path: Path, holes: Any) -> None:
    source = varied_source()
    exported(source, tmp_path / "out.json", CocoExportOptions(holes=holes))
    coco = loaded(tmp_path / "out.json")
    for image in source.images():
        for instance in source.instances(image.id):
            expected = polygons_to_mask(instance.polygons, (image.width, image.height))
            assert np.array_equal(coco.annToMask(coco.anns[instance.id]) != 0, expected)


@pytest.mark.parametrize("iou_type", ["bbox", "segm"])
def test_file_evaluates_to_one_against_itself(tmp_path: Path, iou_type: str) -> None:
    exported(varied_source(), tmp_path / "out.json")
    truth = loaded(tmp_path / "out.json")
    with redirect_stdout(io.StringIO()):
        results = truth.loadRes([dict(annotation, score=0.9) for annotation in truth.anns.values()])
        evaluation = COCOeval(truth, results, iou_type)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    assert evaluation.stats[0] == 1.0


def test_area_and_bbox_are_those_of_the_pixels(tmp_path: Path) -> None:
    instance = Instance(1, 1, (square_with_hole(3, 3), square(20.2, 5.1)))
    (annotation,) = exported(one_image(instance), tmp_path / "out.json")["annotations"]
    mask = polygons_to_mask(instance.polygons, (40, 30))
    y, x = np.nonzero(mask)
    assert annotation["area"] == mask.sum()
    assert annotation["bbox"] == [x.min(), y.min(), np.ptp(x) + 1, np.ptp(y) + 1]
    assert all(isinstance(value, float) for value in (annotation["area"], *annotation["bbox"]))


def test_holes_are_bridged_not_written_as_second_rings(tmp_path: Path) -> None:
    (annotation,) = exported(one_image(Instance(1, 1, (square_with_hole(3, 3),))), tmp_path / "o.json")["annotations"]
    assert len(annotation["segmentation"]) == 1


def test_parts_are_separate_rings(tmp_path: Path) -> None:
    source = one_image(Instance(1, 1, (square(1, 1), square(9, 9))))
    (annotation,) = exported(source, tmp_path / "out.json")["annotations"]
    assert [len(ring) for ring in annotation["segmentation"]] == [8, 8]


def test_run_lengths_of_an_outlined_object_are_not_a_crowd(tmp_path: Path) -> None:
    source = one_image(Instance(1, 1, (square_with_hole(3, 3),)))
    (annotation,) = exported(source, tmp_path / "out.json", CocoExportOptions(holes="rle"))["annotations"]
    assert annotation["iscrowd"] == 0
    assert annotation["segmentation"]["size"] == [30, 40]


def test_crowds_are_run_lengths(tmp_path: Path) -> None:
    (annotation,) = exported(one_image(Instance(1, 1, (square(1, 1),), is_crowd=True)), tmp_path / "o.json")[
        "annotations"
    ]
    assert annotation["iscrowd"] == 1
    assert isinstance(annotation["segmentation"]["counts"], str)


def test_categories_keep_sparse_ids_and_get_a_supercategory(tmp_path: Path) -> None:
    categories = exported(one_image(), tmp_path / "out.json")["categories"]
    assert [(c["id"], c["supercategory"]) for c in categories] == [(1, "none"), (18, "animal")]


def test_info_and_licenses_are_there(tmp_path: Path) -> None:
    content = exported(one_image(), tmp_path / "out.json")
    assert content["info"]["description"]
    assert content["licenses"] == []


def test_file_name_keeps_its_folder_and_any_script(tmp_path: Path) -> None:
    (image,) = exported(one_image(file_name="Zellen/μ-Probe 1.png"), tmp_path / "out.json")["images"]
    assert image["file_name"] == "Zellen/μ-Probe 1.png"


@pytest.mark.parametrize("name", ["/etc/passwd", "../a.png", "sub/../../a.png", "sub\\a.png"])
def test_file_names_outside_the_image_folder_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(FormatError, match="inside the image folder"):
        export_coco(one_image(file_name=name), tmp_path / "out.json")
    assert list(tmp_path.iterdir()) == []


def test_verified_empty_images_stay_and_unreviewed_ones_do_not(tmp_path: Path) -> None:
    states = list(ImageState)
    source = ListSource(image_list=[ImageRecord(i + 1, f"{s}.png", 9, 9, s) for i, s in enumerate(states)])
    report = export_coco(source, tmp_path / "out.json")
    names = {image["file_name"] for image in json.loads((tmp_path / "out.json").read_text())["images"]}
    assert names == {"empty.png", "done.png", "in_progress.png"}
    assert report.unreviewed_count == 2


def test_unreviewed_images_come_on_request(tmp_path: Path) -> None:
    source = one_image(state=ImageState.UNSEEN)
    assert exported(source, tmp_path / "out.json", CocoExportOptions(include_unreviewed=True))["images"]


def test_proposals_and_rejected_instances_are_left_out(tmp_path: Path) -> None:
    states = [InstanceState.PROPOSED, InstanceState.REJECTED, InstanceState.ACCEPTED]
    source = one_image(*(Instance(i + 1, 1, (square(i, i),), state) for i, state in enumerate(states)))
    assert [a["id"] for a in exported(source, tmp_path / "out.json")["annotations"]] == [3]


def test_proposals_come_on_request_above_a_score(tmp_path: Path) -> None:
    proposals = [
        Instance(i + 1, 1, (square(i, i),), InstanceState.PROPOSED, score) for i, score in enumerate((0.3, 0.9))
    ]
    source = one_image(*proposals, state=ImageState.PRELABELLED)
    options = CocoExportOptions(include_proposals=True, min_score=0.5)
    assert [a["id"] for a in exported(source, tmp_path / "out.json", options)["annotations"]] == [2]


def test_neither_ignore_nor_a_score_stands_at_the_top_level(tmp_path: Path) -> None:
    instance = Instance(1, 1, (square(1, 1),), score=0.5, extra={"ignore": 1, "score": 0.5, "note": "x"})
    (annotation,) = exported(one_image(instance), tmp_path / "out.json")["annotations"]
    assert not {"ignore", "score"} & annotation.keys()
    assert annotation["note"] == "x"


def test_provenance_stands_in_attributes_on_request(tmp_path: Path) -> None:
    provenance = Provenance("nuclei", "abc", 0.5, 0.5, "2026-01-01T00:00:00Z")
    instance = Instance(1, 1, (square(1, 1),), InstanceState.EDITED, 0.91, provenance, extra={"attributes": {"a": 1}})
    instance = replace(instance, edited_at="2026-01-02T00:00:00Z")
    options = CocoExportOptions(include_provenance=True)
    (annotation,) = exported(one_image(instance), tmp_path / "out.json", options)["annotations"]
    assert annotation["attributes"] == {
        "a": 1,
        "state": "edited",
        "score": 0.91,
        "model": "nuclei",
        "model_hash": "abc",
        "score_threshold": 0.5,
        "nms_iou": 0.5,
        "proposed_at": "2026-01-01T00:00:00Z",
        "edited_at": "2026-01-02T00:00:00Z",
    }


def test_mask_threshold_and_detail_are_told_where_they_are_known(tmp_path: Path) -> None:
    provenance = Provenance("nuclei", "abc", 0.5, 0.5, "2026-01-01T00:00:00Z", mask_threshold=0.4, min_iou=0.95)
    instance = Instance(1, 1, (square(1, 1),), InstanceState.ACCEPTED, 0.9, provenance)
    options = CocoExportOptions(include_provenance=True)
    (annotation,) = exported(one_image(instance), tmp_path / "out.json", options)["annotations"]
    assert (annotation["attributes"]["mask_threshold"], annotation["attributes"]["min_iou"]) == (0.4, 0.95)


@pytest.mark.parametrize("others", [{}, {"occluded": True, "note": "x"}], ids=["alone", "with others"])
def test_provenance_that_came_with_a_file_is_removed_on_request(tmp_path: Path, others: dict[str, object]) -> None:
    told = {"state": "edited", "score": 0.9, "model": "nuclei", "edited_at": "2026-01-01T00:00:00Z", **others}
    instance = Instance(1, 1, (square(1, 1),), InstanceState.EDITED, 0.9, extra={"attributes": told})
    kept, removed = (
        exported(one_image(instance), tmp_path / f"{wish}.json", CocoExportOptions(include_provenance=wish))
        for wish in (None, False)
    )
    assert kept["annotations"][0]["attributes"] == told
    assert removed["annotations"][0].get("attributes", {}) == others


def test_coordinates_stay_inside_the_image(tmp_path: Path) -> None:
    source = one_image(Instance(1, 1, (square(-2, -3, 10), square(35, 25, 10))))
    (annotation,) = exported(source, tmp_path / "out.json")["annotations"]
    coordinates = np.concatenate([np.reshape(ring, (-1, 2)) for ring in annotation["segmentation"]])
    assert coordinates.min() >= 0
    assert (coordinates <= (40, 30)).all()


def test_an_instance_without_a_pixel_is_left_out_and_reported(tmp_path: Path) -> None:
    sliver = Polygon.of([(1, 1), (9, 1.01), (1, 1.02)])
    report = export_coco(one_image(Instance(7, 1, (sliver,))), tmp_path / "out.json")
    assert report.instance_count == 0
    assert report.left_out[0].instance_id == 7


def test_exporting_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    export_coco(varied_source(), tmp_path / "a.json")
    export_coco(varied_source(), tmp_path / "b.json")
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


def test_numbers_have_at_most_two_decimals(tmp_path: Path) -> None:
    source = one_image(Instance(1, 1, (Polygon.of([(1 / 3, 1 / 7), (10 / 3, 1), (2, 50 / 7)]),)))
    (annotation,) = exported(source, tmp_path / "out.json")["annotations"]
    assert annotation["segmentation"] == [[0.33, 0.14, 3.33, 1.0, 2.0, 7.14]]


def test_unknown_keys_of_categories_and_images_are_kept(tmp_path: Path) -> None:
    source = ListSource([Category(1, "cell", extra={"skeleton": [[1, 2]]})])
    source.image_list = [ImageRecord(1, "a.png", 9, 9, ImageState.DONE, extra={"license": 3})]
    content = exported(source, tmp_path / "out.json")
    assert content["categories"][0]["skeleton"] == [[1, 2]]
    assert content["images"][0]["license"] == 3


def test_a_cancelled_export_leaves_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "out.json").write_text("old")

    def cancel(done: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        export_coco(one_image(), tmp_path / "out.json", on_image=cancel)
    assert (tmp_path / "out.json").read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_full_disk_says_so_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FormatError, match="disk is full"):
        export_coco(one_image(), tmp_path / "out.json")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_says_so(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="folder does not exist"):
        export_coco(one_image(), tmp_path / "absent" / "out.json")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="needs a user whom permissions bind")
def test_a_read_only_folder_says_so(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(FormatError, match="no permission"):
        export_coco(one_image(), tmp_path / "out.json")
