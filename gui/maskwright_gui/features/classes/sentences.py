"""What a user should know before a class goes, in sentences."""

from typing import TYPE_CHECKING

from maskwright.words import count_of

if TYPE_CHECKING:  # brings SQLAlchemy, which the first window can spare
    from maskwright.project.categories import CategoryUse


def what_merges(use: "CategoryUse", source: str, target: str) -> str:
    """What a user should know before two classes become one."""
    rejected = f" ({use.rejected} of them rejected)" if use.rejected else ""
    return (
        f"{count_of(use.instances, 'object')}{rejected} on {count_of(use.images, 'image')} will become “{target}”, "
        f"and the class “{source}” will be removed. What a model finds as “{source}” will be proposed as “{target}”. "
        f"You can undo this at any time from the menu of the class."
    )


def what_is_deleted(use: "CategoryUse", name: str) -> str:
    """What a user should know before a class goes."""
    rejected = f" ({use.rejected:,} of them rejected)" if use.rejected else ""
    return (
        f"{count_of(use.instances, 'object')}{rejected} on {count_of(use.images, 'image')} will be deleted. On each "
        f"image, Undo brings them back, and “{name}” with them."
    )
