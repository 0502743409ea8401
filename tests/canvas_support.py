"""Builders and small sessions for tests of tools (without Qt) and of the canvas (with it)."""

from itertools import count
from typing import Any

import numpy as np

from maskwright.document.change import Change
from maskwright.document.document import Document
from maskwright.document.values import Instance, InstanceState
from maskwright.geometry.polygon import Polygon
from maskwright_gui.tools.context import ToolContext
from maskwright_gui.tools.tool import NO_MODIFIERS, Button, KeyPress, Modifiers, Pointer, Tool

SHIFT, ALT, CTRL = Modifiers(shift=True), Modifiers(alt=True), Modifiers(ctrl=True)


def square(id_: int, *, at: tuple[float, float] = (0.0, 0.0), side: float = 20.0, **values: Any) -> Instance:
    return Instance(id_, values.pop("category_id", 1), (square_polygon(at, side),), **values)


def square_polygon(at: tuple[float, float], side: float) -> Polygon:
    x, y = at
    return Polygon.of([(x, y), (x + side, y), (x + side, y + side), (x, y + side)])


def ring_with_hole(id_: int, *, at: tuple[float, float] = (0.0, 0.0), side: float = 40.0) -> Instance:
    outer, hole = square_polygon(at, side), square_polygon((at[0] + side / 4, at[1] + side / 4), side / 2)
    return Instance(id_, 1, (Polygon.of(outer.exterior, [hole.exterior]),), InstanceState.DRAWN)


def document_of(*instances: Instance, size_wh: tuple[int, int] = (200, 150)) -> Document:
    return Document.of(7, size_wh, instances)


class ToolHost:
    """A session without Qt: applies what a tool commits and keeps a record of it."""

    def __init__(self, document: Document, *, selection: frozenset[int] = frozenset()) -> None:
        self.commits: list[tuple[Change, str]] = []
        ids = count(1000)
        self.context = ToolContext(self._commit, self._select, allocate_id=lambda: next(ids), category_id=1)
        self.context.set_document(document)
        self.context.selection = selection
        self.tool: Tool | None = None

    @property
    def document(self) -> Document:
        return self.context.document

    @property
    def labels(self) -> list[str]:
        return [label for _, label in self.commits]

    def use(self, tool: Tool) -> "ToolHost":
        self.tool = tool
        return self

    def undo(self) -> None:
        change = self.commits.pop()[0].inverse()
        self.context.apply(change, self.document.apply(change))
        self._tool().on_document()

    def move(self, x: float, y: float, modifiers: Modifiers = NO_MODIFIERS, *, held: bool = False) -> None:
        self._tool().on_move(Pointer(x, y, modifiers, Button.LEFT if held else Button.NONE))

    def press(self, x: float, y: float, modifiers: Modifiers = NO_MODIFIERS, *, is_double: bool = False) -> None:
        self._tool().on_press(Pointer(x, y, modifiers, is_double=is_double))

    def release(self, x: float, y: float, modifiers: Modifiers = NO_MODIFIERS) -> None:
        self._tool().on_release(Pointer(x, y, modifiers))

    def click(self, x: float, y: float, modifiers: Modifiers = NO_MODIFIERS) -> None:
        self.move(x, y, modifiers)
        self.press(x, y, modifiers)
        self.release(x, y, modifiers)

    def drag(self, *places: tuple[float, float], modifiers: Modifiers = NO_MODIFIERS) -> None:
        self.move(*places[0], modifiers)
        self.press(*places[0], modifiers)
        for x, y in places[1:]:
            self.move(x, y, modifiers, held=True)
        self.release(*places[-1], modifiers)

    def key(self, name: str, modifiers: Modifiers = NO_MODIFIERS) -> bool:
        return self._tool().on_key(KeyPress(name, modifiers))

    def ring(self, instance_id: int, *, part: int = 0, ring: int = 0) -> list[tuple[float, float]]:
        points = self.document[instance_id].polygons[part].rings[ring]
        return [(float(x), float(y)) for x, y in np.asarray(points)]

    def _tool(self) -> Tool:
        assert self.tool is not None
        return self.tool

    def _commit(self, change: Change, label: str) -> None:
        self.commits.append((change, label))
        self.context.apply(change, self.document.apply(change))
        self._tool().on_document()

    def _select(self, ids: frozenset[int]) -> None:
        self.context.selection = ids
        self._tool().on_document()
