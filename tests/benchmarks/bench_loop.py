"""The loop closed by a simulated annotator: presses an object in each round, against drawing every object by hand.

    python tests/benchmarks/bench_loop.py SET_FOLDER [--rounds 5 10 15 20] [--minutes 2.5] [--results FILE]

SET_FOLDER holds `images/` and `train.json`; a set of few images may add its others (`--parts train val`), since each is
judged before anything has learned from it. A new project gets the images; in each round the annotator corrects the
next ones (`annotator.py` says what a press is), then the project learns and the model, where the gate took it, proposes
on the rest, as `maskwright learn` and `maskwright prelabel --untouched --refine assist` do (`--plain`: without the
assistant); "unrefined" is what the same proposals would have taken before that. A proposal that is good enough stays
as it is, all else becomes the true outline. Seconds are of the processor. `--rest` images beyond the next ones are
looked at, too, without being corrected: more objects, less chance. Run it with one thread.
"""

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import cv2
from annotated_image import WAYS, Answer, Target, answered
from annotator import LEVELS
from assist_protocol import true_mask

from maskwright.assist.loading import load_assistant
from maskwright.assist.refine import is_refined_by
from maskwright.assist.view import BackendAssistant
from maskwright.document.change import Change, UserEffort
from maskwright.document.values import ImageState, Instance, InstanceState
from maskwright.geometry.convert import mask_to_polygons
from maskwright.geometry.polygon import Polygon
from maskwright.images import read_image
from maskwright.inference.model import load_model
from maskwright.inference.thresholds import Thresholds
from maskwright.learning.holdout import stable_rank
from maskwright.learning.learn import learn
from maskwright.learning.plan import LearnOptions
from maskwright.operations.refining import refine_project
from maskwright.prelabel import run_batch
from maskwright.project import Project, ScannedImage

TAKEN = LEVELS[0]
"""IoU from which a proposal stays in the project as it is."""


class Loop:
    """One project from nothing to the last round."""

    def __init__(self, options: argparse.Namespace, place: Path) -> None:
        self.folder: Path = options.folder
        self.options = options
        content = _content(self.folder, options.parts)
        self.names = sorted((image["file_name"] for image in content["images"]), key=stable_rank)
        self.targets = _targets(content)
        self.project = _project(place, self.folder / "images", content, self.names)
        self.ids = {record.file_name: record.id for record in self.project.images.all()}
        self.assistant: BackendAssistant = load_assistant(precision="f32", num_threads=1)
        self.model: Path | None = None
        self.done = 0
        self.unrefined: dict[str, list[Instance]] = {}
        """What the model proposed on each image, before the assistant refined it."""

    def round(self, until: int) -> dict[str, Any]:
        """Correct up to `until` images, learn, propose."""
        chosen = self.names[self.done : until]
        line: dict[str, Any] = {"set": self.folder.name, "from": self.done, "to": self.done + len(chosen)}
        if self.unrefined:
            line["unrefined"] = _summary([answered(self.targets[name], self.unrefined[name], None) for name in chosen])
        line["next"] = _summary([self._corrected(name) for name in chosen])
        self.done += len(chosen)
        if self.done < len(self.names):
            line["learned"] = self._learned()
            line["proposed"] = self._proposed()
            rest = self.names[self.done : self.done + self.options.rest]
            line["rest"] = _summary([self._looked_at(name, assisted=False) for name in rest])
        return line

    def _open_proposals(self, name: str) -> list[Instance]:
        return [one for one in self.project.instances.of(self.ids[name]) if one.state is InstanceState.PROPOSED]

    def _looked_at(self, name: str, *, assisted: bool) -> Answer:
        proposals = self._open_proposals(name)
        view = self.assistant.open(read_image(self.folder / "images" / name).bgr_u8) if assisted else None
        return answered(self.targets[name], proposals, view)

    def _corrected(self, name: str) -> Answer:
        answer = self._looked_at(name, assisted=True)
        pairs: list[tuple[Instance | None, Instance | None]] = []
        for target, case in zip(self.targets[name], answer.cases, strict=True):
            match = case.match
            if match is not None and match.iou >= TAKEN and match.is_right_class:
                pairs.append((match.instance, _answer(match.instance, target, InstanceState.ACCEPTED)))
            elif match is not None:
                pairs.append((match.instance, _answer(match.instance, target, InstanceState.EDITED)))
            else:
                id_ = self.project.instances.reserve_ids(1)[0]
                pairs.append((None, Instance(id_, target.category, _outline(target))))
        presses = answer.presses("loop and pointing", TAKEN)
        self.project.instances.apply(
            self.ids[name],
            Change.of(pairs),
            label="Correct",
            gesture=UserEffort(clicks=presses, active_s=2.0 * presses),
        )
        self.project.images.set_state(self.ids[name], ImageState.DONE)
        return answer

    def _learned(self) -> dict[str, Any]:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        options = LearnOptions(minutes=self.options.minutes, seed=self.options.seed, counts_cpu=True)
        outcome = learn(self.project, options)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.model = outcome.model_path or self.model
        figures = outcome.record.figures
        return {
            "cpu_s": round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 1),
            "learning_s": round(outcome.record.seconds, 1),
            "steps": outcome.record.steps,
            "peak_mb": outcome.peak_mb,
            "installed": outcome.is_installed,
            "reason": outcome.record.reason,
            "score": round(outcome.score, 3),
            "held_out": None if figures is None else {"f1": figures.f1, "ap50": figures.ap50, "ap": figures.ap},
        }

    def _proposed(self) -> dict[str, Any]:
        if self.model is None:
            return {}
        started = time.process_time()
        model = load_model(self.model, num_threads=1)
        report = run_batch(self.project, model, Thresholds(), only_untouched=True)
        spent = time.process_time() - started
        refined_s = self._refined() if not self.options.plain else 0.0
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        return {"images": report.done, "cpu_s": round(spent, 1), "refined_cpu_s": round(refined_s, 1), "peak_mb": peak}

    def _refined(self) -> float:
        """Processor seconds. Only the images that will be looked at are refined."""
        step = self.options.rounds[0]
        names = self.names[self.done : self.done + max(step, self.options.rest)]
        for name in names:
            proposals = self._open_proposals(name)
            if not any(is_refined_by(one, self.assistant.name) for one in proposals):  # else those of a round before
                self.unrefined[name] = proposals
        started = time.process_time()
        refine_project(self.project, self.assistant, image_ids=[self.ids[name] for name in names])
        return time.process_time() - started


