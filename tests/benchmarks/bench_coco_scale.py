"""A COCO file of 100,000 images and 1,000,000 polygons: import into a project and export, beside other readers.

    python tests/benchmarks/bench_coco_scale.py [--images 100000] [--per-image 10] [--folder DIR]
        [--datumaro-python ENV/bin/python]

Each step runs in a process of its own; CPU seconds, of which in the system, and the growth of its peak memory are
printed. datumaro is measured where it is installed: here, or in the environment that is named.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import orjson

STEPS = ("import", "export", "json.load", "orjson.loads", "pycocotools", "json.dump", "datumaro", "datumaro.export")


def main() -> None:
    arguments = _arguments()
    if arguments.step:
        _run_step(arguments.step, arguments.folder)
        return
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        _generate(folder / "in.json", arguments.images, arguments.per_image)
        size = (folder / "in.json").stat().st_size / 1e6
        print(f"{arguments.images} images, {arguments.images * arguments.per_image} polygons, {size:.0f} MB")
        print(f"{'step':16}{'CPU s':>10}{'system':>10}{'peak MB above start':>22}")
        for step in arguments.steps:
            python = arguments.datumaro_python if step.startswith("datumaro") else sys.executable
            command = [python, __file__, "--step", step, "--folder", str(folder)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            print(f"{step:16}{done.stdout.strip() or (done.stderr.strip().splitlines() or ['failed'])[-1]}")
        if (folder / "out.json").exists():
            same = (folder / "in.json").read_bytes() == (folder / "out.json").read_bytes()
            print(f"exported file has the imported bytes: {same}")
            print(f"database: {sum(f.stat().st_size for f in (folder / 'p.maskwright').glob('*')) / 1e6:.0f} MB")


def _run_step(step: str, folder: Path) -> None:
    run = _prepared(step, folder)
    _peak_mb()
    before_mb, before = _peak_mb(), resource.getrusage(resource.RUSAGE_SELF)
    run()
    after = resource.getrusage(resource.RUSAGE_SELF)
    system = after.ru_stime - before.ru_stime
    print(f"{after.ru_utime - before.ru_utime + system:10.1f}{system:10.1f}{_peak_mb() - before_mb:22.0f}")


def _prepared(step: str, folder: Path) -> Callable[[], object]:
    """The imports are done here, so that they are not measured."""
    file = folder / "in.json"
    match step:
        case "import" | "export":
            return _ours(step, folder)
        case "json.load":
            return lambda: json.loads(file.read_bytes())
        case "orjson.loads":
            return lambda: orjson.loads(file.read_bytes())
        case "pycocotools":
            from pycocotools.coco import COCO

            return lambda: COCO(str(file))
        case "json.dump":
            content = orjson.loads(file.read_bytes())

            def dump() -> None:
                with (folder / "dumped.json").open("w") as opened:
                    json.dump(content, opened)

            return dump
        case _:
            return _datumaro(step, folder)


def _datumaro(step: str, folder: Path) -> Callable[[], object]:
    """It takes a file only from a folder of this name."""
    import datumaro  # type: ignore[import-not-found]

    (folder / "annotations").mkdir(exist_ok=True)
    (folder / "images").mkdir(exist_ok=True)
    file = folder / "annotations" / "instances_default.json"
    if not file.exists():
        file.symlink_to(folder / "in.json")

    def load() -> object:
        return datumaro.Dataset.import_from(str(file), "coco_instances")

    if step == "datumaro":
        return load
    data = datumaro.Dataset.import_from(str(file), "coco_instances")
    return lambda: data.export(str(folder / "datumaro"), "coco_instances")


def _ours(step: str, folder: Path) -> Callable[[], object]:
    from maskwright.formats.coco import export_coco
    from maskwright.project import Project

    place = folder / "p.maskwright"
    if step == "import":
        (folder / "images").mkdir(exist_ok=True)
        project = Project.create(place, image_root=folder / "images")
        return lambda: (project.imports.add_coco(folder / "in.json", alone=True), project.close())
    project = Project.open(place, read_only=True)
    return lambda: export_coco(project.source, folder / "out.json")


def _peak_mb() -> float:
    """Since the last call; a new process starts with its parent's peak, which Linux lets us forget."""
    try:
        status = Path("/proc/self/status").read_text()
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def _generate(path: Path, images: int, per_image: int) -> None:
    """As our own writer lays a file out, so that the bytes can be compared."""
    generator = np.random.default_rng(1)
    with path.open("wb") as file:
        file.write(b'{"info":{"year":2026},\n"licenses":[],\n"images":[\n')
        records = (
            {"id": i, "file_name": f"{i // 1000:03d}/{i:06d}.jpg", "width": 1280, "height": 960}
            for i in range(1, images + 1)
        )
        file.write(b",\n".join(map(orjson.dumps, records)) + b'],\n"annotations":[\n')
        separator = b""
        for image_id in range(1, images + 1):
            for k in range(per_image):
                record = _annotation((image_id - 1) * per_image + k + 1, image_id, generator)
                file.write(separator + orjson.dumps(record))
                separator = b",\n"
        names = [{"id": i, "name": f"class {i}", "supercategory": "none"} for i in range(1, 81)]
        file.write(b'],\n"categories":[\n' + b",\n".join(map(orjson.dumps, names)) + b"]}\n")


def _annotation(id_: int, image_id: int, generator: np.random.Generator) -> dict[str, object]:
    count = int(generator.integers(8, 37))
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    radius = generator.uniform(20, 60, count)
    centre = generator.uniform(70, 800, 2)
    ring = np.round(centre + np.stack((np.cos(angle), np.sin(angle)), axis=1) * radius[:, None], 2)
    x, y = ring.min(axis=0).tolist()
    w, h = np.round(np.ptp(ring, axis=0), 2).tolist()
    return {
        "id": id_, "image_id": image_id, "category_id": int(generator.integers(1, 81)),
        "segmentation": [ring.ravel().tolist()], "area": round(w * h * 0.6, 2), "bbox": [x, y, w, h], "iscrowd": 0,
    }  # fmt: skip


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--per-image", type=int, default=10)
    parser.add_argument("--folder", type=Path, default=Path(os.environ.get("TMPDIR", tempfile.gettempdir())))
    parser.add_argument("--steps", nargs="*", default=STEPS, choices=STEPS)
    parser.add_argument("--datumaro-python", default=sys.executable)
    parser.add_argument("--step", choices=STEPS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
