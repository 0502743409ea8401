"""Finds similar objects in a project: examples from one image, what looks like them there and elsewhere, and the change
that proposes it.

All that is found is proposed in one step; what a user has answered already is not touched and does not come back."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from maskwright.assist.embeddings import file_identity
from maskwright.assist.like import Gallery, LikeSettings, find_like, gallery_of
from maskwright.assist.protocol import Cancel
from maskwright.assist.view import BackendAssistant, BackendView
from maskwright.document.change import Change
from maskwright.document.document import Document
from maskwright.document.values import ASSISTED, Instance, InstanceState, Provenance
from maskwright.errors import PromptError
from maskwright.geometry.polygon import Polygon
from maskwright.images import read_image
from maskwright.project import Project
from maskwright.words import count_of

LIKE = ", like "
"""Stands in the provenance between the assistant's name and the number of examples."""


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """What to look for: outlined objects of one class, as described by the assistant."""

    gallery: Gallery = field(repr=False)
    category_id: int
    count: int
    provenance: Provenance


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """An object that looks like the examples. id: of the instance that it becomes."""

    polygons: tuple[Polygon, ...]
    dense: bytes | None
    likeness: float
    """Cosine similarity, -1 to 1; see `assist.like.Alike`."""
    id: int = 0


def gathered_examples(
    project: Project,
    image_id: int,
    instances: Sequence[Instance],
    assistant: BackendAssistant,
    *,
    cancel: Cancel | None = None,
) -> Examples:
    """Describe objects of one class in one image. Raises ImageError, ModelError, ValueError if there are none."""
    view = _view(project, image_id, assistant)
    gallery = gallery_of(view, [one.polygons for one in instances], cancel=cancel)
    name = f"{ASSISTED}{assistant.name}{LIKE}{count_of(len(instances), 'object')}"
    now = datetime.now(UTC).isoformat(timespec="seconds")
    origin = Provenance(name, assistant.content_hash, 0.0, 1.0, now)
    return Examples(gallery, instances[0].category_id, len(instances), origin)


def found_on_image(
    project: Project,
    image_id: int,
    examples: Examples,
    assistant: BackendAssistant,
    *,
    instances: Iterable[Instance],
    settings: LikeSettings | None = None,
    cancel: Cancel | None = None,
) -> list[Found]:
    """Objects like the examples, best first, still without ids; those already among `instances` are left out.

    Raises ImageError, ModelError, InferenceCancelledError once `cancel` is set.
    """
    view = _view(project, image_id, assistant)
    known = [one.polygons for one in instances if one.polygons and not _is_open(one, examples.category_id)]
    alike = find_like(view, examples.gallery, settings, known=_on_image(known, view), cancel=cancel)
    return [Found(one.outline.polygons, one.outline.dense, one.likeness) for one in alike if one.outline.polygons]


def with_ids(found: Iterable[Found], new_id: Callable[[], int]) -> list[Found]:
    """Give each an id of its own."""
    return [replace(one, id=new_id()) for one in found]


def like_change(document: Document, found: Sequence[Found], examples: Examples, threshold: float) -> Change:
    """The change to the proposals at this threshold, from those at another one or of an earlier search."""
    origin = replace(examples.provenance, score_threshold=threshold)
    ids = {one.id for one in found}
    stale = [one for one in document if _is_open(one, examples.category_id) and one.id not in ids]
    pairs: list[tuple[Instance | None, Instance | None]] = [(one, None) for one in stale]
    for one in found:
        now = document.instances.get(one.id)
        if now is None and one.likeness >= threshold:
            pairs.append((None, _proposed(one, examples.category_id, origin)))
        elif now is not None and now.state is InstanceState.PROPOSED and one.likeness < threshold:
            pairs.append((now, None))
    return Change.of(pairs)


def _proposed(found: Found, category_id: int, origin: Provenance) -> Instance:
    score = round(min(max(found.likeness, 0.0), 1.0), 4)
    state = InstanceState.PROPOSED
    return Instance(found.id, category_id, found.polygons, state, score, origin, dense=found.dense)


def _is_open(instance: Instance, category_id: int) -> bool:
    """Whether such a search for the class found it, and nobody has answered yet."""
    origin = instance.provenance
    if instance.state is not InstanceState.PROPOSED or instance.category_id != category_id or origin is None:
        return False
    return origin.is_by_assistant and LIKE in origin.model_name


def _view(project: Project, image_id: int, assistant: BackendAssistant) -> BackendView:
    path = project.image_path(project.images.record(image_id))
    identity = file_identity(path) if assistant.backend.keeps_features else None
    return assistant.open(read_image(path).bgr_u8, identity=identity)


def _on_image(outlines: Sequence[tuple[Polygon, ...]], view: BackendView) -> list[tuple[Polygon, ...]]:
    """Only outlines that cover a pixel: an imported one may lie outside its image."""
    from maskwright.assist.prompt import mask_crop

    found = []
    for outline in outlines:
        try:
            mask_crop(outline, view.size_wh)
        except PromptError:
            continue
        found.append(outline)
    return found
