"""Background work of the search for similar objects: values in, values out."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from maskwright.document.values import ImageStanding, Instance
from maskwright.monitor import Monitor, MonitorFlag, OperationCancelledError
from maskwright_gui.features.point.assistants import Assistants

if TYPE_CHECKING:
    from maskwright.operations.alike import Examples, Found
    from maskwright.project.store import Project

LOOKING = "Searching for similar objects"


@dataclass(frozen=True, slots=True)
class Searcher:
    """Searches images of a project with one assistant."""

    project: "Project"
    assistants: Assistants
    assistant_name: str
    min_iou: float

    def begin(self, image_id: int, examples: Sequence[Instance], monitor: Monitor) -> "Examples":
        """Describe the examples. Raises ImageError, ModelError or OperationCancelledError."""
        from maskwright.inference.async_runner import InferenceCancelledError
        from maskwright.operations.alike import gathered_examples

        monitor.report(0, None, LOOKING)
        assistant = self.assistants.get(self.assistant_name)
        try:
            return gathered_examples(self.project, image_id, examples, assistant, cancel=MonitorFlag(monitor))
        except InferenceCancelledError as error:
            raise OperationCancelledError from error

    def look(
        self, image_id: int, examples: "Examples", instances: Iterable[Instance], monitor: Monitor
    ) -> "list[Found]":
        """Find similar objects on an image that already has these instances. Raises as `begin` does."""
        from maskwright.assist.like import LikeSettings
        from maskwright.inference.async_runner import InferenceCancelledError
        from maskwright.operations.alike import found_on_image

        assistant = self.assistants.get(self.assistant_name)
        settings = LikeSettings(min_iou=self.min_iou)
        try:
            return found_on_image(
                self.project, image_id, examples, assistant,
                instances=instances, settings=settings, cancel=MonitorFlag(monitor),
            )  # fmt: skip
        except InferenceCancelledError as error:
            raise OperationCancelledError from error


def first_search(
    searcher: Searcher, image_id: int, examples: Sequence[Instance], instances: Sequence[Instance], monitor: Monitor
) -> "tuple[Examples, list[Found]]":
    """Search the image of the examples."""
    described = searcher.begin(image_id, examples, monitor)
    return described, searcher.look(image_id, described, instances, monitor)


def search(
    searcher: Searcher, image_id: int, examples: "Examples", instances: Sequence[Instance], monitor: Monitor
) -> "tuple[int, list[Found]]":
    """Search another image; its id is returned with the finds."""
    monitor.report(0, None, LOOKING)
    return image_id, searcher.look(image_id, examples, instances, monitor)


def search_many(
    searcher: Searcher,
    image_ids: Sequence[int],
    examples: "Examples",
    tell: "Callable[[int, list[Found]], object]",
    monitor: Monitor,
) -> tuple[int, list[tuple[str, str]]]:
    """Search one image after the other, reporting each; returns the count, and the images that could not be read with
    the reasons.
    """
    from maskwright.errors import ImageError

    failures, skipped = [], 0
    for done, image_id in enumerate(image_ids):
        monitor.report(done, len(image_ids), LOOKING)
        if searcher.project.images.record(image_id).standing is not ImageStanding.LISTED:
            skipped += 1  # excluded or removed since the search began
            continue
        try:
            found = searcher.look(image_id, examples, searcher.project.instances.of(image_id), monitor)
        except ImageError as error:
            failures.append((searcher.project.images.record(image_id).file_name, error.reason))
            continue
        tell(image_id, found)
    return len(image_ids) - len(failures) - skipped, failures
