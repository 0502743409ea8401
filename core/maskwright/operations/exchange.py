"""Import, export, convert, check and evaluate: the work of the commands, as functions for scripts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from maskwright.errors import InputError
from maskwright.formats.coco.options import CocoExportOptions, profile_named
from maskwright.formats.data_set import Problem
from maskwright.formats.gate import Finding, fix_all
from maskwright.formats.gate import check as look_over
from maskwright.formats.package import Splitting, export_package, require_as_meant, require_suffix
from maskwright.formats.registry import format_named, format_of
from maskwright.formats.selection import WriteReport
from maskwright.monitor import SILENT, Monitor
from maskwright.project.import_values import ImportOptions, ImportResult, require_whole
from maskwright.project.snapshot import snapshot
from maskwright.project.store import Project
from maskwright.words import count_of

if TYPE_CHECKING:
    from maskwright.evaluation.figures import EvaluationReport
    from maskwright.inference.model import Model


@dataclass(frozen=True, slots=True)
class Imported:
    """What was imported, and what of the file was skipped or changed."""

    result: ImportResult
    problems: tuple[Problem, ...]
    missing_count: int = 0
    """Images of the project that are missing from its folder."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What was skipped, renumbered or is missing, one sentence each."""
        notes = [str(problem) for problem in self.problems]
        if self.result.renumbered_count:
            notes.append(f"New ids, since theirs were taken: {count_of(self.result.renumbered_count, 'object')}.")
        resized = self.result.resized
        notes += [f"{name} was left out: its size differs from the annotations'." for name in resized]
        if self.missing_count:
            notes.append(f"Not in the image folder: {count_of(self.missing_count, 'image')}.")
        return tuple(notes)


@dataclass(frozen=True, slots=True)
class Converted:
    """What was written, and what of the source was skipped or changed."""

    report: WriteReport
    problems: tuple[Problem, ...]


def import_annotations(
    project: Project,
    source: str | Path,
    *,
    format: str | None = None,
    strict: bool = False,
    dry_run: bool = False,
    again: bool = False,
    may_lack_images: bool = False,
    class_names: Mapping[str, str | None] | None = None,
    image_names: Mapping[str, str] | None = None,
    leave_out_missing: bool = False,
    monitor: Monitor = SILENT,
) -> Imported:
    """Import a file or folder of any known format; objects that are already there are updated.

    format: a name as listed by `maskwright convert --help`; None to detect it. strict: import nothing unless everything
    can be imported. dry_run: only report what would happen. again: add objects even if the project has them.
    may_lack_images: even if none of the images is in the image folder. class_names: {class of the file: its name here,
    or None to leave it out with its objects}. image_names: {image of the file that is not in the image folder: the file
    to use for it}; it is left out if the sizes differ. leave_out_missing: skip other images that are not in the image
    folder, which are otherwise listed as missing. Raises FormatError (IncompleteError if strict), ProjectError.
    """
    options = ImportOptions(
        strict, dry_run, again, may_lack_images, class_names or {}, image_names or {}, leave_out_missing
    )
    monitor.report(0, None, f"Importing {Path(source).name}")
    result, problems = project.imports.add_file(Path(source), format_name=format, options=options)
    return Imported(result, tuple(problems), len(project.image_folder.missing()))


def export_annotations(
    project: Project,
    out: str | Path,
    *,
    format: str | None = None,
    profile: str = "generic",
    masks: Literal["as-is", "polygons", "rle"] = "as-is",
    classes: Literal["all", "used"] = "all",
    proposals: bool = False,
    unreviewed: bool = False,
    min_score: float = 0.0,
    provenance: bool | None = None,
    split: Mapping[str, float] | None = None,
    seed: int = 0,
    by_class: bool = False,
    images: Literal["copy", "link", "upright"] | None = None,
) -> tuple[WriteReport, ...]:
    """Write a project's annotations completely or not at all, read them again and compare mask by mask.

    format: None for the profile's own. split: relative sizes by name, such as {"train": 80, "val": 20}; `out` is then a
    folder. images: also write the image files where the written names point. The rest is as in `maskwright export
    --help`. Returns one report per part. Raises FormatError, also if verification finds a difference.
    """
    _require_one(masks, ("as-is", "polygons", "rle"), "masks")
    _require_one(classes, ("all", "used"), "classes")
    _require_one(images, (None, "copy", "link", "upright"), "images")
    if split is not None and (not split or min(split.values()) < 0 or not sum(split.values()) > 0):
        raise InputError(f'expected shares such as {{"train": 80, "val": 20}}, got {dict(split)}')
    reader, out = profile_named(profile), Path(out)
    kind = format_named(format or reader.format_name)
    if split is None:
        require_suffix(out, kind)
    options = reader.applied(
        CocoExportOptions(
            include_proposals=proposals, include_unreviewed=unreviewed, min_score=min_score, masks=masks,
            include_provenance=provenance, classes=classes,
        )
    )  # fmt: skip
    splitting = Splitting(split, seed, by_class) if split is not None else None
    with snapshot(project) as source:
        source.list_classes_for(options)
        reports = export_package(
            source, out, kind, options, splitting=splitting, image_root=project.image_root, placing=images
        )
    require_as_meant(reports)
    return tuple(replace(each, losses=tuple(dict.fromkeys((*reader.losses, *each.losses)))) for each in reports)


def convert(
    source: str | Path, out: str | Path, to: str, *, read_as: str | None = None, strict: bool = False
) -> Converted:
    """Write a file or folder of annotations in another format; images are not touched. Raises FormatError."""
    source, out, target = Path(source), Path(out), format_named(to)
    require_suffix(out, target)
    data = format_of(source, read_as).read(source)
    require_whole(data.problems, source, ImportOptions(is_strict=strict))
    report = target.write_verified(data, out, CocoExportOptions())
    require_as_meant([report])
    return Converted(report, tuple(data.problems))


def check(project: Project, *, fix: bool = False, proposals: bool = False) -> tuple[Finding, ...]:
    """What a reader of an export would refuse, misread or drop; `fix` first fixes what is safe."""
    options = CocoExportOptions(include_proposals=proposals)
    if fix:
        for image in filter(options.takes_image, list(project.images.all())):
            taken = [each for each in project.instances.of(image.id) if options.takes_instance(each)]
            project.instances.apply(image.id, fix_all(taken, image), label="Fix geometry")
    return tuple(look_over(project.source, options, image_root=project.image_root))


def evaluate(
    truth: str | Path,
    predictions: "str | Path | Project | Model",
    *,
    images: str | Path | None = None,
    score: float = 0.05,
) -> "EvaluationReport":
    """COCO's metrics (pycocotools) against a ground truth: for a COCO file, a project, or a model on `images`.

    Raises FormatError for anything that is not a ground truth, InputError for a model without an image folder.
    """
    from maskwright.evaluation import evaluate_model, evaluate_predictions, evaluate_project
    from maskwright.inference.model import Model

    if isinstance(predictions, Model):
        if images is None:
            raise InputError("a model needs images to evaluate; give their folder")
        return evaluate_model(predictions, Path(truth), Path(images), score=score)
    if isinstance(predictions, Project):
        return evaluate_project(predictions, Path(truth))
    return evaluate_predictions(Path(predictions), Path(truth))


def _require_one(value: object, known: Sequence[object], name: str) -> None:
    if value not in known:
        raise InputError(f"expected {name} to be one of {', '.join(map(repr, known))}, got {value!r}")
