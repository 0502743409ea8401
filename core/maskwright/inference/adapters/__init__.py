"""One file per model family: recognise the tensors, prepare the input, decode the output.

To add a family, write its file with a class as described in `family.Adapter`, and add it to ADAPTERS."""

from maskwright.inference.adapters.boxes import BoxesAdapter
from maskwright.inference.adapters.family import Adapter
from maskwright.inference.adapters.instances import InstancesAdapter
from maskwright.inference.adapters.mask_rcnn import MaskRcnnAdapter, MaskRcnnTfAdapter
from maskwright.inference.adapters.rf_detr import RfDetrAdapter
from maskwright.inference.adapters.torchvision import TorchvisionAdapter
from maskwright.inference.adapters.yolact import YolactAdapter
from maskwright.inference.adapters.yolo_seg import YoloSegAdapter

ADAPTERS: tuple[type[Adapter], ...] = (
    YolactAdapter,
    MaskRcnnAdapter,
    MaskRcnnTfAdapter,
    TorchvisionAdapter,
    RfDetrAdapter,
    InstancesAdapter,
    YoloSegAdapter,
    BoxesAdapter,
)
"""Tried in this order; the first that recognises a network is used."""
