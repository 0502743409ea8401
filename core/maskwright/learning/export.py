"""Exports a trained network as an OpenVINO model that the program recognises like any other YOLACT."""

from __future__ import annotations

import json
from pathlib import Path

import openvino

from maskwright.learning.job import NMS_IOU, LearningJob
from maskwright.learning.network import LearnedNetwork
from maskwright.training.export import YolactInterface, export_interface

MAX_INSTANCES = 500


def export_learned(network: LearnedNetwork, job: LearningJob, *, to: Path, score: float = 0.35) -> Path:
    """Write `to` (.xml) and its .bin: a square input, padded on the right and below."""
    size = job.recipe.input_size
    interface = YolactInterface(network, network.layout)
    return export_interface(interface, model_notes(job, score=score), to=to, size_hw=(size, size))


def model_notes(job: LearningJob, *, score: float) -> dict[str, str]:
    """The entries of `model_info`."""
    return {
        "model_type": "yolact",
        "model_name": job.name,
        "labels": " ".join("_".join(name.split()) for name in job.category_names),
        "label_names": json.dumps(job.category_names),
        "category_ids": " ".join(str(number) for number in job.category_ids),
        "color_space": "RGB",
        "resize_type": "fit_to_window",
        "pad_value": "0",
        "max_instances": str(MAX_INSTANCES),
        "score_threshold": f"{score:.3f}",
        "nms_iou": str(NMS_IOU),
        "agnostic_nms": str(job.classes_exclude),
        "learned_from": f"{len(job.examples)} images, {job.object_count} objects, base {job.base}",
    }


def with_score(path: Path, score: float) -> None:
    """Change the operating point in a model that has been written."""
    model = openvino.Core().read_model(path)
    model.set_rt_info(f"{score:.3f}", ["model_info", "score_threshold"])
    marked = path.with_name("marked.xml")
    openvino.save_model(model, marked, compress_to_fp16=True)
    del model  # it maps the .bin file that is about to be replaced
    marked.with_suffix(".bin").replace(path.with_suffix(".bin"))
    marked.replace(path)
