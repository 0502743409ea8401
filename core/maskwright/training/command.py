"""Command line: `python -m maskwright.training train ...`, then `python -m maskwright.training export ...`."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from maskwright.inference.model import load_model
from maskwright.training.assist import command as assist
from maskwright.training.dataset import read_dataset
from maskwright.training.export import ModelDescription, export, load_average
from maskwright.training.kinds import reports_by_kind
from maskwright.training.network import NetworkConfig
from maskwright.training.train import TrainConfig, train

logger = logging.getLogger("maskwright.training")


def main(arguments: list[str] | None = None) -> None:
    """Parse, then run one of the subcommands."""
    parser = argparse.ArgumentParser(prog="python -m maskwright.training", description=__doc__)
    commands = parser.add_subparsers(required=True)
    _add_train(commands.add_parser("train", help="train from scratch on a COCO file"))
    _add_export(commands.add_parser("export", help="write a checkpoint as an OpenVINO model"))
    _add_evaluate(commands.add_parser("evaluate", help="a model's figures by kind of micrograph"))
    assist.add_train(commands.add_parser("assist-train", help="train the network that outlines what is pointed at"))
    assist.add_export(commands.add_parser("assist-export", help="write its checkpoint as an OpenVINO model"))
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    options.action(options)


def _add_train(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--coco", type=Path, required=True, help="COCO file with polygons or RLE")
    parser.add_argument("--images", type=Path, required=True, help="folder of its images")
    parser.add_argument("--out", type=Path, required=True, help="folder for the checkpoint; resumed if it has one")
    budget = parser.add_mutually_exclusive_group(required=True)
    budget.add_argument("--minutes", type=float, help="wall time to train for")
    budget.add_argument("--steps", type=int, help="optimiser steps to train for (reproducible)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--loader-cpu", type=int, help="processor for the worker that makes the crops")
    parser.set_defaults(action=_train)


def _add_export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--to", type=Path, required=True, help="the .xml to write, its .bin beside it")
    parser.add_argument("--name", required=True)
    parser.add_argument("--version", default="1.0.0")
    parser.add_argument("--license", required=True, help="SPDX identifier of the weights")
    parser.add_argument("--scale-rule", default="", help="AREA:FACTOR,... in pixels of the image")
    parser.set_defaults(action=_export)


def _add_evaluate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", required=True, help="a model file or the name of a bundled one")
    parser.add_argument("--coco", type=Path, required=True, help="COCO file with the ground truth")
    parser.add_argument("--images", type=Path, required=True, help="folder of its images")
    parser.add_argument("--nms-iou", type=float, help="default: the model's own")
    parser.set_defaults(action=_evaluate)


def _train(options: argparse.Namespace) -> None:
    dataset = read_dataset(options.coco, options.images)
    config = TrainConfig(
        out=options.out,
        minutes=options.minutes,
        steps=options.steps,
        seed=options.seed,
        batch=options.batch,
        threads=options.threads,
        loader_cpu=options.loader_cpu,
        network=NetworkConfig(categories=len(dataset.category_names)),
    )
    train(dataset, config)


def _export(options: argparse.Namespace) -> None:
    network, content = load_average(options.checkpoint)
    description = ModelDescription(
        name=options.name,
        version=options.version,
        license=options.license,
        category_names=tuple(content["category_names"]),
        category_ids=tuple(content["category_ids"]),
        scale_rule=options.scale_rule,
    )
    export(network, description, to=options.to)


def _evaluate(options: argparse.Namespace) -> None:
    model = load_model(options.model, precision="f32")
    for kind, report in reports_by_kind(model, options.coco, options.images, nms_iou=options.nms_iou).items():
        figures = "  ".join(f"{name} {report.segm[name]:.3f}" for name in ("AP", "AP50", "AP75", "AR"))
        logger.info("%s  %d images  %s", f"{kind:18}", report.image_count, figures)
