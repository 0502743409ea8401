"""What an accepted draft becomes: a new object, or a new outline of an existing one."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from maskwright.document import edits
from maskwright.document.change import Change
from maskwright.document.document import Document
from maskwright.document.values import ASSISTED, Instance, InstanceState, Provenance
from maskwright_gui.features.point.draft import Draft

OUTLINE, CORRECT = "Outline by pointing", "Correct by pointing"


@dataclass(frozen=True, slots=True, eq=False)
class Accepted:
    """A draft that the user has accepted, perhaps before its answer came."""

    draft: Draft
    image_id: int
    category_id: int
    """Class of a new object: the current one when it was accepted."""

    def change(
        self, document: Document, new_id: Callable[[], int], origin: Provenance | None
    ) -> tuple[Change, str] | None:
        """The step and its name, on the document of its image; None if nothing changed. origin: assistant and number of
        presses.
        """
        outline, base = self.draft.latest, self.draft.base
        if outline is None or (not outline.polygons and base is None):
            return None
        if base is None:
            made = Instance(
                new_id(), self.category_id, tuple(outline.polygons), InstanceState.DRAWN, provenance=origin,
                dense=outline.dense,
            )  # fmt: skip
            return Change.create([made]), OUTLINE
        if not is_current(base, document):
            return None
        corrected = edits.set_polygons(document, {base.id: outline.polygons})
        return Change.of((before, _marked(after, origin)) for _, before, after in corrected), CORRECT


def is_current(base: Instance | None, document: Document) -> bool:
    """Whether the object being corrected has not changed; a new object has nothing to change."""
    return base is None or document.instances.get(base.id) == base


def provenance_of(name: str, content_hash: str, presses: int, created_at: str) -> Provenance:
    """Provenance of an object outlined by an assistant; it has no score or overlap threshold."""
    pressed = "1 press" if presses == 1 else f"{presses} presses"
    return Provenance(f"{ASSISTED}{name}, {pressed}", content_hash, 0.0, 1.0, created_at)


def _marked(instance: Instance | None, origin: Provenance | None) -> Instance | None:
    """A proposal keeps its provenance, with the correction noted; an object made by the user names its last corrector.

    An imported object has no provenance and gets none: deleted, it is gone, and not kept as a rejected proposal.
    """
    if instance is None or origin is None:
        return instance
    before = instance.provenance
    if before is not None and instance.state is not InstanceState.DRAWN:
        first = before.model_name.split(f" + {ASSISTED}")[0]
        return replace(instance, provenance=replace(before, model_name=f"{first} + {origin.model_name}"))
    return replace(instance, provenance=origin) if instance.state is InstanceState.DRAWN else instance
