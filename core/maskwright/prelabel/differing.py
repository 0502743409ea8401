"""Where a model replaces what another one proposed: how far the two disagree, for the order of review."""

from collections.abc import Mapping

from maskwright.document.change import Change
from maskwright.document.values import Instance, InstanceState
from maskwright.project import Project
from maskwright.project.proposals import Proposal
from maskwright.review.disagreement import NAME, disagreement


def note_disagreements(project: Project, changes: Mapping[int, Change]) -> None:
    """changes: what new proposals made of images, by their ids. Raises ProjectError."""
    found = {image_id: noted for image_id, change in changes.items() if (noted := _noted(change)) is not None}
    if found:
        project.signals.set(NAME, found)


def _noted(change: Change) -> tuple[float, dict[str, object]] | None:
    """None where no other model had proposed anything. What only that one found can be taken over in the window."""
    before = [one for _, one, _ in change if _is_proposed(one)]
    after = [one for _, _, one in change if _is_proposed(one)]
    names = {one.provenance.model_hash for one in after if one is not None and one.provenance is not None}
    old = [one for one in before if one is not None and _hash(one) not in {"", *names}]
    if not old or len(names) != 1:
        return None
    new = [one for one in after if one is not None and _hash(one) in names]
    there = [Proposal(one.category_id, one.score or 0.0, one.polygons) for one in old]
    noted = disagreement(new, there)
    origin = old[0].provenance
    named = {"model": origin.model_name, "model_hash": origin.model_hash} if origin is not None else {}
    return noted.value, noted.detail | named


def _is_proposed(instance: Instance | None) -> bool:
    return instance is not None and instance.state is InstanceState.PROPOSED


def _hash(instance: Instance) -> str:
    return instance.provenance.model_hash if instance.provenance is not None else ""
