"""Exports a project: checks it, writes it, and reads the result again."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maskwright.errors import FormatError, ProjectError
from maskwright.formats.atomic import mark_of, what_is_there
from maskwright.formats.coco import CocoExportOptions, export_coco
from maskwright.formats.coco.options import CocoExportReport, profile_named
from maskwright.formats.coco.verify import verified_coco
from maskwright.formats.gate import Finding, check
from maskwright.formats.image_files import Placing
from maskwright.formats.package import Splitting, export_package, parse_shares
from maskwright.formats.registry import format_named
from maskwright.formats.verification import Verification, joined
from maskwright.monitor import SILENT, Monitor
from maskwright.project.snapshot import snapshot
from maskwright.words import count_of

if TYPE_CHECKING:
    from maskwright.project.snapshot import ProjectSnapshot
    from maskwright.project.store import Project

PLACES_SETTING = "export.places"
"""{path: {"mark": of the file as written, "is_agreed": whether it may be replaced without asking, "scope": what it
holds besides what users worked on}}."""


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What to export where. `shares` such as "train=80,val=20", empty for one set."""

    path: Path
    options: CocoExportOptions
    profile: str = "generic"
    format_name: str = "coco"
    shares: str = ""
    by_class: bool = False
    """Spread rare classes evenly over the parts."""
    placing: Placing | None = None
    may_replace: bool = False
    """The user has agreed to replace what is there."""
    is_forced: bool = False
    """Write even if the check finds something that a reader would refuse or misread."""


@dataclass(frozen=True, slots=True)
class ExportOutcome:
    """`findings`: of the check if nothing was written, else of the verification."""

    request: ExportRequest
    is_written: bool
    findings: tuple[Finding, ...] = ()
    image_count: int = 0
    instance_count: int = 0
    losses: tuple[str, ...] = ()
    verified: str = ""
    """The result of the verification in words."""
    in_the_way: str = ""
    """What is already in the place, if it was not written for that reason."""
    is_own: bool = False
    """What is in the way is the project's own earlier export, unchanged."""


def export(project: "Project", request: ExportRequest, monitor: Monitor = SILENT) -> ExportOutcome:
    """Export from one snapshot of the project. Raises FormatError and ProjectError; no partial files are left."""
    if not request.may_replace and (known := what_is_there(request.path)) is not None:
        own = _places(project).get(str(request.path), {})
        is_own = bool(mark := mark_of(request.path)) and own.get("mark") == mark
        if not (is_own and own.get("is_agreed") and own.get("scope") == _scope(request)):
            return ExportOutcome(request, is_written=False, in_the_way=known, is_own=is_own)
    outcome = _export(project, request, monitor)
    if outcome.is_written and not project.is_read_only:
        _remember(project, request)
    return outcome


def _places(project: "Project") -> dict[str, dict[str, Any]]:
    """See `PLACES_SETTING`, without any invalid entries."""
    stored = project.setting(PLACES_SETTING)
    pairs = stored.items() if isinstance(stored, dict) else ()
    return {path: known for path, known in pairs if isinstance(known, dict)}


def _remember(project: "Project", request: ExportRequest) -> None:
    """Once the user has agreed to replace an export of ours, it is replaced without asking, unless it was changed or
    holds something else than what would replace it."""
    places = _places(project)
    was_agreed = places.get(str(request.path), {}).get("is_agreed", False)
    mark = {
        "mark": mark_of(request.path),
        "is_agreed": was_agreed or request.may_replace,
        "scope": _scope(request),
    }
    with suppress(ProjectError):  # asking once more does no harm
        project.set_setting(PLACES_SETTING, {**places, str(request.path): mark})


def _scope(request: ExportRequest) -> list[str]:
    """Without it, an export of all proposals would be replaced unasked by one of the few reviewed images."""
    options = request.options
    wanted = {"proposals": options.include_proposals, "unreviewed": options.include_unreviewed}
    return [name for name, is_included in wanted.items() if is_included]


