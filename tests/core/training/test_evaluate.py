"""Figures by kind of micrograph."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from maskwright.training.kinds import MicrographKind, image_kind, reports_by_kind


def picture(*rgb: int, side: int = 32) -> np.ndarray:
    return np.full((side, side, 3), rgb, np.uint8)


@pytest.mark.parametrize(
    ("image", "kind"),
    [
        (picture(20, 20, 20), MicrographKind.FLUORESCENCE),
        (picture(20, 20, 20, side=640), MicrographKind.LARGE_FLUORESCENCE),
        (picture(210, 210, 210), MicrographKind.BRIGHT_FIELD),
        (picture(200, 120, 180), MicrographKind.STAINED),
    ],
    ids=["dark", "dark and large", "light", "coloured"],
)
def test_kind_follows_the_look(image: np.ndarray, kind: MicrographKind) -> None:
    assert image_kind(image) is kind


def test_each_kind_is_judged_on_its_own_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, grey in (("a.png", 20), ("b.png", 210)):
        cv2.imwrite(str(tmp_path / name), picture(grey, grey, grey))
    content = {
        "images": [{"id": 1, "file_name": "a.png"}, {"id": 2, "file_name": "b.png"}],
        "categories": [{"id": 1, "name": "nucleus"}],
        "annotations": [{"id": 5, "image_id": 2}],
    }
    (tmp_path / "all.json").write_text(json.dumps(content), encoding="utf-8")

    def seen(_model: Any, coco_file: Path, _images: Path, **_: Any) -> Any:
        part = json.loads(coco_file.read_text(encoding="utf-8"))
        return [image["id"] for image in part["images"]], [row["id"] for row in part["annotations"]]

    monkeypatch.setattr("maskwright.training.kinds.evaluate_model", seen)

    reports = reports_by_kind(None, tmp_path / "all.json", tmp_path)  # type: ignore[arg-type]

    assert reports == {MicrographKind.BRIGHT_FIELD: ([2], [5]), MicrographKind.FLUORESCENCE: ([1], [])}
