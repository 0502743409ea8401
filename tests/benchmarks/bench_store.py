"""A large project: opening, listing, searching, the next image, an edit; wall and CPU milliseconds, memory.

    python tests/benchmarks/bench_store.py [--images 100000] [--instances 10] [--folder KEEP]

Targets (100,000 images, 1,000,000 instances): open to the first image 1.5 s, 350 MB; filter or search 200 ms; next
image 10 ms; matching 1,000 proposals against 1,000 objects 100 ms; an order of review for 10,000 images 2 s.
"""

import argparse
import resource
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from sqlalchemy import insert

from maskwright.document.change import Change
from maskwright.document.values import ImageState, Instance, InstanceState
from maskwright.geometry.polygon import Polygon
from maskwright.project import InstanceSearch, ModelProposal, Project, ScannedImage, Span
from maskwright.project.packing import pack_polygons
from maskwright.project.proposals import proposals_to_change
from maskwright.project.schema import instances, provenances
from maskwright.review.order import ordered_images

_BLOCK = 5_000


_TOUCHED = (None, None, "edited")
"""Of the states: a third of a million objects."""
_PROPOSED, _EDITED = (InstanceState.PROPOSED,), (InstanceState.EDITED,)
_SEARCHES = (
    ("class", InstanceSearch(category_ids=(3,)), ""),
    ("state of an object", InstanceSearch(states=_EDITED), ""),
    ("a low score", InstanceSearch(max_score=0.02), ""),
    ("a score above 0.5", InstanceSearch(min_score=0.5), ""),
    ("origin", InstanceSearch(model_name="first"), ""),
    ("class, state and score", InstanceSearch((3,), _PROPOSED, max_score=0.1), ""),
    ("origin and score", InstanceSearch(model_name="first", max_score=0.1), ""),
    ("mask threshold", InstanceSearch(origin={"mask_threshold": Span(0.45)}), ""),
    ("time of the last touch", InstanceSearch(edited=Span("2026-01-01T08", "2026-01-01T12")), ""),
    ("time of touch, class and score", InstanceSearch((3,), max_score=0.1, edited=Span("2026-01-01T09")), ""),
    ("all of it and the file name", InstanceSearch((3, 5), _EDITED, 0.2, 0.6, "first"), "0099"),
)


def blob(centre_xy: tuple[float, float], radius: float, vertices: int = 24) -> tuple[Polygon]:
    angle = np.linspace(0, 2 * np.pi, vertices, endpoint=False)
    ring = np.stack([centre_xy[0] + radius * np.cos(angle), centre_xy[1] + radius * np.sin(angle)], axis=1)
    return (Polygon.of(np.rint(ring)),)


def make(folder: Path, image_count: int, per_image: int) -> Path:
    """A project as a batch over `image_count` images would leave it, written past the journal to save time."""
    (folder / "images").mkdir()
    project = Project.create(folder / "big.maskwright", image_root=folder / "images")
    project.images.add(ScannedImage(f"{k // 1000:03d}/photo_{k:06d}.jpg", 1280, 960) for k in range(image_count))
    categories = list(project.ensure_categories((k, f"class {k}") for k in range(1, 21)).values())
    rng = np.random.default_rng(0)
    outlines = [pack_polygons(blob((100 + 10 * k, 200 + 5 * k), 40 + k)) for k in range(50)]
    states = [state.value for state in (InstanceState.PROPOSED, InstanceState.ACCEPTED, InstanceState.EDITED)]
    origins = _two_models(project)
    count = image_count * per_image
    for start in range(0, count, _BLOCK):
        ids = np.arange(start, min(start + _BLOCK, count))
        scores, chosen = rng.random(len(ids)), rng.integers(0, 1 << 30, len(ids))
        rows = [
            {
                "id": int(id_) + 1,
                "image_id": int(id_) // per_image + 1,
                "category_id": categories[int(pick) % len(categories)],
                "state": states[int(pick) % 3],
                "score": float(score),
                "provenance_id": origins[int(pick) % 7 % 2],
                "polygons": outlines[int(pick) % len(outlines)],
                "edited_at": _TOUCHED[int(pick) % 3] and f"2026-01-01T{int(pick) % 24:02}:00:00.000+00:00",
            }
            for id_, score, pick in zip(ids, scores, chosen, strict=True)
        ]
        with project._database.write(is_repeatable=True) as connection:
            connection.execute(insert(instances), rows)
    project.instances.reserve_ids(count)
    project.close()
    return project.path


