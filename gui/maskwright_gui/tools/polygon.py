"""Draw a polygon: clicks set points, dragging draws freehand, both in one outline."""

from maskwright.document import edits
from maskwright.document.combine import drawn_area
from maskwright_gui.tools.path import PathTool, Point


class PolygonTool(PathTool):
    """A new object of the current class."""

    name = "polygon"
    _needs_category = True

    def _use(self, points: list[Point]) -> None:
        polygons, category_id = drawn_area(points), self._context.category_id
        if not polygons or category_id is None:
            return
        instance_id = self._context.allocate_id()
        self._context.commit(edits.create(instance_id, category_id, polygons), "Draw polygon")
        self._context.select(frozenset({instance_id}))
