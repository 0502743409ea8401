"""When to offer a round: never before there is something to learn from, nor again before another one pays."""

from maskwright.document.values import ImageState
from maskwright.learning.gate import images_until_next_round
from maskwright.learning.rounds import learning_folder, read_rounds
from maskwright.project import Project
from maskwright.words import count_of

IMAGES = 10
"""Done images from which some can be held out, so that a round has figures."""
OBJECTS = 100


def offer(project: Project) -> str | None:
    """What is there to learn from, in a few words; None where a round is not to be offered.

    Raises ProjectError where the project cannot be read.
    """
    counts = project.images.state_counts()
    done = counts.get(ImageState.DONE, 0) + counts.get(ImageState.EMPTY, 0)
    latest = next(reversed(read_rounds(project.path)), None)
    if latest is None:
        if learning_folder(project.path).exists():
            return None  # it has been tried
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
