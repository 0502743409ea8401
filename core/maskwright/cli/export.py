"""`maskwright export`: a project's annotations as a COCO file, or in another format."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from maskwright.cli import exit_codes
from maskwright.cli.options import AsJson, DryRun, Force, ProjectArgument
from maskwright.cli.output import print_json, progress_bar, reports_errors, require_two_outputs, results_beside
from maskwright.cli.written import report_as_json, show_reports
from maskwright.formats.atomic import require_nothing_there, written_place
from maskwright.formats.coco import CocoExportOptions
from maskwright.formats.coco.options import PROFILES, CocoExportReport, Profile, profile_named
from maskwright.formats.coco.records import export_results
from maskwright.formats.package import Splitting, export_package, parse_shares, require_as_meant, require_suffix
from maskwright.formats.registry import FORMATS, AnnotationFormat, coco_losses, format_named
from maskwright.formats.selection import WriteReport
from maskwright.formats.verification import Verification
from maskwright.operations.exporting import damage_left_out, write_coco
from maskwright.project import Project, snapshot
from maskwright.words import count_of

_COCO = ("coco", "coco-folder")


def chosen_format(profile: str, format_name: str | None) -> tuple[Profile, AnnotationFormat]:
    """The profile and format to use; the format defaults to the profile's. Raises BadParameter if they do not match."""
    reader = profile_named(profile)
    if format_name is None:
        return reader, format_named(reader.format_name)
    kind = format_named(format_name)
    fits = kind.name == reader.format_name or {kind.name, reader.format_name} <= set(_COCO)
    if reader.name != "generic" and not fits and not kind.name.startswith(reader.format_name):
        wanted = format_named(reader.format_name).title
        raise typer.BadParameter(f"{reader.title} reads {wanted}, not {kind.title}; leave out --profile or --format")
    return reader, kind


def require_fitting(reader: Profile, kind: AnnotationFormat, given: dict[str, Any]) -> None:
    """`given`: options by name, None or False if not given. Raises BadParameter, naming the two that conflict."""
    used = {name for name, value in given.items() if value not in (None, False)}
    for name in sorted(used & {"masks", "holes", "provenance"}):
        if kind.name not in _COCO:
            raise typer.BadParameter(f"--{name} works only for COCO files, not for {kind.title}")
        fixed = {"masks": reader.changes.get("masks"), "holes": reader.changes.get("holes")}.get(name)
        if fixed is not None and fixed != given[name]:
            raise typer.BadParameter(f"--profile {reader.name} means --{name} {fixed}, not {given[name]}")
    if given["masks"] == "polygons" and "rle" in (given["holes"], reader.changes.get("holes")):
        source = "--holes rle" if given["holes"] else f"--profile {reader.name}, which implies it"
        raise typer.BadParameter(f"--masks polygons has no run lengths; leave out {source}")
    if "detections" in used and (others := used & {"split", "images", "format", "masks", "holes", "provenance"}):
        raise typer.BadParameter(f"--detections is one results list; leave out --{sorted(others)[0]}")
    if "by_class" in used and "split" not in used:
        raise typer.BadParameter("--by-class needs --split")


def require_place(out: Path, kind: AnnotationFormat, *, is_split: bool) -> None:
    """Raises BadParameter or FormatError if the name of the output suggests another format."""
    if is_split and out.suffix.lower() in (".json", ".xml", ".zip"):
        raise typer.BadParameter(f"--split writes a folder, but {out.name} is a file name")
    if not is_split:
        require_suffix(out, kind)


def profiles_help() -> str:
    """One line per profile for the help text."""
    return "; ".join(f"{profile.name}: {_says(profile)}" for profile in PROFILES)


def _says(profile: Profile) -> str:
    if profile.format_name != "coco":
        return format_named(profile.format_name).title
    changes = [f"{name} {value}" for name, value in profile.changes.items() if name in ("masks", "holes")]
    return ", ".join(changes) or "as it is"


_FORMATS = ", ".join(sorted(known.name for known in FORMATS))


