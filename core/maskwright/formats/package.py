"""A whole export: one set or several parts, in any format, with or without the images."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from maskwright.errors import FormatError
from maskwright.formats.atomic import is_stream
from maskwright.formats.coco.options import CocoExportOptions, CocoSource
from maskwright.formats.findings import Finding
from maskwright.formats.image_files import Placing, place_image
from maskwright.formats.registry import FORMATS, Format
from maskwright.formats.selection import WriteReport
from maskwright.formats.splits import Subset, classes_by_image, split
from maskwright.formats.verification import Verification, check_placed, joined


@dataclass(frozen=True, slots=True)
class Splitting:
    """How to cut a data set: shares by name, e.g. {"train": 0.8, "val": 0.2}."""

    shares: Mapping[str, float]
    seed: int = 0
    by_class: bool = False


def export_package(
    source: CocoSource,
    out: Path,
    kind: Format,
    options: CocoExportOptions,
    *,
    splitting: Splitting | None = None,
    image_root: Path | None = None,
    placing: Placing | None = None,
    on_image: Callable[[int], None] = lambda done: None,
) -> list[WriteReport]:
    """Write `out`; with `splitting` a folder with one set per part. Returns one report per set, `path` saying where
    and `verification` what reading it again has shown.

    With `placing` the image files go along: into `images/` of a folder, or beside a single file. Raises FormatError
    when something cannot be written; sets written before stay.
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


def require_suffix(out: Path, kind: Format) -> None:
    """Raises FormatError for a file whose ending says that it is something else, such as COCO in a `.zip`."""
    suffix = out.suffix.lower()
    packed = (".zip", ".tar", ".gz", ".tgz", ".7z")
    others = {known.suffix for known in FORMATS if known.suffix} - {kind.suffix} | {*packed, ".yaml", ".txt", ".csv"}
    if suffix not in others or is_stream(out):
        return
    if suffix in packed:
        raise FormatError("exports are not packed", path=out, hint="name a file or folder and pack it afterwards")
    if kind.is_folder and not out.is_dir():
        raise FormatError(f"{kind.title} is a folder, and this is the name of a file", path=out)
    if not kind.is_folder:
        raise FormatError(f"{kind.title} is a {kind.suffix} file", path=out, hint=f"name it {out.stem}{kind.suffix}")


def require_as_meant(reports: Sequence[WriteReport]) -> None:
    """Raises FormatError where a file does not hold what was to be written."""
    for report in reports:
        findings = joined([report.verification] if report.verification is not None else []).findings
        if findings:
            hint = f"{len(findings)} such findings in all" if findings[1:] else None
            raise FormatError(f"it was written, but {findings[0].message}", path=report.path, hint=hint)


def _with_findings(report: WriteReport, found: Iterable[Finding]) -> WriteReport:
    assert report.verification is not None  # it was written and verified just before
    more = Verification(0, 0, findings=tuple(found))
    return replace(report, verification=joined([report.verification, more]))


def _places(
    source: CocoSource, out: Path, kind: Format, options: CocoExportOptions, splitting: Splitting | None
) -> list[tuple[Path, CocoSource]]:
    if splitting is None:
        return [(out, source)]
    taken = {image.id for image in source.images() if options.takes_image(image)}
    classes = {image_id: found for image_id, found in classes_by_image(source).items() if image_id in taken}
    parts = split(classes, splitting.shares, seed=splitting.seed, by_class=splitting.by_class)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FormatError(f"cannot make the folder: {error.strerror or error}", path=out) from error
    return [
        (out / name if kind.is_folder else out / f"{name}{kind.suffix}", Subset(source, ids))
        for name, ids in parts.items()
    ]


def _image_folder(place: Path, out: Path, kind: Format, *, is_split: bool) -> Path:
    """Where the readers of the format look, and from where the names of images count."""
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
