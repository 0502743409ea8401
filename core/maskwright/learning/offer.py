"""When to suggest a round: only if there is something to learn from, and again only once another round pays."""

from maskwright.document.values import ImageState
from maskwright.learning.gate import images_until_next_round
from maskwright.learning.rounds import learning_folder, read_rounds
from maskwright.project import Project
from maskwright.words import count_of

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
