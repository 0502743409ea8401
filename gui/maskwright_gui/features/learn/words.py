"""The texts of the panel, made from plain values."""

from collections.abc import Mapping

from maskwright.learning.events import LearnProgress
from maskwright.learning.gate import Figures, classes_left_to
from maskwright.learning.learn import LearnOutcome
from maskwright.learning.plan import GOOD_OBJECTS, LearningPlan
from maskwright.learning.rounds import RoundRecord
from maskwright.learning.worth import RoundWorth
from maskwright_gui.workers.requests import duration_text

_FEW_OBJECTS = 20
"""With fewer objects on the held-out images, a percentage says little."""
_PHASES = {
    "starting": "Getting ready",
    "learning": "Learning",
    "judging": "Evaluating on the held-out images",
    "finishing": "Writing the model",
}


def counted(number: int, noun: str) -> str:
    """ "1 image", "1,200 images"."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def material_text(plan: LearningPlan) -> str:
    """The examples that a round would learn from."""
    held = f"; {counted(len(plan.held_out), 'more image')} held out for evaluation" if plan.held_out else ""
    partly = f" ({plan.partly_done} of them partly done)" if plan.partly_done else ""
    return f"{counted(plan.object_count, 'object')} on {counted(len(plan.training), 'image')}{partly}{held}"


def class_rows(objects: Mapping[str, int]) -> list[tuple[str, int]]:
    """(name, objects), classes with most objects first."""
    return sorted(objects.items(), key=lambda row: (-row[1], row[0]))


def class_count(count: int) -> str:
    """The objects of a class, and how many more it needs."""
    return f"{count:,}" + (f" ({GOOD_OBJECTS - count} more for reliable results)" if count < GOOD_OBJECTS else "")


def advice_text(plan: LearningPlan) -> str:
    """Whether another round is worth it; empty if nothing is known."""
    old = plan.old
    if old is None or old.figures is None:
        return ""
    if plan.next_round_after is None:
        return f"{old.model} already finds {old.figures.recall:.0%}: more images will hardly help."
    if plan.new_images < plan.next_round_after:
        wanted = counted(plan.next_round_after, "new image")
        return (
            f"{counted(plan.new_images, 'image')} are new since {old.model}; another round is worth it from {wanted}."
        )
    return f"{counted(plan.new_images, 'image')} are new since {old.model}: another round is worth it."


def button_text(plan: LearningPlan, minutes: float) -> str:
    """The text of the button that starts a round."""
    return f"Learn from {counted(len(plan.training), 'image')} (about {counted(round(minutes), 'minute')})"


def progress_text(progress: LearnProgress) -> str:
    """The phase, the time left and the best F1 so far."""
    left = f", about {_about(progress.seconds_left)} left" if progress.seconds_left is not None else ""
    found = f". F1 so far: {progress.f1:.2f}" if progress.f1 is not None else ""
    busy = ".\nOther programs are using most of the processor, so this takes longer" if progress.is_starved else ""
    step = f": step {progress.step:,}" if progress.step else ""
    return f"{_PHASES[progress.phase]}{step}{left}{found}{busy}."


def _about(seconds: float) -> str:
    """The time left, as exact as it can be estimated: whole minutes from two minutes on."""
    return duration_text(seconds) if seconds < 120 or seconds >= 3600 else f"{round(seconds / 60)} min"


def headline(outcome: LearnOutcome) -> str:
    """The outcome of a round in a few words."""
    record = outcome.record
    if record.figures is not None:
        return f"{record.model} finds {_found(record.figures)} of your objects{_false(record.figures)}"
    return f"{record.model} is ready" if outcome.is_installed else f"{record.model} was not installed"


def _found(figures: Figures) -> str:
    return f"{figures.recall:.0%}" if figures.recall else "none"


def _false(figures: Figures) -> str:
    """Empty if nothing is found, which may be for lack of any proposal."""
    return f", {1 - figures.precision:.0%} false" if figures.recall else ""


def outcome_text(outcome: LearnOutcome) -> str:
    """The details: the model before it, what was counted, and whether the new one was installed."""
    record = outcome.record
    lines = []
    if record.figures is not None:
        new, old = record.figures, record.old_figures
        if old is not None:
            lines.append(f"The last model, {record.old_model}, finds {_found(old)}{_false(old)}{_unseen(record)}.")
        few = ", so few that this may be chance" if new.objects < _FEW_OBJECTS else ""
        lines.append(f"Counted on {counted(new.images, 'held-out image')} with {counted(new.objects, 'object')}{few}.")
    early = "Stopped early. " if outcome.was_stopped else ""
    kept = f"{early}Installed" if outcome.is_installed else f"{early}Not installed"
    lines.append(f"{kept}: {record.reason}.")
    if record.was_starved and not outcome.was_stopped:
        had, asked = duration_text(record.seconds), counted(round(record.minutes or 0), "minute")
        lines.append(
            f"The computer was busy: learning got {had} of {asked}. Another round on an idle computer will find more."
        )
    if outcome.skipped:
        lines.append(f"{counted(len(outcome.skipped), 'image')} could not be read: {outcome.skipped[0][1]}.")
    return "\n".join(lines)


def _unseen(record: RoundRecord) -> str:
    """On how many of the held-out images the old model was evaluated; empty if on all."""
    new, old = record.figures, record.old_figures
    if new is None or old is None or old.images == new.images:
        return ""
    return f" on the {counted(old.images, 'held-out image')} that it has not learned from"


def extend_text(record: RoundRecord) -> str:
    """The label of the switch that keeps the old model's proposals."""
    better = len(classes_left_to(record.old_figures, record.figures))
    more = f", and of {better} that the old model finds better" if better else ""
    return f"Keep {record.old_model}'s proposals of classes that this model does not know{more}"


def worth_text(entry: RoundWorth) -> str:
    """One round, for screen readers."""
    return f"{entry.label}: {entry.corrections:.1f} corrections per image on {counted(entry.images, 'image')}"
