"""What the user is told when a class is merged or deleted."""

from typing import TYPE_CHECKING

from maskwright.words import count_of

if TYPE_CHECKING:  # imports SQLAlchemy, which the first window does without
    from maskwright.project.categories import CategoryUse


def what_merges(use: "CategoryUse", source: str, target: str) -> str:
    """What the user is told before two classes are merged."""
    rejected = f" ({use.rejected} of them rejected)" if use.rejected else ""
    return (
        f"{count_of(use.instances, 'object')}{rejected} on {count_of(use.images, 'image')} will become “{target}”, "
        f"and the class “{source}” will be removed. What a model finds as “{source}” will be proposed as “{target}”. "
        f"You can undo this at any time from the menu of the class."
    )


def what_is_deleted(use: "CategoryUse", name: str) -> str:
    """What the user is told before a class is deleted."""
    rejected = f" ({use.rejected:,} of them rejected)" if use.rejected else ""
    return (
        f"{count_of(use.instances, 'object')}{rejected} on {count_of(use.images, 'image')} will be deleted. On each "
        f"image, Undo brings them back, and “{name}” with them."
    )


def what_becomes_of_draft(name: str) -> str:
    """What the user is told when the class of the outline being drawn was deleted. name: of its class now, or empty."""
    if not name:
        return "You will be asked for the class of the outline being drawn. "
    return f"The outline being drawn is now of the class “{name}”; a digit changes that. "


def how_it_comes_back(*, has_objects: bool) -> str:
    """What the user is told after a class was deleted."""
    objects = "; to bring back objects, undo on their image" if has_objects else ""
    return f"Models no longer propose it. To bring it back, add a class of this name{objects}."
