"""Command line: `python -m maskwright.training train ...`, then `export ...`; the same for the assistant's network."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2

from maskwright.inference.model import load_model
from maskwright.training.assist import export as assist_export
from maskwright.training.assist import train as assist_train
from maskwright.training.assist.judge import Judge
from maskwright.training.assist.objects import ObjectSet, generated_objects, read_objects, relief_objects
from maskwright.training.dataset import read_dataset
from maskwright.training.export import ModelDescription, export, load_average
from maskwright.training.kinds import reports_by_kind
from maskwright.training.network import NetworkConfig
from maskwright.training.train import TrainConfig, train

logger = logging.getLogger("maskwright.training")

SET_HELP = "a COCO file, the folder of its images, how often to draw from it; may be given several times"
RELIEF_PICTURES = 100


def main(arguments: list[str] | None = None) -> None:
    """Parse, then run one of the subcommands."""
    parser = argparse.ArgumentParser(prog="python -m maskwright.training", description=__doc__)
    commands = parser.add_subparsers(required=True)
    _add_train(commands.add_parser("train", help="train from scratch on a COCO file"))
    export_parser = commands.add_parser("export", help="write a checkpoint as an OpenVINO model")
    export_parser.add_argument("--scale-rule", default="", help="AREA:FACTOR,... in pixels of the image")
    _add_export(export_parser, _export)
    _add_evaluate(commands.add_parser("evaluate", help="a model's figures by kind of micrograph"))
    _add_assist_train(commands.add_parser("assist-train", help="train the network that outlines what is pointed at"))
    _add_export(commands.add_parser("assist-export", help="write its checkpoint as an OpenVINO model"), _export_assist)
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    options.action(options)


def _add_train(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--coco", type=Path, required=True, help="COCO file with polygons or RLE")
    parser.add_argument("--images", type=Path, required=True, help="folder of its images")
    _add_run(parser)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--loader-cpu", type=int, help="processor for the worker that makes the crops")
    parser.set_defaults(action=_train)


def _add_run(parser: argparse.ArgumentParser) -> None:
    """Options common to all trainings."""
    parser.add_argument("--out", type=Path, required=True, help="folder for the checkpoint; resumed if it has one")
    budget = parser.add_mutually_exclusive_group(required=True)
    budget.add_argument("--minutes", type=float, help="wall time to train for")
    budget.add_argument("--steps", type=int, help="optimiser steps to train for (reproducible)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)


def _run_options(options: argparse.Namespace) -> dict[str, Any]:
    names = ("out", "minutes", "steps", "seed", "threads")
    return {name: getattr(options, name) for name in names}


def _add_assist_train(parser: argparse.ArgumentParser) -> None:
    for kind, what in (
        ("set", "photographs with whole objects"),
        ("parts", "photographs with parts of objects (clothes)"),
        ("micrographs", "pictures without up and down"),
    ):
        parser.add_argument(
            f"--{kind}",
            nargs=3,
            action="append",
            default=[],
            metavar=("JSON", "FOLDER", "SHARE"),
            help=what + ": " + SET_HELP,
        )
    parser.add_argument("--generated", type=float, default=0.0, metavar="SHARE", help="scenes of our own generator")
    parser.add_argument("--relief", type=float, default=0.0, metavar="SHARE", help="ground with pits and domes")
    parser.add_argument("--judge", nargs=2, action="append", default=[], metavar=("JSON", "FOLDER"))
    parser.add_argument("--judge-micrographs", nargs=2, action="append", default=[], metavar=("JSON", "FOLDER"))
    _add_run(parser)
    parser.add_argument("--loader-cpus", type=int, nargs="*", default=[], help="processors for the crops' worker")
    parser.set_defaults(action=_train_assist)


def _add_export(parser: argparse.ArgumentParser, action: Callable[[argparse.Namespace], None]) -> None:
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--to", type=Path, required=True, help="the .xml to write, its .bin beside it")
    parser.add_argument("--name", required=True)
    parser.add_argument("--version", default="1.0.0")
    parser.add_argument("--license", required=True, help="SPDX identifier of the weights")
    parser.set_defaults(action=action)


def _add_evaluate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", required=True, help="a model file or the name of a bundled one")
    parser.add_argument("--coco", type=Path, required=True, help="COCO file with the ground truth")
    parser.add_argument("--images", type=Path, required=True, help="folder of its images")
    parser.add_argument("--nms-iou", type=float, help="default: the model's own")
    parser.set_defaults(action=_evaluate)


def _train(options: argparse.Namespace) -> None:
    dataset = read_dataset(options.coco, options.images)
    config = TrainConfig(
        **_run_options(options),
        batch=options.batch,
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


def _export_assist(options: argparse.Namespace) -> None:
    description = assist_export.AssistDescription(options.name, options.version, options.license)
    assist_export.export(assist_export.load_average(options.checkpoint), description, to=options.to)


def _train_assist(options: argparse.Namespace) -> None:
    # The loader's worker is forked here, and OpenCV's threads would neither survive that nor help.
    cv2.setNumThreads(0)
    judges = [_read(entry, turns=False) for entry in options.judge]
    judges += [_read(entry, turns=True) for entry in options.judge_micrographs]
    sets = [_read(entry) for entry in options.set]
    sets += [_read(entry, parts=True) for entry in options.parts]
    sets += [_read(entry, turns=True) for entry in options.micrographs]
    if options.generated:
        sets.append(generated_objects(variants=2, share=options.generated))
    if options.relief:
        sets.append(relief_objects(pictures=RELIEF_PICTURES, share=options.relief))
    config = assist_train.PromptTrainConfig(**_run_options(options), loader_cpus=tuple(options.loader_cpus))
    assist_train.train(sets, config, judge=Judge(judges) if judges else None)


def _read(entry: list[str], *, turns: bool = False, parts: bool = False) -> ObjectSet:
    share = float(entry[2]) if len(entry) == 3 else 1.0
    name = "/".join(Path(entry[0]).with_suffix("").parts[-2:])
    return read_objects(name, Path(entry[0]), Path(entry[1]), share=share, turns=turns, parts=parts)
