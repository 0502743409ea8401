"""Simplifies the selected outlines, with a preview: wheel, keys and slider set the detail."""

from dataclasses import dataclass

import shapely

from maskwright.document import combine
from maskwright.document.change import Change
from maskwright.geometry.algebra import to_shapely
from maskwright_gui.tools.context import LOCKED_HINT, ToolContext
from maskwright_gui.tools.gestures import draft_overlay
from maskwright_gui.tools.overlay import NOTHING, Overlay, OverlayNote
from maskwright_gui.tools.tool import BaseTool, Button, Cursor, KeyPress, Pointer

_STEP = 1.25
FINEST, COARSEST = 0.1, 200.0
"""Tolerances, image pixels: at the finest every point stays."""
_START = 1.0

_UNCHANGED = Change.of([])


@dataclass(frozen=True, slots=True)
class Detail:
    """The effect of a tolerance on the selection."""

    vertices_before: int
    """Vertices of the dense outlines, from which every slider position is computed."""
    vertices: int
    iou: float
    """IoU with the dense outlines; the worst of all selected objects."""


class SimplifyTool(BaseTool):
    """Always starts from the dense outlines, which are stored with the objects: more detail brings every vertex
    back.
    """

    name = "simplify"

    def __init__(self, context: ToolContext) -> None:
        super().__init__(context)
        self._pointer: Pointer | None = None
        self._tolerance = _START
        self._draft = _UNCHANGED
        self._detail: Detail | None = None
        self._update()

    @property
    def hint(self) -> str:
        if not self._context.selected_editable:
            return LOCKED_HINT if self._context.is_selection_locked else "Select objects to simplify"
        return f"{self._figures} · wheel or {{[}} {{]}} less or more detail · Enter or click applies · Esc restores"

    @property
    def cursor(self) -> Cursor:
        return Cursor.ARROW

    @property
    def is_busy(self) -> bool:
        return not self._draft.is_empty

    @property
    def tolerance(self) -> float:
        """Tolerance in image pixels; a slider may set it too."""
        return self._tolerance

    @tolerance.setter
    def tolerance(self, tolerance: float) -> None:
        self._tolerance = min(max(tolerance, FINEST), COARSEST)
        self._update()

    @property
    def detail(self) -> Detail | None:
        """None while nothing is selected."""
        return self._detail

    def apply(self) -> None:
        """Apply the preview as one step."""
        if self.is_busy:
            change, self._draft = self._draft, _UNCHANGED
            self._context.commit(change, "Simplify")

    def on_press(self, pointer: Pointer) -> None:
        if pointer.button is Button.LEFT:
            if self.is_busy:
                self.apply()
            else:
                self._context.select(frozenset(self._context.index.at(*pointer.point)[:1]))

    def on_move(self, pointer: Pointer) -> None:
        self._pointer = pointer

    def on_wheel(self, pointer: Pointer, steps: float) -> bool:
        if pointer.modifiers.ctrl or not self._context.selected_editable:
            return False
        self._pointer = pointer
        self.tolerance = self._tolerance * _STEP**-steps
        return True

    def on_key(self, key: KeyPress) -> bool:
        match key.name:
            case "[" | "]":
                self.tolerance = self._tolerance * (_STEP if key.name == "[" else 1 / _STEP)
            case "Enter" if self.is_busy:
                self.apply()
            case "Escape" if self._context.selection:
                self._context.select(frozenset())
            case _:
                return False
        return True

    def wants_key(self, key: KeyPress) -> bool:
        return bool(self._context.selection) and key.name in {"[", "]", "Enter", "Escape"}

    def on_document(self) -> None:
        self._update()

    def cancel(self) -> None:
        self._draft, self._detail = _UNCHANGED, None

    def overlay(self) -> Overlay:
        if self._detail is None:
            return NOTHING
        shown = draft_overlay(self._draft)
        if self._pointer is None:
            return shown
        note = OverlayNote(*self._pointer.point, self._figures)
        return Overlay(shown.instances, shown.replaced, shows_handles=True, notes=(note,))

    @property
    def _figures(self) -> str:
        if self._detail is None:
            return ""
        return f"{self._detail.vertices_before} → {self._detail.vertices} points, IoU {self._detail.iou:.3f}"

    def _update(self) -> None:
        document, ids = self._context.document, self._context.selected_editable
        tolerance = self._tolerance if self._tolerance > FINEST else 0.0
        self._draft = combine.simplify(document, ids, tolerance)
        after = {id_: changed for id_, _, changed in self._draft if changed is not None}
        pairs = [(combine.dense_outline(document[id_]), after.get(id_, document[id_]).polygons) for id_ in ids]
        if not pairs:
            self._detail = None
            return
        self._detail = Detail(
            sum(part.vertex_count for dense, _ in pairs for part in dense),
            sum(part.vertex_count for _, shown in pairs for part in shown),
            min(_iou(to_shapely(dense), to_shapely(shown)) for dense, shown in pairs),
        )


def _iou(a: shapely.Geometry, b: shapely.Geometry) -> float:
    union = shapely.union(a, b).area
    return float(shapely.intersection(a, b).area / union) if union else 1.0
