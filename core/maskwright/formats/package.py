"""A whole export: one set, or train, val and test with one class table, in any format, with or without the images."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from maskwright.document.file_numbers import FileNumbers
from maskwright.document.values import Category, ImageRecord, Instance
from maskwright.errors import FormatError
from maskwright.formats.atomic import is_stream
from maskwright.formats.coco.numbers import numbers_of
from maskwright.formats.coco.options import CocoExportOptions, CocoSource
from maskwright.formats.gate import Finding
from maskwright.formats.image_files import Placing, place_image
from maskwright.formats.registry import FORMATS, AnnotationFormat
from maskwright.formats.selection import WriteReport
from maskwright.formats.verification import Verification, check_placed, joined


@dataclass(frozen=True, slots=True)
class Subset:
    """Some images of a source, with all of its categories."""

    source: CocoSource
    image_ids: frozenset[int]

    def categories(self) -> Sequence[Category]:
        return self.source.categories()

    def images(self) -> Iterator[ImageRecord]:
        return (image for image in self.source.images() if image.id in self.image_ids)

    def instances(self, image_id: int) -> Sequence[Instance]:
        return self.source.instances(image_id) if image_id in self.image_ids else ()

    def file_numbers(self) -> FileNumbers:
        """The ids that differ between source and file."""
        return numbers_of(self.source)


def split(
    classes_of: Mapping[int, Counter[int]], shares: Mapping[str, float], *, seed: int = 0, by_class: bool = False
) -> dict[str, frozenset[int]]:
    """{name: image ids} with sizes in proportion to `shares`; every image is in exactly one.

    `classes_of` counts the instances of each class in each image. With `by_class` the images of the rarest class are
    assigned first, each to the part that lacks it most (Sechidis et al. 2011, "On the stratification of multi-label
    data"). The same seed gives the same parts. Raises ValueError for shares that are negative or all zero.
    """
    total = sum(shares.values())
    if not shares or min(shares.values()) < 0 or not total > 0 or not math.isfinite(total):
        raise ValueError(f"expected shares of 0 or more with a sum above 0, got {dict(shares)}")
    fractions = {name: share / total for name, share in shares.items()}
    order = np.random.default_rng(seed).permutation(np.array(sorted(classes_of), np.int64)).tolist()
    counts = _whole_numbers(len(order), fractions)
    if by_class:
        return _by_class(order, classes_of, fractions, counts)
    parts: dict[str, frozenset[int]] = {}
    start = 0
    for name, count in counts.items():
        parts[name] = frozenset(order[start : start + count])
        start += count
    return parts


def classes_by_image(source: CocoSource) -> dict[int, Counter[int]]:
    """Number of exported instances of each category in each image."""
    return {
        image.id: Counter(i.category_id for i in source.instances(image.id) if i.state.is_exported)
        for image in source.images()
    }


def _by_class(
    order: list[int], classes_of: Mapping[int, Counter[int]], fractions: dict[str, float], counts: dict[str, int]
) -> dict[str, frozenset[int]]:
    room = dict(counts)
    totals: Counter[int] = Counter()
    for classes in classes_of.values():
        totals.update(classes.keys())
    lacking = {name: {c: totals[c] * fraction for c in totals} for name, fraction in fractions.items()}
    parts: dict[str, set[int]] = {name: set() for name in fractions}
    rarest_first = [category for category, _ in sorted(totals.items(), key=lambda item: (item[1], item[0]))]
    left = dict.fromkeys(order)
    for category in [*rarest_first, None]:
        for image_id in [i for i in left if category is None or category in classes_of[i]]:
            open_parts = [name for name in parts if room[name] > 0]
            name = max(open_parts, key=lambda n: (lacking[n].get(category, 0.0) if category else 0.0, room[n]))
            parts[name].add(image_id)
            room[name] -= 1
            for each in classes_of[image_id]:
                lacking[name][each] -= 1
            del left[image_id]
    return {name: frozenset(ids) for name, ids in parts.items()}


def _whole_numbers(total: int, fractions: Mapping[str, float]) -> dict[str, int]:
    """Largest remainders, so that the parts add up."""
    exact = {name: fraction * total for name, fraction in fractions.items()}
    counts = {name: math.floor(value) for name, value in exact.items()}
    by_remainder = sorted(exact, key=lambda name: exact[name] - counts[name], reverse=True)
    for name in by_remainder[: total - sum(counts.values())]:
        counts[name] += 1
    return counts


@dataclass(frozen=True, slots=True)
class Splitting:
    """How to split a data set: fractions by name, e.g. {"train": 0.8, "val": 0.2}."""

    shares: Mapping[str, float]
    seed: int = 0
    by_class: bool = False


def export_package(
    source: CocoSource,
    out: Path,
    kind: AnnotationFormat,
    options: CocoExportOptions,
    *,
    splitting: Splitting | None = None,
    image_root: Path | None = None,
    placing: Placing | None = None,
    on_image: Callable[[int], None] = lambda done: None,
) -> list[WriteReport]:
    """Write to `out`, with `splitting` as a folder with one set per part. Returns one report per set with its `path`
    and `verification`.

    With `placing` the image files are written, too: to `images/` in a folder, or beside a single file. Raises
    FormatError if something cannot be written; sets written before stay.
    """
    places = _places(source, out, kind, options, splitting)
    reports = []
    done = 0
    for place, part in places:
        report = kind.write_verified(part, place, options)
        if placing is not None and image_root is not None:
            folder = _image_folder(place, out, kind, is_split=splitting is not None)
            taken = list(filter(options.takes_image, part.images()))
            for image in taken:
                place_image(image, image_root, folder, placing)
                done += 1
                on_image(done)
            report = _with_findings(report, check_placed(taken, folder))
        reports.append(report)
    if splitting is not None and kind.join_parts is not None:
        kind.join_parts(source, out, [place.name for place, _ in places])
    return reports


def require_suffix(out: Path, kind: AnnotationFormat) -> None:
    """Raises FormatError for a file whose ending suggests something else, such as COCO in a `.zip`."""
    suffix = out.suffix.lower()
    packed = (".zip", ".tar", ".gz", ".tgz", ".7z")
    others = {known.suffix for known in FORMATS if known.suffix} - {kind.suffix} | {*packed, ".yaml", ".txt", ".csv"}
    if suffix not in others or is_stream(out):
        return
    if suffix in packed:
        raise FormatError(
            "cannot export to an archive", path=out, hint="export to a file or folder and pack it afterwards"
        )
    if kind.is_folder and not out.is_dir():
        raise FormatError(f"{kind.title} is a folder, but this is a file name", path=out)
    if not kind.is_folder:
        raise FormatError(f"{kind.title} is a {kind.suffix} file", path=out, hint=f"use {out.stem}{kind.suffix}")


def require_as_meant(reports: Sequence[WriteReport]) -> None:
    """Raises FormatError if verification found that a file differs from what was to be written."""
    for report in reports:
        findings = joined([report.verification] if report.verification is not None else []).findings
        if findings:
            hint = f"{len(findings)} such findings in total" if findings[1:] else None
            raise FormatError(f"written, but {findings[0].message}", path=report.path, hint=hint)


def _with_findings(report: WriteReport, found: Iterable[Finding]) -> WriteReport:
    assert report.verification is not None  # just written and verified
    more = Verification(0, 0, findings=tuple(found))
    return replace(report, verification=joined([report.verification, more]))


def _places(
    source: CocoSource, out: Path, kind: AnnotationFormat, options: CocoExportOptions, splitting: Splitting | None
) -> list[tuple[Path, CocoSource]]:
    if splitting is None:
        return [(out, source)]
    taken = {image.id for image in source.images() if options.takes_image(image)}
    classes = {image_id: found for image_id, found in classes_by_image(source).items() if image_id in taken}
    parts = split(classes, splitting.shares, seed=splitting.seed, by_class=splitting.by_class)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FormatError(f"cannot create the folder: {error.strerror or error}", path=out) from error
    return [
        (out / name if kind.is_folder else out / f"{name}{kind.suffix}", Subset(source, ids))
        for name, ids in parts.items()
    ]


def _image_folder(place: Path, out: Path, kind: AnnotationFormat, *, is_split: bool) -> Path:
    """Where readers of the format look for images, and what image names are relative to."""
    base = place if kind.is_folder else out if is_split else out.parent
    return base / kind.image_folder


def parse_shares(text: str) -> dict[str, float]:
    """{"train": 80.0, "val": 20.0} from "train=80,val=20". Raises FormatError for anything else."""
    shares: dict[str, float] = {}
    for entry in text.split(","):
        name, _, share = entry.partition("=")
        try:
            shares[name.strip()] = float(share)
        except ValueError:
            shares[name.strip()] = -1
    if min(shares.values()) < 0 or not sum(shares.values()) > 0 or not all(name.isidentifier() for name in shares):
        raise FormatError(f"expected shares such as train=80,val=20, got {text!r}")
    return shares
