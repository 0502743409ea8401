"""The order in which keys walk through the objects of an image."""

from collections.abc import Iterable

from maskwright.document.values import Instance, InstanceState
from maskwright_gui.session import Session


def shown(session: Session) -> list[Instance]:
    """The visible objects of the image, unless they lie under others."""
    return visible(session.document or ())


def visible(instances: Iterable[Instance]) -> list[Instance]:
    """The instances that are neither hidden nor rejected."""
    return [i for i in instances if i.is_visible and i.state is not InstanceState.REJECTED]


def in_reading_order(instances: Iterable[Instance]) -> list[Instance]:
    """By rows from the top, then from the left, so that the eye does not jump."""
    known = [(instance.bounds_xyxy, instance) for instance in instances]
    if not known:
        return []
    heights = sorted(box[3] - box[1] for box, _ in known)
    row_height = max(heights[len(heights) // 2], 1.0)
    known.sort(key=lambda pair: (int((pair[0][1] + pair[0][3]) / 2 / row_height), pair[0][0], pair[1].id))
    return [instance for _, instance in known]


def next_in_reading_order(instances: Iterable[Instance], *, after: int, leave_out: frozenset[int]) -> int | None:
    """Id of the instance after `after`, wrapping around; None if there is none."""
    ids = [instance.id for instance in in_reading_order(instances)]
    start = ids.index(after) if after in ids else -1
    turned = ids[start + 1 :] + ids[: start + 1]
    return next((id_ for id_ in turned if id_ not in leave_out), None)
