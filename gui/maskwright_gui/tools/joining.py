"""Shared borders: the vertices and edges of neighbours that lie on one's own, and therefore go along."""

from collections.abc import Iterable

from maskwright.document.places import VertexRef
from maskwright_gui.tools.context import ToolContext
from maskwright_gui.tools.snapping import vertex_point

_LEAST_VERTICES = 3


def joined(context: ToolContext, ref: VertexRef) -> set[VertexRef]:
    """The vertex with those of unlocked neighbours at its place; alone where joining is switched off."""
    if not context.options.joins:
        return {ref}
    x, y = vertex_point(context, ref)
    found = context.index.vertices_at(x, y, tolerance=context.options.join_tolerance)
    neighbours = {other for other in found if other.instance_id != ref.instance_id}
    return {ref} | {other for other in neighbours if not context.document[other.instance_id].is_locked}


def joined_edges(context: ToolContext, start: VertexRef) -> set[VertexRef]:
    """Where the edge from `start` begins, and the edges of neighbours between the same two places."""
    ends = joined(context, following(context, start))
    return {start} | {edge for other in joined(context, start) for edge in _edges_between(context, other, ends)}


def deletable(context: ToolContext, ref: VertexRef) -> set[VertexRef]:
    """The vertex with its joined ones; a neighbour is never deleted by losing its third last vertex."""
    others = (other for other in joined(context, ref) if _ring_length(context, other) > _LEAST_VERTICES)
    return {ref, *others}


def following(context: ToolContext, ref: VertexRef) -> VertexRef:
    """The next vertex of the same ring."""
    return VertexRef(ref.instance_id, ref.part, ref.ring, (ref.vertex + 1) % _ring_length(context, ref))


def _edges_between(context: ToolContext, first: VertexRef, ends: set[VertexRef]) -> Iterable[VertexRef]:
    """Starts of the edges that join `first` with one of the ends, in either direction."""
    if following(context, first) in ends:
        yield first
    for end in ends:
        if following(context, end) == first:
            yield end


def _ring_length(context: ToolContext, ref: VertexRef) -> int:
    return len(context.document[ref.instance_id].polygons[ref.part].rings[ref.ring])
