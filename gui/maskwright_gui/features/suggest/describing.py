"""What the assistant sees in objects, beside the window."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from maskwright.document.values import Instance
from maskwright.errors import MaskwrightError
from maskwright.monitor import Monitor
from maskwright_gui.features.point.assistants import Assistants

if TYPE_CHECKING:
    from maskwright.project.store import Project

Described = list[tuple[Instance, NDArray[np.float32]]]
MOST_IMAGES, MOST_OF_A_CLASS = 12, 4
"""From which classes are learned at the start: about three seconds of work, beside the window."""


@dataclass(frozen=True, slots=True)
class Describer:
    """Of a project, with one assistant."""

    project: "Project"
    assistants: Assistants
    assistant_name: str

    def objects(self, image_id: int, instances: Sequence[Instance], monitor: Monitor) -> Described:
        """Of an image. Raises ImageError, ModelError or, for outlines beside the image, PromptError."""
        from maskwright.assist.like import gallery_of
        from maskwright.images import read_image

        monitor.check()
        path = self.project.image_path(self.project.images.record(image_id))
        view = self.assistants.get(self.assistant_name).open(read_image(path).bgr_u8)
        gallery = gallery_of(view, [one.polygons for one in instances])
        return list(zip(instances, gallery.descriptors, strict=True))

    def some_of_each_class(self, leave_out: int, monitor: Monitor) -> Described:
        """A few objects of the images worked on last; `leave_out`: id of an instance. What cannot be read is left."""
        from maskwright.document.values import ImageState

        worked_on = (ImageState.IN_PROGRESS, ImageState.DONE)
        found: Described = []
        for image_id in self.project.images.ids(states=worked_on).tolist()[-MOST_IMAGES:]:
            chosen = _a_few(self.project.instances.of(image_id), leave_out)
            try:
                found += self.objects(image_id, chosen, monitor) if chosen else []
            except MaskwrightError:
                continue
        return found


def _a_few(instances: Sequence[Instance], leave_out: int) -> list[Instance]:
    """Of each class the first few that somebody has accepted or made."""
    counts: dict[int, int] = {}
    chosen = []
    for one in instances:
        count = counts.get(one.category_id, 0)
        if one.state.is_exported and one.polygons and one.id != leave_out and count < MOST_OF_A_CLASS:
            counts[one.category_id] = count + 1
            chosen.append(one)
    return chosen


def described_anew(
    describer: Describer, image_id: int, instance: Instance, is_first: bool, monitor: Monitor
) -> Described:
    """The new object, last; before it, where nothing is known yet, some that have their class already."""
    known = describer.some_of_each_class(instance.id, monitor) if is_first else []
    return known + describer.objects(image_id, [instance], monitor)
