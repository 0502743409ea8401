"""Checks a project, writes it out, reads it again."""

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
"""{path: {"mark": of the file as it was written, "is_agreed": whether it may be replaced unasked}}."""


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What goes where. `shares` such as "train=80,val=20", empty for one set."""

    path: Path
    options: CocoExportOptions
    profile: str = "generic"
    format_name: str = "coco"
    shares: str = ""
    by_class: bool = False
    """Spread rare classes evenly over the parts."""
    placing: Placing | None = None
    may_replace: bool = False
    """The user knows what is there and wants it replaced."""
    is_forced: bool = False
    """Write even if the check has found something that a reader will refuse or misread."""


@dataclass(frozen=True, slots=True)
class ExportOutcome:
    """`findings` of the check where nothing was written, else of the second look at the file."""

    request: ExportRequest
    is_written: bool
    findings: tuple[Finding, ...] = ()
    image_count: int = 0
    instance_count: int = 0
    losses: tuple[str, ...] = ()
    verified: str = ""
    """What reading the files again has shown, for people."""
    in_the_way: str = ""
    """What the user has at the place, where it was not written for that."""
    is_own: bool = False
    """What is in the way is the project's own earlier export, as it was written."""


def export(project: "Project", request: ExportRequest, monitor: Monitor = SILENT) -> ExportOutcome:
    """All of one moment of the project. Raises FormatError and ProjectError; nothing half-written stays."""
    if not request.may_replace and (known := what_is_there(request.path)) is not None:
        own = _places(project).get(str(request.path), {})
        is_own = bool(mark := mark_of(request.path)) and own.get("mark") == mark
        if not (is_own and own.get("is_agreed")):
            return ExportOutcome(request, is_written=False, in_the_way=known, is_own=is_own)
    outcome = _export(project, request, monitor)
    if outcome.is_written and not project.is_read_only:
        _remember(project, request)
    return outcome


def _places(project: "Project") -> dict[str, dict[str, Any]]:
    """As `PLACES_SETTING` says, without what else someone has put there."""
    stored = project.setting(PLACES_SETTING)
    pairs = stored.items() if isinstance(stored, dict) else ()
    return {path: known for path, known in pairs if isinstance(known, dict)}


def _remember(project: "Project", request: ExportRequest) -> None:
    """An own export that the user has once said may be replaced is replaced from then on, unless it was changed."""
    places = _places(project)
    was_agreed = places.get(str(request.path), {}).get("is_agreed", False)
    mark = {"mark": mark_of(request.path), "is_agreed": was_agreed or request.may_replace}
    with suppress(ProjectError):  # asking once more is no harm
        project.set_setting(PLACES_SETTING, {**places, str(request.path): mark})


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
    """Written and read again. What is damaged is left out: `ProjectSnapshot.left_out` names it.

    An imported annotation that nobody touched is passed on as it came, unread. So where reading the file again fails,
    each is looked at and the file written once more: a file of a million would else take twice as long each time.
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
    """What was left out because it is damaged, as one sentence; nothing where all is well."""
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
