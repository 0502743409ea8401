"""How far an image is after something was done to it: one rule for the database and for the window."""

from maskwright.document.values import ImageState

UNTOUCHED = (ImageState.UNSEEN, ImageState.PRELABELLED, ImageState.EMPTY)
"""An edit makes them "in progress"."""


def after_edit(state: ImageState) -> ImageState:
    """When a person has changed an object."""
    return ImageState.IN_PROGRESS if state in UNTOUCHED else state


def after_proposals(state: ImageState) -> ImageState:
    """When a model has said what it sees."""
    return ImageState.PRELABELLED if state is ImageState.UNSEEN else state
