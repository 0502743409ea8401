"""Command line: `python -m maskwright.training assist-train ...`, then `assist-export`."""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2

from maskwright.training.assist.export import AssistDescription, export, load_average
from maskwright.training.assist.judge import Judge
from maskwright.training.assist.objects import ObjectSet, generated_objects, read_objects
from maskwright.training.assist.relief import relief_objects
from maskwright.training.assist.train import TrainConfig, train

SET_HELP = "a COCO file, the folder of its images, how often to draw from it; may be given several times"

RELIEF_PICTURES = 100


def add_train(parser: argparse.ArgumentParser) -> None:
    """Options of `assist-train`."""
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
    parser.add_argument("--out", type=Path, required=True, help="folder for the checkpoint; resumed if it has one")
    budget = parser.add_mutually_exclusive_group(required=True)
    budget.add_argument("--minutes", type=float, help="wall time to train for")
    budget.add_argument("--steps", type=int, help="optimiser steps to train for")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--loader-cpus", type=int, nargs="*", default=[], help="processors for the crops' worker")
    parser.set_defaults(action=_train)


def add_export(parser: argparse.ArgumentParser) -> None:
    """Options of `assist-export`."""
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--to", type=Path, required=True, help="the .xml to write, its .bin beside it")
    parser.add_argument("--name", required=True)
    parser.add_argument("--version", default="1.0.0")
    parser.add_argument("--license", required=True, help="SPDX identifier of the weights")
    parser.set_defaults(action=_export)


def _export(options: argparse.Namespace) -> None:
    description = AssistDescription(options.name, options.version, options.license)
    export(load_average(options.checkpoint), description, to=options.to)


def _train(options: argparse.Namespace) -> None:
    # The crops' worker is forked from here, and OpenCV's threads would neither survive that nor help.
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
    config = TrainConfig(
        out=options.out,
        minutes=options.minutes,
        steps=options.steps,
        seed=options.seed,
        threads=options.threads,
        loader_cpus=tuple(options.loader_cpus),
    )
    train(sets, config, judge=Judge(judges) if judges else None)


def _read(entry: list[str], *, turns: bool = False, parts: bool = False) -> ObjectSet:
    share = float(entry[2]) if len(entry) == 3 else 1.0
    name = "/".join(Path(entry[0]).with_suffix("").parts[-2:])
    return read_objects(name, Path(entry[0]), Path(entry[1]), share=share, turns=turns, parts=parts)
