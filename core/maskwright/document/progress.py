"""How far an image is after something was done to it: one rule for the database and for the window."""

from maskwright.document.change import Change
from maskwright.document.values import ImageState, InstanceState

UNTOUCHED = (ImageState.UNSEEN, ImageState.PRELABELLED, ImageState.EMPTY)
"""An edit makes them "in progress"."""


def after_edit(state: ImageState) -> ImageState:
    """When a person has changed an object."""
    return ImageState.IN_PROGRESS if state in UNTOUCHED else state


def is_work(change: Change) -> bool:
    """Whether a step is a person's word on the image; one that leaves proposals proposals can be undone and is none."""
    sides = (instance for _, before, after in change for instance in (before, after) if instance is not None)
    return any(instance.state is not InstanceState.PROPOSED for instance in sides)


def after_proposals(state: ImageState) -> ImageState:
    """When a model has said what it sees."""
    return ImageState.PRELABELLED if state is ImageState.UNSEEN else state
