"""Whether a round on stained micrographs takes the place of the bundled model, which is better on them.

    python tests/benchmarks/bench_learning_gate.py NUCLEI_FOLDER [--steps 200] [--seed 1] [--base nuclei]

NUCLEI_FOLDER holds `val/` and `val.json`: images that the bundled model has not learned from. A project of the stained
ones, all done, is worked on with that model; a round learns from it as `maskwright learn` does.
"""

import argparse
import json
import os
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from maskwright.document.change import Change
from maskwright.document.values import ImageState, Instance
from maskwright.geometry.convert import mask_to_polygons
from maskwright.geometry.raster import rle_to_mask
from maskwright.images.decode import read_image
from maskwright.learning.learn import learn
from maskwright.learning.plan import LearnOptions
from maskwright.project import Project, ScannedImage
from maskwright.project.model_choice import remember_model
from maskwright.training.kinds import MicrographKind, image_kind


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--base", default="general")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        os.environ["MASKWRIGHT_MODELS"] = str(Path(place) / "models")
        with _stained_project(options.folder, Path(place)) as project:
            wanted = LearnOptions(steps=options.steps, seed=options.seed, base=options.base, counts_cpu=True)
            outcome = learn(project, wanted, on_progress=_show)
    record = asdict(outcome.record)
    print(json.dumps(record | {"peak_mb": outcome.peak_mb}, indent=1))


def _show(progress: Any) -> None:
    if progress.step % 20 == 0 or progress.phase != "learning":
        print(progress.phase, progress.step, f"{progress.seconds:.0f} s", flush=True)


def _stained_project(folder: Path, place: Path) -> Project:
    content = json.loads((folder / "val.json").read_text())
    chosen = [
        image
        for image in content["images"]
        if image_kind(read_image(folder / "val" / image["file_name"]).bgr_u8) is MicrographKind.STAINED
    ]
    print(f"{len(chosen)} stained images of {len(content['images'])}", flush=True)
    project = Project.create(place / "stained.maskwright", image_root=folder / "val")
    project.images.add(ScannedImage(image["file_name"], image["width"], image["height"]) for image in chosen)
    project.ensure_categories([(1, "nucleus")])
    by_name = {image["file_name"]: image["id"] for image in chosen}
    for record in project.images.all():
        entries = [entry for entry in content["annotations"] if entry["image_id"] == by_name[record.file_name]]
        ids = project.instances.reserve_ids(len(entries))
        outlines = (tuple(mask_to_polygons(rle_to_mask(entry["segmentation"]), min_iou=0.99)) for entry in entries)
        drawn = {id_: (None, Instance(id_, 1, outline)) for id_, outline in zip(ids, outlines, strict=True)}
        project.instances.apply(record.id, Change(drawn), label="Draw")
        project.images.set_state(record.id, ImageState.DONE)
    remember_model(project, "nuclei")
    return project


if __name__ == "__main__":
    main()
