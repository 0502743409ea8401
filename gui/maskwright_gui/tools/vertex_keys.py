"""Reshapes without a mouse: walks from vertex to vertex of the selected object, nudges, inserts and deletes."""

from maskwright.document import edits
from maskwright.document.change import Change
from maskwright.document.spatial import VertexRef, rings_of
from maskwright_gui.tools.context import ToolContext
from maskwright_gui.tools.joining import deletable, joined, joined_edges, vertex_point
from maskwright_gui.tools.tool import KeyPress

NUDGES = {"Left": (-1, 0), "Right": (1, 0), "Up": (0, -1), "Down": (0, 1)}
_STEPS = {".": 1, ",": -1}
LARGE_NUDGE = 10


class VertexKeys:
    """Holds the vertex that the keys act on; None until "." or "," is pressed."""

    def __init__(self, context: ToolContext) -> None:
        self._context = context
        self.ref: VertexRef | None = None

    def wants(self, key: KeyPress) -> bool:
        """Whether the key acts on the vertices right now."""
        if key.name in _STEPS:
            return len(self._context.selected_editable) == 1
        nudges = key.name in NUDGES and not key.modifiers.alt  # with Alt they belong to the window
        return self.ref is not None and (nudges or key.name in {"Insert", "Backspace", "Escape"})

    def on_key(self, key: KeyPress) -> bool:
        """Whether the key acted on a vertex."""
        self.check()
        if not self.wants(key):
            return False
        if key.name in _STEPS:
            self._step(_STEPS[key.name])
        elif self.ref is not None:
            self._act(key, self.ref)
        return True

    def check(self) -> None:
        """Forget a vertex that no longer exists."""
        if self.ref is not None and self.ref not in self._vertices():
            self.ref = None

    def _vertices(self) -> list[VertexRef]:
        """All vertices of the selected object; none unless exactly one is selected."""
        selected = self._context.selected_editable
        if len(selected) != 1:
            return []
        (id_,) = selected
        rings = rings_of(self._context.document[id_])
        return [VertexRef(id_, part, number, vertex) for part, number, ring in rings for vertex in range(len(ring))]

    def _step(self, step: int) -> None:
        vertices = self._vertices()
        if self.ref is None:
            self.ref = vertices[0 if step > 0 else -1]
        else:
            self.ref = vertices[(vertices.index(self.ref) + step) % len(vertices)]

    def _act(self, key: KeyPress, ref: VertexRef) -> None:
        document = self._context.document
        match key.name:
            case "Escape":
                self.ref = None
            case "Backspace":
                self._commit(edits.delete_vertices(document, deletable(self._context, ref)), "Delete vertex")
            case "Insert":
                self._insert(ref)
            case _:
                size = self._context.options.nudge_px * (LARGE_NUDGE if key.modifiers.shift else 1)
                dx, dy = NUDGES[key.name]
                places = {other: vertex_point(self._context, other) for other in joined(self._context, ref)}
                moved = {other: (x + dx * size, y + dy * size) for other, (x, y) in places.items()}
                self._commit(edits.move_vertices(document, moved), "Nudge vertex")

    def _insert(self, ref: VertexRef) -> None:
        ring = self._context.document[ref.instance_id].polygons[ref.part].rings[ref.ring]
        x, y = (ring[ref.vertex] + ring[(ref.vertex + 1) % len(ring)]) / 2
        edges = joined_edges(self._context, ref)
        change = edits.insert_vertices(self._context.document, edges, (float(x), float(y)))
        self.ref = VertexRef(ref.instance_id, ref.part, ref.ring, ref.vertex + 1)
        self._commit(change, "Insert vertex")

    def _commit(self, change: Change, label: str) -> None:
        if not change.is_empty:
            self._context.commit(change, label)