def _export(project: "Project", request: ExportRequest, monitor: Monitor) -> ExportOutcome:
    options = profile_named(request.profile).applied(request.options)
    total = sum(project.images.state_counts().values())
    with snapshot(project) as source:
        source.list_classes_for(options)
        if not request.is_forced:
            found = look_over(source, options, total, monitor)
            if any(finding.is_error for finding in found):
                return ExportOutcome(request, is_written=False, findings=found)
        if request.format_name == "coco" and not request.shares and request.placing is None:
            return _write_coco(source, request, options, total, monitor)
        return _write_package(source, request, options, total, monitor)


def look_over(
    source: "ProjectSnapshot", options: CocoExportOptions, total: int, monitor: Monitor
) -> tuple[Finding, ...]:
    """What a reader of the export would refuse, misread or drop."""
    return tuple(
        check(
            source,
            options,
            image_root=source.image_root,
            on_image=lambda done: monitor.report(done, total, "Checking the annotations"),
        )
    )


def check_project(project: "Project", options: CocoExportOptions, monitor: Monitor = SILENT) -> tuple[Finding, ...]:
    """The findings of the check alone."""
    with snapshot(project) as source:
        return look_over(source, options, sum(project.images.state_counts().values()), monitor)


def write_coco(
    source: "ProjectSnapshot",
    path: Path,
    options: CocoExportOptions,
    *,
    on_image: Callable[[int], None] = lambda done: None,
    on_written: Callable[[], None] = lambda: None,
) -> tuple[CocoExportReport, Verification]:
    """Write the file and read it again. Damaged rows are left out: `ProjectSnapshot.left_out` names them.

    Untouched imported annotations are passed on unparsed. So only if reading the file again fails is each of them
    checked and the file written once more: for a million, checking always would double the time.
    """
    for is_last in (False, True):
        report = export_coco(source, path, options, on_image=on_image)
        on_written()
        try:
            result = verified_coco(path, source, options, report.instance_count)
        except FormatError:
            if is_last or not source.leave_out_all_damaged():
                raise
            continue
        if is_last or not result.findings or not source.leave_out_all_damaged():
            break
    return report, result


def damage_left_out(source: "ProjectSnapshot") -> tuple[str, ...]:
    """One sentence on what was left out because it is damaged; empty if nothing was."""
    if not (rows := source.left_out):
        return ()
    first = rows[0] if len(rows) == 1 else f"{rows[0]}, and {count_of(len(rows) - 1, 'more row')}"
    return (f"{first}: left out, kept unchanged in the project",)


def _write_coco(
    source: "ProjectSnapshot", request: ExportRequest, options: CocoExportOptions, total: int, monitor: Monitor
) -> ExportOutcome:
    report, result = write_coco(
        source, request.path, options,
        on_image=lambda done: monitor.report(done, total, "Writing the COCO file"),
        on_written=lambda: monitor.report(total, None, "Reading the file again"),
    )  # fmt: skip
    reasons = (item.reason for item in report.left_out[:1])
    losses = (*profile_named(request.profile).losses, *reasons, *damage_left_out(source))
    counts = (report.image_count, report.instance_count)
    return ExportOutcome(request, True, result.findings, *counts, losses, str(result))


def _write_package(
    source: "ProjectSnapshot", request: ExportRequest, options: CocoExportOptions, total: int, monitor: Monitor
) -> ExportOutcome:
    monitor.report(0, None, "Writing")
    source.leave_out_all_damaged()
    reports = export_package(
        source,
        request.path,
        format_named(request.format_name),
        options,
        splitting=Splitting(parse_shares(request.shares), by_class=request.by_class) if request.shares else None,
        image_root=source.image_root,
        placing=request.placing,
        on_image=lambda done: monitor.report(done, total, "Writing the image files"),
    )
    images = sum(report.image_count for report in reports)
    instances = sum(report.instance_count for report in reports)
    told = (*profile_named(request.profile).losses, *(x for r in reports for x in r.losses), *damage_left_out(source))
    losses = dict.fromkeys(told)
    result = joined([report.verification for report in reports if report.verification is not None])
    return ExportOutcome(request, True, result.findings, images, instances, tuple(losses), str(result))
