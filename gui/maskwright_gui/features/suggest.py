"""Suggests another class for a newly outlined object, the one that similar objects have; never changes it unasked.

A thread computes what the assistant sees in the objects.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from maskwright.assist.guessing import ClassMemory
from maskwright.document import edits
from maskwright.document.change import Change
from maskwright.document.document import Document
from maskwright.document.values import Instance, InstanceState
from maskwright.errors import MaskwrightError
from maskwright.monitor import Monitor
from maskwright_gui.actions import Action, Menu, may_edit
from maskwright_gui.canvas.previews import PreviewKind, PreviewOutline, rings_of
from maskwright_gui.feature import Context, Feature
from maskwright_gui.features.editing import class_name
from maskwright_gui.features.point.assistants import Assistants
from maskwright_gui.features.point.feature import PointFeature
from maskwright_gui.session import Session

if TYPE_CHECKING:
    from maskwright.project.store import Project

log = logging.getLogger(__name__)

Described = list[tuple[Instance, NDArray[np.float32]]]
MOST_IMAGES, MOST_OF_A_CLASS = 12, 4
"""Images, and objects of each class, described at the start: about three seconds of background work."""


@dataclass(frozen=True, slots=True)
class Describer:
    """Describes objects of a project with one assistant."""

    project: "Project"
    assistants: Assistants
    assistant_name: str

    def objects(self, image_id: int, instances: Sequence[Instance], monitor: Monitor) -> Described:
        """Describe objects of an image. Raises ImageError, ModelError or, for outlines off the image, PromptError."""
        from maskwright.assist.like import gallery_of
        from maskwright.images import read_image

        monitor.check()
        path = self.project.image_path(self.project.images.record(image_id))
        view = self.assistants.get(self.assistant_name).open(read_image(path).bgr_u8)
        gallery = gallery_of(view, [one.polygons for one in instances])
        return list(zip(instances, gallery.descriptors, strict=True))

    def some_of_each_class(self, leave_out: int, monitor: Monitor) -> Described:
        """Describe a few objects of the images worked on last. leave_out: id of an instance. Unreadable images are
        skipped.
        """
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
    """The first few instances of each class that a user accepted or made."""
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
    """Describe the new object, last; before it, if nothing is known yet, some objects that already have their class."""
    known = describer.some_of_each_class(instance.id, monitor) if is_first else []
    return known + describer.objects(image_id, [instance], monitor)


SETTING = "assist/suggests_classes"
PREVIEW_LAYER = "suggest"
LABEL = "Take the suggested class"
_MOST_AT_ONCE = 4
"""Limit of objects being described: on a device that hangs the queue would only grow."""


class SuggestFeature(Feature):
    """Makes one suggestion at a time; the next step of any kind withdraws it."""

    def __init__(self, context: Context, point: PointFeature) -> None:
        super().__init__(context)
        self._point = point
        self._memory = ClassMemory()
        self._is_warm = False
        self._of_assistant = ""
        self._offer: tuple[int, int] | None = None
        """(instance id, category id)."""
        self._declare(*self._own_actions())
        self._actions["suggest_classes"].setChecked(bool(self._settings.value(SETTING, True, type=bool)))
        self._actions["suggest_classes"].toggled.connect(self._on_toggled)
        self._session.document_changed.connect(self._on_change)
        self._session.document_replaced.connect(lambda _document: self._withdraw())
        self._session.project_changed.connect(lambda _project: self._forget())
        self._follow_keys(lambda _with_keys: self._show())

    def _own_actions(self) -> tuple[Action, ...]:
        return (
            Action(
                "take_class",
                LABEL,
                Menu.SHAPE,
                3,
                self.take,
                keys=("Y",),
                is_canvas=True,
                needs=self._has_offer,
                words="suggestion guess category label accept",
            ),
            Action(
                "suggest_classes",
                "Suggest classes for new objects",
                Menu.SHAPE,
                3,
                is_checkable=True,
                needs=may_edit,
                words="guess category label recognise",
            ),
        )

    @property
    def offer(self) -> tuple[int, int] | None:
        """(instance id, category id) of the current suggestion."""
        return self._offer

    def take(self) -> None:
        """Give the object the suggested class."""
        document, offer = self._session.document, self._offer
        if document is not None and offer is not None:
            self._withdraw()
            self._session.edit(edits.set_category(document, [offer[0]], offer[1]), LABEL)

    def _on_toggled(self, is_on: bool) -> None:
        self._settings.setValue(SETTING, is_on)
        if not is_on:
            self._withdraw()
            self.stop()

    def _on_change(self, change: Change, document: Document) -> None:
        self._withdraw()
        for id_, before, after in change:
            if after is None or after.state is InstanceState.REJECTED:
                self._memory.forget(id_)
            elif before is not None and before.category_id != after.category_id:
                self._memory.set_category(id_, after.category_id)
        made = _just_made(change)
        is_on = self._actions["suggest_classes"].isChecked()
        if made is not None and is_on and len(self._session.classes.listed) > 1:
            self._describe(document.image_id, made)

    def _describe(self, image_id: int, instance: Instance) -> None:
        project, point = self._session.project, self._point
        if project is None or project.is_read_only or instance.id in self._memory:
            return
        if len(self._operations) >= _MOST_AT_ONCE:
            return
        if point.assistant_name != self._of_assistant:
            self._forget()
            self._of_assistant = point.assistant_name
        describer = Describer(project.stored, point.assistants, point.assistant_name)
        work = partial(described_anew, describer, image_id, instance, not self._is_warm)
        self._is_warm = True
        self._run_beside(work, self._on_described, self._on_failed, joins=True)

    def _on_described(self, described: Described) -> None:
        *known, (newest, descriptor) = described
        for instance, seen in known:
            self._memory.put(instance.id, instance.category_id, seen)
        guess = self._memory.guess(descriptor)
        document = self._session.document
        now = document.instances.get(newest.id) if document is not None else None
        category_id = now.category_id if now is not None else newest.category_id
        self._memory.put(newest.id, category_id, descriptor)
        listed = {category.id for category in self._session.classes.listed}
        if now is not None and guess is not None and guess != now.category_id and guess in listed:
            self._offer = (newest.id, guess)
            self._show()

    def _on_failed(self, error: MaskwrightError) -> None:
        """Only log it: a missing suggestion is no loss, and an assistant without descriptors has none."""
        log.info("no class is suggested: %s", error)

    def _show(self) -> None:
        document, offer = self._session.document, self._offer
        instance = document.instances.get(offer[0]) if document is not None and offer is not None else None
        if instance is None or offer is None:
            self._canvas.renderer.set_previews((), layer=PREVIEW_LAYER)
        else:
            text = self._actions.with_keys(f"“{class_name(self._session, offer[1])}”? {{take_class}} takes it")
            shown = PreviewOutline(rings_of(instance), PreviewKind.SUGGESTED, text)
            self._canvas.renderer.set_previews((shown,), layer=PREVIEW_LAYER)
        self._refresh("take_class")

    def _withdraw(self) -> None:
        if self._offer is not None:
            self._offer = None
            self._show()

    def _forget(self) -> None:
        self.stop()
        self._withdraw()
        self._memory, self._is_warm = ClassMemory(), False

    def _has_offer(self, _session: Session) -> bool:
        return self._offer is not None


def _just_made(change: Change) -> Instance | None:
    """The one object that the user has drawn or outlined in this step; None if the step did something else."""
    if len(change) != 1:
        return None
    _, before, after = next(iter(change))
    is_new = before is None and after is not None and after.state is InstanceState.DRAWN and bool(after.polygons)
    return after if is_new else None
