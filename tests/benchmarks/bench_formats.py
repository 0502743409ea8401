"""What each format keeps: a data set written in it, read again, and compared mask by mask.

    python tests/benchmarks/bench_formats.py [SOURCE] [--images 200]

SOURCE: annotations of any known format; by default the samples' exact ground truth. Masks are identical where every
pixel is the same; the others by their IoU. What a format holds of an object is compared where it holds no mask (boxes).
`try_consumers.py` has the tools' own readers load what is written; those of a tool's files that are read are in
`tests/core/formats/test_foreign_files.py` and `test_layouts.py`.
"""

import argparse
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from maskwright.document.values import ImageState
from maskwright.errors import MaskwrightError
from maskwright.formats.coco import CocoExportOptions
from maskwright.formats.data_set import DataSet
from maskwright.formats.registry import FORMATS, AnnotationFormat, format_of
from maskwright.formats.verification import Verification
from maskwright.samples.project import GROUND_TRUTH, open_sample_project

HEAD = ("format", "objects", "back", "identical", "lowest IoU", "hidden", "CPU s", "not kept")


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("source", type=Path, nargs="?")
    arguments.add_argument("--images", type=int, default=200)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as name:
        data = _first(_source(given.source, Path(name)), given.images)
        count = sum(len(data.instances(image.id)) for image in data.images())
        print(f"{count} objects on {len(data.image_list)} images, {len(data.categories())} classes\n")
        print("| " + " | ".join(HEAD) + " |\n|" + "---|" * len(HEAD))
        results = [_row(kind, data, Path(name) / f"out-{kind.name}{kind.suffix}") for kind in FORMATS]
    return 1 if any(results) else 0


def _source(given: Path | None, scratch: Path) -> DataSet:
    if given is not None:
        return format_of(given).read(given)
    with open_sample_project(scratch / "samples") as project:
        file = project.image_root / GROUND_TRUTH
        return format_of(file).read(file)


def _first(data: DataSet, count: int) -> DataSet:
    images = tuple(replace(image, state=ImageState.DONE) for image in data.image_list[:count])
    return replace(data, image_list=images, settings={})


def _row(kind: AnnotationFormat, data: DataSet, path: Path) -> bool:
    """Prints one line; whether anything was not as it was meant to be."""
    start = time.process_time()
    try:
        report = kind.write_verified(data, path, CocoExportOptions())
    except MaskwrightError as error:
        print(f"| {kind.name} | - | - | - | - | - | - | refused: {error.message} |")
        return True
    seconds = time.process_time() - start
    found = report.verification or Verification(0, 0)
    losses = "; ".join(report.losses) or "nothing"
    cells = (kind.name, report.instance_count, found.compared, found.exact, f"{found.lowest_iou:.4f}", found.hidden)
    print("| " + " | ".join(map(str, (*cells, f"{seconds:.1f}", losses))) + " |", flush=True)
    for finding in found.findings[:3]:
        print(f"  wrong: {finding.message}")
    return bool(found.findings)


if __name__ == "__main__":
    sys.exit(main())
