"""The stand-in networks on a real photograph: family, sizes and a sane answer."""

import cv2
import numpy as np
import pytest

from maskwright.inference.model import load_model
from shared_data import shared_path

MODELS = {
    "yolact": "standin_yolact_interface/standin-yolact-interface.xml",
    "yolact int8": "standin_yolact_interface/int8/standin-yolact-int8.xml",
    "mask_rcnn nchw": "standin_maskrcnn_interface/standin-maskrcnn-nchw.xml",
    "mask_rcnn nhwc": "standin_maskrcnn_interface/standin-maskrcnn-nhwc.xml",
    "yolact nuclei": "nuclei_reference/nuclei-512.xml",
}


@pytest.mark.parametrize("name", MODELS)
def test_a_real_network_finds_something_plausible(name: str) -> None:
    model = load_model(shared_path(f"models/{MODELS[name]}"), precision="f32")
    folder = shared_path("nuclei/val" if "nuclei" in name else "coco/val")
    counts = []
    for path in sorted(folder.iterdir())[:3]:
        image = cv2.imread(str(path), cv2.IMREAD_COLOR_BGR)
        instances = model.predict(np.asarray(image, np.uint8)).select(0.3)
        counts.append(len(instances))
        assert all(instance.mask.shape == image.shape[:2] for instance in instances)
        assert all(instance.polygons for instance in instances)
    assert model.family == name.split()[0]
    assert max(counts) > 0