@reports_errors
def export(
    project: ProjectArgument,
    out: Annotated[Path, typer.Option("--out", "-o", help="The file or folder to write; - for standard output.")],
    proposals: Annotated[bool, typer.Option(help="Also write proposals that nobody has reviewed.")] = False,
    unreviewed: Annotated[
        bool, typer.Option(help="Also list images that nobody has looked at, without annotations.")
    ] = False,
    min_score: Annotated[float, typer.Option(min=0, max=1, help="Leave out proposals below this score.")] = 0.0,
    masks: Annotated[
        Literal["as-is", "polygons", "rle"] | None,
        typer.Option(help="COCO: all objects as polygons, all as compressed run lengths, or unchanged (default)."),
    ] = None,
    holes: Annotated[
        Literal["keyhole", "rle"] | None,
        typer.Option(help="COCO: objects with holes as one ring with a bridge (default) or as run lengths."),
    ] = None,
    provenance: Annotated[
        bool | None,
        typer.Option(
            help="State, score, model and thresholds of each object as attributes; --no-provenance also removes those "
            "from an imported file."
        ),
    ] = None,
    classes: Annotated[
        Literal["all", "used"], typer.Option(help="The class table: all classes of the project, or only those used.")
    ] = "all",
    format_name: Annotated[str | None, typer.Option("--format", help=f"One of: {_FORMATS}.")] = None,
    profile: Annotated[str, typer.Option(help=f"The program that will read the file. {profiles_help()}.")] = "generic",
    split: Annotated[str | None, typer.Option(help="Parts such as train=80,val=20; --out is then a folder.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same parts.")] = 0,
    by_class: Annotated[bool, typer.Option(help="Spread rare classes evenly over the parts.")] = False,
    images: Annotated[
        Literal["copy", "link", "upright"] | None,
        typer.Option(help="Also write the image files; upright: rotated by their EXIF orientation."),
    ] = None,
    detections: Annotated[bool, typer.Option(help="Write a COCO results list: proposals with scores.")] = False,
    force: Force = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> int:
    """Write a project's annotations: what a user accepted, corrected or drew."""
    require_two_outputs(out, as_json=as_json)
    reader, kind = chosen_format(profile, format_name)
    given = {"masks": masks, "holes": holes, "provenance": provenance, "split": split, "images": images}
    require_fitting(reader, kind, {**given, "format": format_name, "detections": detections, "by_class": by_class})
    require_place(out, kind, is_split=split is not None)
    require_nothing_there(out, may_replace=force or dry_run)
    options = reader.applied(
        CocoExportOptions(
            include_proposals=proposals,
            include_unreviewed=unreviewed,
            min_score=min_score,
            masks=masks or "as-is",
            holes=holes or "keyhole",
            include_provenance=provenance,
            classes=classes,
        )
    )
    if detections:
        return _export_results(project, out, min_score, dry_run=dry_run, as_json=as_json)
    if kind.name == "coco" and split is None and images is None:
        report, verification, damage = _export_coco(project, out, options, dry_run=dry_run)
        losses = (*reader.losses, *coco_losses(replace(report, left_out=())), *damage)
        code = _show(report, verification, losses, dry_run=dry_run, as_json=as_json)
        return exit_codes.SOME_FAILED if damage else code
    splitting = Splitting(parse_shares(split), seed, by_class) if split is not None else None
    with (
        Project.open(project, read_only=True) as opened,
        snapshot(opened) as source,
        progress_bar("export", None) as show,
        written_place(out, is_trial=dry_run) as place,
    ):
        source.leave_out_all_damaged()
        source.list_classes_for(options)
        reports = export_package(
            source, place, kind, options, splitting=splitting, image_root=source.image_root,
            placing=None if dry_run else images, on_image=lambda done: show(done, ""),
        )  # fmt: skip
        damage = damage_left_out(source)
    reports = [replace(each, path=out / each.path.relative_to(place)) for each in reports]
    losses = tuple(dict.fromkeys((*reader.losses, *(loss for report in reports for loss in report.losses), *damage)))
    if as_json:
        sets = [report_as_json(report) for report in reports]
        print_json({"sets": sets, "losses": list(losses), "notes": list(reader.notes)})
    else:
        show_reports(reports, losses, out, is_trial=dry_run)
    require_as_meant(reports)
    return exit_codes.SOME_FAILED if damage else exit_codes.OK


def _export_coco(
    project: Path, out: Path, options: CocoExportOptions, *, dry_run: bool
) -> tuple[CocoExportReport, Verification, tuple[str, ...]]:
    with (
        Project.open(project, read_only=True) as opened,
        snapshot(opened) as source,
        progress_bar("export", None) as show,
        written_place(out, is_trial=dry_run) as place,
    ):
        source.list_classes_for(options)
        report, verification = write_coco(source, place, options, on_image=lambda done: show(done, ""))
        return replace(report, path=out), verification, damage_left_out(source)


def _export_results(project: Path, out: Path, min_score: float, *, dry_run: bool, as_json: bool) -> int:
    with (
        Project.open(project, read_only=True) as opened,
        snapshot(opened) as source,
        written_place(out, is_trial=dry_run) as place,
    ):
        count = export_results(source, place, takes=lambda each: each.score is not None and each.score >= min_score)
        damage = damage_left_out(source)
    if as_json:
        print_json({"path": str(out), "instances": count, "losses": list(damage)})
    else:
        results_beside(out).print("\n".join((f"{count_of(count, 'detection')} -> {out}", *damage)))
    return exit_codes.SOME_FAILED if damage else exit_codes.OK


def _show(
    report: CocoExportReport, verification: Verification, losses: tuple[str, ...], *, dry_run: bool, as_json: bool
) -> int:
    written = WriteReport(report.path, report.image_count, report.instance_count, losses, verification)
    if as_json:
        left_out = [
            {"image_id": item.image_id, "instance_id": item.instance_id, "reason": item.reason}
            for item in report.left_out
        ]
        rest = {"unreviewed": report.unreviewed_count, "losses": list(losses), "left_out": left_out}
        print_json(report_as_json(written) | rest)
    else:
        show_reports([written], losses, report.path, is_trial=dry_run)
        console = results_beside(report.path)
        if report.unreviewed_count:
            images = count_of(report.unreviewed_count, "image")
            console.print(f"{images} left out: nobody has reviewed them (--unreviewed, --proposals)")
        if report.left_out:
            console.print(f"{count_of(len(report.left_out), 'object')} left out: no pixel inside the image")
    require_as_meant([written])
    return exit_codes.OK
