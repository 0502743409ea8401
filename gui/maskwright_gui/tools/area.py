"""Tools that change objects by drawing an area or line: cut out, add, split."""

from maskwright.document import combine
from maskwright.document.change import Change
from maskwright.document.spatial import is_shown
from maskwright_gui.tools.context import LOCKED_HINT, ToolContext
from maskwright_gui.tools.path import PathTool, Point


class _AreaTool(PathTool):
    """Works on the selected objects or, without a selection, on the one under the first point."""

    _label = ""

    @property
    def hint(self) -> str:
        return LOCKED_HINT if self._context.is_selection_locked else super().hint

    def _use(self, points: list[Point]) -> None:
        area = combine.drawn_area(points)
        targets = self._targets(points[0], area)
        change = self._change(targets, area) if area else Change.of([])
        if not change.is_empty:
            self._context.commit(change, self._label)
            self._context.select(frozenset(targets))

    def _targets(self, point: Point, area: combine.Area) -> frozenset[int]:
        """The objects that an area started at the point applies to."""
        return targets_of(self._context, point)

    def _change(self, targets: frozenset[int], area: combine.Area) -> Change:
        raise NotImplementedError


class HoleTool(_AreaTool):
    """Cuts the area out. If it misses the selection, it applies to the object under its first point."""

    name = "hole"
    _label = "Cut out"
    _start_hint = "Outline what to cut out of the object: click points or drag"

    def _targets(self, point: Point, area: combine.Area) -> frozenset[int]:
        targets = super()._targets(point, area)
        if self._context.is_selection_locked or not self._change(targets, area).is_empty:
            return targets
        return topmost_at(self._context, point)

    def _change(self, targets: frozenset[int], area: combine.Area) -> Change:
        return combine.subtract(self._context.document, targets, area)


class ExtendTool(_AreaTool):
    """Adds the drawn area to the selected objects."""

    name = "extend"
    _label = "Add area"
    _start_hint = "Outline what to add to the object: click points or drag"

    def _change(self, targets: frozenset[int], area: combine.Area) -> Change:
        return combine.add(self._context.document, targets, area)


class SplitTool(PathTool):
    """Splits along a line: the selected objects or, if the line crosses none of them, all that it crosses."""

    name = "split"
    _is_closed = False
    _least_points = 2
    _start_hint = "Draw a line across the object: click points or drag"

    @property
    def hint(self) -> str:
        return LOCKED_HINT if self._context.is_selection_locked else super().hint

    def _use(self, points: list[Point]) -> None:
        context = self._context
        change = combine.split(context.document, context.selected_editable, points, context.allocate_id)
        if change.is_empty and not context.is_selection_locked:
            shown = frozenset(instance.id for instance in context.document if is_shown(instance))
            change = combine.split(context.document, shown, points, context.allocate_id)
        if not change.is_empty:
            context.commit(change, "Split")
            context.select(frozenset(change.entries))

    def _ends_with_a_stroke(self) -> bool:
        return True


def targets_of(context: ToolContext, point: Point) -> frozenset[int]:
    """The selected objects that can be edited, or the topmost one under the point; none if they are locked."""
    if context.selected_editable or context.is_selection_locked:
        return context.selected_editable
    return topmost_at(context, point)


def topmost_at(context: ToolContext, point: Point) -> frozenset[int]:
    """The topmost object under the point that is not locked."""
    stack = (id_ for id_ in context.index.at(*point) if not context.document[id_].is_locked)
    return frozenset(list(stack)[:1])
