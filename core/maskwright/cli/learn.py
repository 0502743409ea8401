"""`maskwright learn`: train a model of the user's own classes on what was corrected in a project."""

import shlex
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Annotated, Any

import typer
from rich.table import Table

from maskwright.cli import exit_codes
from maskwright.cli.options import ProjectArgument
from maskwright.cli.output import messages, print_failures, print_json, progress_bar, reports_errors, results
from maskwright.errors import MaskwrightError
from maskwright.learning.events import LearnProgress
from maskwright.learning.gate import Figures, classes_left_to
from maskwright.learning.learn import LearnOutcome, interrupted_round, round_elsewhere
from maskwright.learning.learn import learn as learn_round
from maskwright.learning.plan import LearningPlan, LearnOptions, learning_plan
from maskwright.learning.process import LearningError
from maskwright.learning.requirements import missing_requirement
from maskwright.learning.rounds import RoundRecord
from maskwright.project import Project
from maskwright.words import count_of

_RUN = "How it runs"


@reports_errors
def learn(
    context: typer.Context,
    project: ProjectArgument,
    minutes: Annotated[
        float,
        typer.Option(min=0.1, help="Of a processor core; up to ten times as long where other work keeps it busy."),
    ] = 5.0,
    classes: Annotated[
        str | None,
        typer.Option(help="Only these classes, by name or id, separated by commas; everything else is background."),
    ] = None,
    base: Annotated[str, typer.Option(help="What it knows beforehand: auto, general (pictures) or nuclei.")] = "auto",
    to: Annotated[str | None, typer.Option(help="Name of the model. Default: PROJECT-round-NUMBER.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only report what it would use and whether another round is worth it.")
    ] = False,
    resume: Annotated[bool, typer.Option(help="Continue a round that was interrupted.", rich_help_panel=_RUN)] = False,
    steps: Annotated[
        int | None,
        typer.Option(
            min=1, help="Number of steps instead of minutes: gives the same model each time.", rich_help_panel=_RUN
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Random seed.", rich_help_panel=_RUN)] = 1,
    threads: Annotated[int, typer.Option(min=1, help="Processor threads.", rich_help_panel=_RUN)] = 1,
    memory: Annotated[float, typer.Option(min=1.5, help="Gigabytes it may use.", rich_help_panel=_RUN)] = 2.5,
    device: Annotated[str, typer.Option(help="auto, or a PyTorch device name.", rich_help_panel=_RUN)] = "auto",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON on standard output.", rich_help_panel=_RUN)
    ] = False,
) -> int:
    """Learn from accepted, edited and drawn objects on images marked as done.

    About one done image in five is held out for evaluation; the new model is installed unless the old one is better on
    those images. Ctrl+C ends the round early and keeps the best model so far.
    """
    if resume:
        _require_no_other_options(context)
    options = LearnOptions(
        minutes=minutes,
        classes=tuple(name.strip() for name in classes.split(",")) if classes else (),
        base=base,
        to=to,
        steps=steps,
        seed=seed,
        threads=threads,
        memory_gb=memory,
        device=device,
    )
    with Project.open(project, read_only=True) as opened:
        plan = learning_plan(opened, options)
        if dry_run:
            running = round_elsewhere(opened)
            plan = replace(plan, obstacle=running) if running is not None else plan
            _print_plan(plan, interrupted_round(opened), as_json=as_json)
            return exit_codes.OK
        if not as_json and not resume:
            _print_notes(plan)
        with _told_how_to_go_on(opened), _stop_on_interrupt() as stop, _progress() as show:
            outcome = learn_round(opened, options, on_progress=show, stop=stop, resume=resume)
        images, path = opened.image_root, opened.path
    if as_json:
        print_json(outcome_as_json(outcome))
    else:
        _print_outcome(outcome)
        if outcome.is_installed:
            called = shlex.join(
                [
                    *("prelabel", str(images), "--model", outcome.record.model, "--project", str(path), "--untouched"),
                    *("--refine", "assist"),
                    *_beside(outcome.record),
                ]
            )
            results().print(f"-> maskwright {called}", soft_wrap=True)
    return exit_codes.SOME_FAILED if outcome.skipped else exit_codes.OK


def _require_no_other_options(context: typer.Context) -> None:
    """Raises MaskwrightError for options that a continued round would ignore."""
    own = {"project", "resume", "as_json", "dry_run", "is_quiet", "wants_schema"}
    sources = ((name, context.get_parameter_source(name)) for name in context.params if name not in own)
    others = ", ".join(f"--{name}" for name, source in sources if source is not None and source.name == "COMMANDLINE")
    if others:
        raise MaskwrightError(
            "--resume continues a round as it was begun", hint=f"leave out {others}, or begin a new round"
        )


def _beside(record: RoundRecord) -> list[str]:
    """How to combine the new model with one of other classes."""
    if record.old_is_own or record.old_model is None:
        return []
    left = classes_left_to(record.old_figures, record.figures)
    kept = [name for id_, name in zip(record.category_ids, record.classes, strict=False) if id_ not in left]
    return ["--extend", *(["--classes", ",".join(kept)] if left and kept else [])]


@contextmanager
def _told_how_to_go_on(project: Project) -> Iterator[None]:
    """Print how to continue after a round that failed and left something behind."""
    try:
        yield
    except LearningError:
        if interrupted_round(project) is not None:
            messages().print("--resume continues this round")
        raise


@contextmanager
def _stop_on_interrupt() -> Iterator[threading.Event]:
    """Ctrl+C sets the event; a second one interrupts as usual."""
    import signal

    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    usual = signal.getsignal(signal.SIGINT)

    def ask(*_: object) -> None:
        stop.set()
        signal.signal(signal.SIGINT, usual)
        messages().print("stopping: the best model so far is kept")

    signal.signal(signal.SIGINT, ask)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, usual)


