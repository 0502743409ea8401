"""What the user is told before a class is merged or deleted."""

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