def bow_tie(centre_xy: tuple[float, float]) -> tuple[Polygon]:
    x, y = centre_xy
    return (Polygon.of([(x - 20, y - 20), (x + 20, y + 20), (x + 20, y - 20), (x - 20, y + 20)]),)


def _two_models(project: Project) -> list[int]:
    made = insert(provenances).returning(provenances.c.id)
    with project._database.write() as connection:
        return [
            connection.execute(
                made.values(
                    model_name=name,
                    model_hash=name,
                    score_threshold=0.5,
                    nms_iou=0.5,
                    created_at=name,
                    mask_threshold=mask_threshold,
                    min_iou=0.98,
                )
            ).scalar_one()
            for name, mask_threshold in (("first", 0.4), ("second", 0.5))
        ]


def timed(table: Table, what: str, action: Callable[[], object], repeats: int = 5) -> None:
    wall, cpu = [], []
    for _ in range(repeats):
        started, busy = time.perf_counter(), time.process_time()
        action()
        wall.append((time.perf_counter() - started) * 1e3)
        cpu.append((time.process_time() - busy) * 1e3)
    table.add_row(what, f"{statistics.median(wall):.1f}", f"{max(wall):.1f}", f"{statistics.median(cpu):.1f}")


def matching(table: Table) -> None:
    places = [(30.0 + 60 * (k % 40), 30.0 + 60 * (k // 40)) for k in range(1000)]
    existing = [
        Instance(k + 1, 1, blob(place, 25, 60), InstanceState.ACCEPTED if k % 2 else InstanceState.PROPOSED)
        for k, place in enumerate(places)
    ]
    proposals = [ModelProposal(1, 0.9, blob((x + 2, y + 1), 26, 60)) for x, y in places]
    ids = range(5000, 6000)
    timed(table, "match 1,000 proposals to 1,000", lambda: proposals_to_change(existing, proposals, None, ids))
    crossed = [replace(one, polygons=bow_tie(place)) for one, place in zip(existing, places, strict=True)]
    twisted = [ModelProposal(1, 0.9, one.polygons) for one in crossed]
    timed(table, "the same, crossing themselves", lambda: proposals_to_change(crossed, twisted, None, ids))


def measure(path: Path) -> Table:
    table = Table("what", "median ms", "worst ms", "CPU ms")

    def open_to_first_image() -> None:
        with Project.open(path) as opened:
            ids = opened.images.ids()
            opened.images.records(ids[:50].tolist())
            opened.instances.document(int(ids[0]))

    timed(table, "open to the first image", open_to_first_image, 3)
    project = Project.open(path)
    ids = project.images.ids().tolist()
    timed(table, "all ids", project.images.ids)
    timed(table, "ids of a state", lambda: project.images.ids(states=[ImageState.DONE]))
    timed(table, "ids by file name", lambda: project.images.ids(text="0099"))
    for what, search, text in _SEARCHES:
        timed(table, f"ids by {what}", lambda search=search, text=text: project.images.ids(having=search, text=text))
    timed(table, "counts of states", project.images.state_counts)
    timed(table, "50 rows of the list", lambda: project.images.records(ids[len(ids) // 2 :][:50]))
    order = iter(np.random.default_rng(1).permutation(ids).tolist())
    timed(table, "next image", lambda: project.instances.document(next(order)), 50)
    document = project.instances.document(ids[7])
    first = next(iter(document))
    moved = replace(first, z=first.z + 1)
    steps = [Change.of([(first, moved)]), Change.of([(moved, first)])] * 10
    edits = iter(steps)
    timed(table, "an edit, on disk", lambda: project.instances.apply(ids[7], next(edits), label="Move"), 20)
    uncertain = np.random.default_rng(2).random(len(ids)).tolist()
    project.signals.set("uncertainty", {id_: (doubt, None) for id_, doubt in zip(ids, uncertain, strict=True)})
    for order_name in ("uncertainty", "rarity"):
        timed(table, f"all images by {order_name}", lambda name=order_name: ordered_images(project, name), 3)
    matching(table)
    project.close()
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--instances", type=int, default=10, help="per image")
    parser.add_argument("--folder", type=Path, default=None, help="keep the project here and use it again")
    chosen = parser.parse_args()
    folder = chosen.folder or Path(tempfile.mkdtemp())
    path = folder / "big.maskwright"
    if not path.exists():
        folder.mkdir(exist_ok=True)
        make(folder, chosen.images, chosen.instances)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    table = measure(path)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    size = (path / "project.db").stat().st_size
    Console().print(table, f"file {size / 1e6:.0f} MB, peak memory {peak / 1e3:.0f} MB ({before / 1e3:.0f} before)")
    if chosen.folder is None:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