@contextmanager
def _progress() -> Iterator[Callable[[LearnProgress], None]]:
    with progress_bar("learn", 100) as show:

        def told(progress: LearnProgress) -> None:
            left = f", {progress.seconds_left:.0f} s left" if progress.seconds_left is not None else ""
            found = f", F1 {progress.f1:.2f}" if progress.f1 is not None else ""
            busy = ", other programs take most of the processor" if progress.is_starved else ""
            show(round(100 * progress.share), f"{progress.phase}, step {progress.step}{found}{left}{busy}")

        yield told


def _print_notes(plan: LearningPlan) -> None:
    for note in _noted(plan):
        messages().print(note)


def _noted(plan: LearningPlan) -> tuple[str, ...]:
    return (plan.few, *plan.notes) if plan.few is not None else plan.notes


def plan_as_json(plan: LearningPlan, interrupted: int | None) -> dict[str, Any]:
    """The JSON that `learn --dry-run` prints."""
    missing = missing_requirement()
    return {
        "name": plan.name,
        "round": plan.number,
        "can_learn": plan.obstacle is None and missing is None,
        "obstacle": plan.obstacle or (missing.reason if missing is not None else None),
        "install": missing.install if missing is not None else None,
        "training_images": len(plan.training),
        "partly_done_images": plan.partly_done,
        "empty_images": plan.empty,
        "held_out_images": len(plan.held_out),
        "objects": plan.objects,
        "base": plan.base,
        "input_size": plan.recipe.input_size,
        "minutes": plan.minutes,
        "new_images": plan.new_images,
        "next_round_after": plan.next_round_after,
        "old_model": plan.old.model if plan.old is not None else None,
        "interrupted_round": interrupted,
        "notes": list(_noted(plan)),
    }


def _print_plan(plan: LearningPlan, interrupted: int | None, *, as_json: bool) -> None:
    if as_json:
        print_json(plan_as_json(plan, interrupted))
        return
    table = Table("class", "objects", box=None)
    for name, count in plan.objects.items():
        table.add_row(name, str(count))
    results().print(table)
    partly = f", {plan.partly_done} of them partly done" if plan.partly_done else ""
    empty = f", {plan.empty} without objects" if plan.empty else ""
    results().print(
        f"{plan.name}: {count_of(plan.object_count, 'object')} on {count_of(len(plan.training), 'image')} "
        f"to learn from{partly}{empty}; "
        f"{len(plan.held_out)} held out for evaluation; about {plan.minutes:g} minutes"
    )
    for note in (*_noted(plan), *_advice(plan, interrupted)):
        results().print(note)


def _advice(plan: LearningPlan, interrupted: int | None) -> Iterator[str]:
    missing = missing_requirement()
    if plan.obstacle is not None:
        yield f"cannot learn now: {plan.obstacle}"
    if missing is not None:
        yield f"{missing.reason}:\n{missing.install}\n{missing.offline}"
    if interrupted is not None:
        yield f"round {interrupted} was interrupted: --resume continues it"
    if plan.old is None or plan.old.figures is None:
        return
    if plan.next_round_after is None:
        yield f"{plan.old.model} already finds {plan.old.figures.recall:.0%}: more images will hardly help"
    elif plan.new_images < plan.next_round_after:
        yield f"{plan.new_images} images are new; another round is worth it from {plan.next_round_after} images"
    else:
        yield f"{plan.new_images} images are new: another round is worth it"


def outcome_as_json(outcome: LearnOutcome) -> dict[str, Any]:
    """The JSON that `learn` prints."""
    record = outcome.record
    return {
        **asdict(record),
        "model_path": str(outcome.model_path) if outcome.model_path is not None else None,
        "was_stopped": outcome.was_stopped,
        "score": outcome.score,
        "device": outcome.device,
        "peak_mb": outcome.peak_mb,
        "skipped": [{"file_name": name, "reason": reason} for name, reason in outcome.skipped],
    }


def _print_outcome(outcome: LearnOutcome) -> None:
    record = outcome.record
    table = Table("model", "finds", "false", "F1", "AP50", "AP", box=None)
    for name, figures in ((record.model, record.figures), (record.old_model, record.old_figures)):
        if name is not None and figures is not None:
            table.add_row(name, *_cells(figures))
    if table.row_count:
        results().print(table)
    new, old = record.figures, record.old_figures
    if new is not None and old is not None and old.images != new.images:
        there = count_of(old.images, "held-out image")
        results().print(f"{record.old_model} is evaluated on {there}; it has learned from the others")
    print_failures(outcome.skipped)
    early = "stopped early; " if outcome.was_stopped else ""
    if record.was_starved and not outcome.was_stopped:
        asked = f"{record.minutes:g} minutes"
        results().print(f"the computer was busy: learning got {record.seconds:.0f} s of {asked} of processor time")
    verb = "installed" if record.is_installed else "not installed"
    results().print(f"{early}{verb}: {record.reason}")


def _cells(figures: Figures) -> tuple[str, ...]:
    return (
        f"{figures.recall:.0%}",
        f"{1 - figures.precision:.0%}",
        *(f"{value:.2f}" for value in (figures.f1, figures.ap50, figures.ap)),
    )
