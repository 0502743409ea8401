"""Whether another round is worth it: the cost of correcting with each round's model, beside its held-out figures, and
when to suggest one."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from maskwright.document.values import ImageState
from maskwright.learning.gate import Figures, images_until_next_round
from maskwright.learning.rounds import RoundRecord, learning_folder, read_rounds
from maskwright.project import Project
from maskwright.review.effort import EffortLog, InstanceEffort, effort_log
from maskwright.words import count_of

LEAST_IMAGES = 3
"""Number of corrected images from which a round's cost is compared."""
_NEXT_SHARE = 0.5
"""The next round is assumed to save this fraction of what the last one saved: error falls by a power of the number
of images."""


@dataclass(frozen=True, slots=True)
class RoundWorth:
    """One round, and the images that its model proposed on and a user has corrected."""

    label: str
    """Number of the round; "before" for work before the first one."""
    images: int
    corrections: float
    """Objects drawn, changed or rejected per image; 0 if no image has been corrected yet."""
    seconds: float
    """Active seconds per image."""
    figures: Figures | None = None
    """AP on held-out images."""


@dataclass(frozen=True, slots=True)
class Worth:
    """The rounds in order, and the advice that follows."""

    rounds: tuple[RoundWorth, ...]
    images_left: int
    advice: str
    is_over: bool = False
    """Another round would save less than it takes."""


def worth_of(project: Project) -> Worth:
    """Reads the whole history. Raises ProjectError if the project cannot be read."""
    records = [record for record in read_rounds(project.path) if record.is_installed]
    counts = project.images.state_counts()
    left = sum(count for state, count in counts.items() if state.is_untouched)
    done = set(project.images.ids(states=(ImageState.DONE, ImageState.EMPTY)).tolist())
    ran = [project.runs.images_of(record.model_hash) for record in records]
    rounds = rounds_worth(effort_log(project), done, records, ran)
    advice, is_over = advised(rounds, left, records[-1].seconds if records else 0.0)
    return Worth(rounds, left, advice, is_over)


def rounds_worth(
    log: EffortLog, done: set[int], records: Sequence[RoundRecord], ran: Sequence[Collection[int]]
) -> tuple[RoundWorth, ...]:
    """done: ids of the finished images; others do not count yet. ran: the images that each model has run on."""
    number = {record.model_hash: at for at, record in enumerate(records, start=1)}
    images: defaultdict[int, list[int]] = defaultdict(list)
    for image_id in sorted(done & log.images.keys()):
        model = log.proposed_by.get(image_id)
        at = number.get(model, 0) if model is not None else _found_nothing(image_id, records, ran)
        images[at].append(image_id)
    corrected = _corrections(log)
    found = []
    for at, record in enumerate((None, *records)):
        if record is None and not images[at]:
            continue
        count = len(images[at])
        found.append(
            RoundWorth(
                label="before" if record is None else f"round {record.number}",
                images=count,
                corrections=sum(corrected.get(id_, 0) for id_ in images[at]) / max(count, 1),
                seconds=sum(log.images[id_].seconds for id_ in images[at]) / max(count, 1),
                figures=record.figures if record is not None else None,
            )
        )
    return tuple(found)


def _found_nothing(image_id: int, records: Sequence[RoundRecord], ran: Sequence[Collection[int]]) -> int:
    """The latest round whose model saw an image and proposed nothing; 0 if it was corrected before any did."""
    for at in range(len(records), 0, -1):
        record = records[at - 1]
        if image_id in ran[at - 1] and image_id not in {*record.training, *record.held_out}:
            return at
    return 0


def advised(rounds: Sequence[RoundWorth], images_left: int, round_s: float) -> tuple[str, bool]:
    """What to do next, in words, and whether to stop. round_s: duration of the latest round in seconds."""
    known = [entry for entry in rounds if entry.images >= LEAST_IMAGES]
    if not images_left:
        return "No images left to propose on.", True
    if len(known) < 2 or known[-1] != rounds[-1]:
        wanted = f"at least {LEAST_IMAGES} images that the latest round proposed on"
        return f"Correct {wanted}; their cost shows whether another round is worth it.", False
    gain_s = _NEXT_SHARE * (known[-2].seconds - known[-1].seconds)
    saved_min, cost_min = max(0.0, gain_s * images_left / 60), round_s / 60
    left = count_of(images_left, "image")
    told = f"about {saved_min:.0f} of your minutes on the {left} left, and takes {cost_min:.0f} to learn"
    if saved_min <= cost_min:
        return f"Another round would save {told}: better continue with the present model.", True
    return f"Another round would save {told}.", False


def _corrections(log: EffortLog) -> Mapping[int, int]:
    """{image id: number of objects not accepted as proposed}."""
    counts: defaultdict[int, int] = defaultdict(int)
    for item in log.instances.values():
        counts[item.image_id] += _is_correction(item)
    return counts


def _is_correction(item: InstanceEffort) -> bool:
    return item.is_drawn or (item.proposed is not None and not item.is_untouched)


IMAGES = 10
"""Number of done images from which some can be held out, so that a round has figures."""
OBJECTS = 100


def offer(project: Project) -> str | None:
    """What there is to learn from, in a few words; None if no round should be suggested.

    Raises ProjectError if the project cannot be read.
    """
    counts = project.images.state_counts()
    done = counts.get(ImageState.DONE, 0) + counts.get(ImageState.EMPTY, 0)
    latest = next(reversed(read_rounds(project.path)), None)
    if latest is None:
        if learning_folder(project.path).exists():
            return None  # it has been tried already
        if done >= IMAGES:
            return f"{count_of(done, 'image')} are done"
        return f"{OBJECTS} objects are done" if project.instances.has_answers(OBJECTS) else None
    if latest.figures is None:
        return f"{count_of(done, 'image')} are done, enough to judge a model" if done >= IMAGES else None
    seen = len(latest.training) + len(latest.held_out)
    wanted = images_until_next_round(latest.figures.f1, seen)
    if wanted is None or done - seen < wanted:
        return None
    return (
        f"{count_of(done - seen, 'more image')} done since {latest.model if latest.is_installed else 'the last round'}"
    )