def main() -> None:
    options = _arguments()
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as place:
        os.environ["MASKWRIGHT_MODELS"] = str(Path(place) / "models")
        loop = Loop(options, Path(place))
        with loop.project:
            for until in (*options.rounds, options.rounds[-1] + options.rounds[0]):
                if loop.done < len(loop.names):
                    line = loop.round(until)
                    print(json.dumps(line), flush=True)
                    if options.results is not None:
                        with options.results.open("a") as file:
                            file.write(json.dumps(line) + "\n")


def _summary(answers: Sequence[Answer]) -> dict[str, Any]:
    """Presses an object by every way, and each way's share of drawing."""
    objects = sum(len(answer.cases) for answer in answers)
    if not objects:
        return {"objects": 0}
    summary: dict[str, Any] = {
        "images": len(answers),
        "objects": objects,
        "found": sum(case.match is not None for answer in answers for case in answer.cases),
        "taken": sum(case.match is not None and case.match.iou >= TAKEN for a in answers for case in a.cases),
        "false": sum(answer.false for answer in answers),
    }
    for level in LEVELS:
        drawing = sum(answer.presses("drawing", level) for answer in answers)
        shares = {}
        for way in WAYS[1:]:
            for rejects in (False, True) if way.startswith("loop") else (False,):
                presses = sum(answer.presses(way, level, rejects=rejects) for answer in answers)
                shares[f"{way}, rejecting" if rejects else way] = round(presses / drawing, 3)
        summary[str(level)] = {"drawing": round(drawing / objects, 2), "shares": shares}
    return summary


def _content(folder: Path, parts: Sequence[str]) -> dict[str, Any]:
    """All parts as one; ids of images are those of the whole set in each."""
    read = [json.loads((folder / f"{part}.json").read_text("utf-8")) for part in parts]
    return read[0] | {key: [entry for one in read for entry in one[key]] for key in ("images", "annotations")}


def _targets(content: dict[str, Any]) -> dict[str, list[Target]]:
    images = {image["id"]: image for image in content["images"]}
    found: defaultdict[str, list[Target]] = defaultdict(list)
    for one in content["annotations"]:
        image = images[one["image_id"]]
        mask = true_mask(one, image)
        if not one.get("iscrowd") and mask.any():
            found[image["file_name"]].append(Target(one["category_id"], mask))
    return found


def _project(place: Path, images: Path, content: dict[str, Any], names: Sequence[str]) -> Project:
    sizes = {image["file_name"]: (image["width"], image["height"]) for image in content["images"]}
    project = Project.create(place / "loop.maskwright", image_root=images)
    project.images.add(ScannedImage(name, *sizes[name]) for name in names)
    project.ensure_categories([(category["id"], category["name"]) for category in content["categories"]])
    return project


def _answer(instance: Instance, target: Target, state: InstanceState) -> Instance:
    if state is InstanceState.ACCEPTED:
        return replace(instance, state=state)
    return replace(instance, state=state, category_id=target.category, polygons=_outline(target), dense=None)


def _outline(target: Target) -> tuple[Polygon, ...]:
    return tuple(mask_to_polygons(target.mask, min_iou=0.98))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--parts", nargs="+", default=["train"], help="files of the set that the images come from")
    parser.add_argument("--rounds", type=int, nargs="+", default=[5, 10, 15, 20], help="images after each round")
    parser.add_argument("--minutes", type=float, default=2.5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rest", type=int, default=15, help="images looked at beyond the next ones")
    parser.add_argument("--plain", action="store_true", help="proposals as the model makes them, not refined")
    parser.add_argument("--results", type=Path, help="append a JSON line a round")
    return parser.parse_args()


if __name__ == "__main__":
    main()
