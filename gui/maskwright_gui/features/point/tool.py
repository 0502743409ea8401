"""Point at an object and have it outlined; point again to correct it. A state machine without Qt and without a network.

A click shows what belongs to the object, Alt or the right button what does not, a drag a box, Shift and a drag a rough
stroke. With an object selected the same presses correct its outline. Answers come later, through `on_answer`.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from enum import Enum, auto
from itertools import count
from typing import ClassVar

import numpy as np

from maskwright.document import edits
from maskwright.document.change import Change
from maskwright.document.values import Instance, InstanceState, Provenance
from maskwright_gui.features.point.draft import Box, Draft, Outlined, Outliner, Point, Press, Prompt
from maskwright_gui.tools.base import BaseTool
from maskwright_gui.tools.context import ToolContext
from maskwright_gui.tools.overlay import Mark, Overlay, OverlayLine, OverlayMarks, OverlayNote, Stroke, as_points
from maskwright_gui.tools.tool import Button, Cursor, KeyPress, Pointer

NAME = "point"
_DRAG_SCREEN_PX = 5.0
_STROKE_STEP_SCREEN_PX = 18.0
_MOST_STROKE_POINTS = 24
_NEAR_SHARE, _NEAR_SCREEN_PX = 0.35, 32.0
"""A click so far beyond an object's box, of its longer side and at least on screen, is for another object."""


class State(Enum):
    """How far an object is."""

    IDLE = auto()
    """Button up."""
    PRESSED = auto()
    BOX = auto()
    STROKE = auto()


class PointTool(BaseTool):
    """See the module. `outliner` answers; `describe` says who did, for the object's provenance."""

    name = NAME
    _keys_while_busy: ClassVar[frozenset[str]] = frozenset({"Escape", "Enter", "Backspace", "[", "]"})

    def __init__(self, context: ToolContext, outliner: Outliner, serials: "count[int]") -> None:
        super().__init__(context)
        self._outliner, self._serials = outliner, serials
        self.state = State.IDLE
        self._draft: Draft | None = None
        self._accepted: list[Draft] = []
        """Accepted before the assistant had answered; committed when it does."""
        self._taken_back: list[Press] = []
        self._pressed: Pointer | None = None
        self._trail: list[Point] = []
        self._pointer: Pointer | None = None
        self._hover: tuple[int, Outlined | None] | None = None
        """(serial, answer) of what a click here would take."""
        self._image_id = context.document.image_id

    @property
    def hint(self) -> str:
        if self._context.category_id is None:
            return "Name a class first: take the tool again, or use the Classes panel"
        if self._draft is None:
            if self._selected is not None:
                return "Click what its outline misses · Alt-click what is too much · a click far off outlines another"
            return "Click an object · drag a box around it · Shift-drag a stroke over it · Ctrl-click selects"
        sizes = " · {[} {]} smaller, larger" if len(self._draft.candidates) > 1 else ""
        return f"Click adds · Alt-click takes away · Enter accepts{sizes} · Backspace last press · Esc cancels"

    @property
    def cursor(self) -> Cursor:
        return Cursor.CROSS

    @property
    def is_busy(self) -> bool:
        return self._draft is not None or self.state is not State.IDLE

    @property
    def hover_point(self) -> Point | None:
        """Where a preview is wanted: the pointer rests on the image and nothing is under way."""
        if self.is_busy or self._pointer is None or self._context.category_id is None or self._selected is not None:
            return None
        (x, y), (width, height) = self._pointer.point, self._context.document.size_wh
        return (x, y) if 0 <= x < width and 0 <= y < height else None

    def ask_for_hover(self) -> None:
        """Ask what a click at `hover_point` would take."""
        if (point := self.hover_point) is not None:
            self._ask((Press((point,)),), is_hover=True)

    def on_press(self, pointer: Pointer) -> None:
        self._pointer = pointer
        if self.state is not State.IDLE or self._context.category_id is None or pointer.button is Button.NONE:
            return
        self._pressed, self.state, self._trail = pointer, State.PRESSED, [self._on_image(pointer)]

    def on_move(self, pointer: Pointer) -> None:
        self._pointer = pointer
        if self._pressed is None or pointer.button is Button.NONE:
            return
        is_far = math.dist(pointer.point, self._pressed.point) > pointer.reach(_DRAG_SCREEN_PX)
        if self.state is State.PRESSED and is_far:
            self.state = State.STROKE if self._pressed.modifiers.shift else State.BOX
        at = self._on_image(pointer)
        if self.state is State.STROKE and math.dist(at, self._trail[-1]) > pointer.reach(_STROKE_STEP_SCREEN_PX):
            self._trail.append(at)

    def on_release(self, pointer: Pointer) -> None:
        pressed, state = self._pressed, self.state
        if pressed is None or state is State.IDLE:
            return
        self._pressed, self.state = None, State.IDLE
        if state is State.BOX:
            self._show_box(_box(self._trail[0], self._on_image(pointer)))
        elif state is State.STROKE:
            step = math.ceil(len(self._trail) / _MOST_STROKE_POINTS)
            self._show(Press(tuple(self._trail[::step]), _label(pressed)))
        elif pressed.modifiers.ctrl and not pressed.modifiers.shift:
            self._pick(pressed.point)
        else:
            self._click(pressed)

    def on_key(self, key: KeyPress) -> bool:
        if not self.is_busy:
            return False
        match key.name:
            case "Enter":
                self.accept()
            case "Escape" | "Backspace" if self.state is not State.IDLE:
                self._pressed, self.state = None, State.IDLE
            case "Escape":
                self.cancel()
            case "Backspace":
                self.step_back()
            case "[" | "]":
                self._choose(1 if key.name == "]" else -1)
            case _:
                return False
        return True

    def step_back(self) -> bool:
        if self.state is not State.IDLE:
            return super().step_back()
        if self._draft is None:
            return False
        self._taken_back.append(self._draft.presses[-1])
        self._draft.take_back()
        if not self._draft.presses:
            self._draft = None
            self._taken_back.clear()
        return True

    def step_forward(self) -> bool:
        if self._draft is None or not self._taken_back:
            return False
        self._add(self._taken_back.pop())
        return True

    def on_answer(self, serial: int, outline: Outlined | None) -> None:
        """What came of a prompt; None where nothing was found or the assistant failed."""
        if self._hover is not None and self._hover[0] == serial:
            self._hover = (serial, outline)
        if self._draft is not None:
            self._draft.answer(serial, outline)
        for draft in list(self._accepted):
            if draft.answer(serial, outline) and not draft.is_waiting:
                self._accepted.remove(draft)
                self._commit(draft)

    def on_document(self) -> None:
        """Proposals that arrive disturb nothing; another image does, and so does the end of what is corrected."""
        if self._context.document.image_id != self._image_id:
            self._image_id = self._context.document.image_id
            self._accepted.clear()
            self.cancel()
        elif self._draft is not None and not self._is_current(self._draft.base):
            self.cancel()

    def cancel(self) -> None:
        self.state, self._pressed, self._draft, self._hover = State.IDLE, None, None, None
        self._taken_back.clear()

    def accept(self) -> None:
        """The draft becomes an object, at once or when its answer is there."""
        draft, self._draft = self._draft, None
        self._taken_back.clear()
        if draft is None:
            return
        if draft.is_waiting:
            self._accepted.append(draft)
            self._outliner.keep(draft.serials[-1])
        else:
            self._commit(draft)

    def overlay(self) -> Overlay:
        shown = [draft for draft in (*self._accepted, self._draft) if draft is not None]
        instances = tuple(drafted for draft in shown if (drafted := self._drafted(draft)) is not None)
        replaced = frozenset(draft.base.id for draft in shown if draft.base is not None)
        return Overlay(
            instances=instances,
            replaced=replaced,
            lines=tuple(self._lines()),
            marks=tuple(_marks(self._draft)) if self._draft is not None else (),
            notes=tuple(self._notes()),
        )

    def _click(self, pressed: Pointer) -> None:
        point = self._on_image(pressed)
        if self._draft is not None and _label(pressed) and not self._is_near(self._draft_box(), point, pressed):
            self.accept()
        if self._draft is None and not _label(pressed) and self._selected is None:
            return  # nothing there that could be taken away
        self._show(Press((point,), _label(pressed)))

    def _show_box(self, box: Box) -> None:
        """A box is always an object of its own."""
        if box[2] - box[0] < 1 or box[3] - box[1] < 1:
            return
        self.accept()
        self._context.select(frozenset())
        self._show(Press(box=box))

    def _show(self, press: Press) -> None:
        if self._draft is None:
            self._draft = self._new_draft(press)
        self._taken_back.clear()
        self._add(press)

    def _add(self, press: Press) -> None:
        assert self._draft is not None
        before, hovered = self._draft.latest, self._hover
        presses = (*self._draft.presses, press)
        self._draft.add(press, self._ask(presses, base=self._draft.base, previous=before))
        self._hover = None
        if hovered is not None and hovered[1] is not None and len(presses) == 1 and press.label and not press.box:
            self._draft.answers[0] = hovered[1]  # shown until its own answer is there

    def _new_draft(self, press: Press) -> Draft:
        """Of what is selected, where the press is near it; of a new object anywhere else."""
        base = self._selected
        if base is not None and press.points and self._pointer is not None:
            if self._is_near(base.bounds_xyxy, press.points[0], self._pointer) or not press.label:
                return Draft(base=base)
            self._context.select(frozenset())
        return Draft()

    def _ask(
        self,
        presses: Sequence[Press],
        *,
        base: Instance | None = None,
        previous: Outlined | None = None,
        is_hover: bool = False,
    ) -> int:
        serial = next(self._serials)
        polygons = base.polygons if base is not None else ()
        if is_hover:
            self._hover = (serial, self._hover[1] if self._hover is not None else None)
        self._outliner.ask(Prompt(serial, self._image_id, tuple(presses), polygons, previous, is_hover))
        return serial

    def _pick(self, point: Point) -> None:
        """Ctrl-click: what is to be corrected, or nothing."""
        self.accept()
        self._context.select(frozenset(self._context.index.at(*point)[:1]))

    def _choose(self, step: int) -> None:
        draft = self._draft
        if draft is None or len(draft.candidates) < 2:
            return
        candidates = draft.candidates
        shown = draft.latest
        place = next((i for i, outline in enumerate(candidates) if outline is shown), 0)
        draft.choice = min(max(place + step, 0), len(candidates) - 1)

    def _commit(self, draft: Draft) -> None:
        outline = draft.latest
        if outline is None or (not outline.polygons and draft.base is None):
            return
        if draft.base is not None:
            if self._is_current(draft.base):
                change = edits.set_polygons(self._context.document, {draft.base.id: outline.polygons})
                self._context.commit(change, "Correct by pointing")
            return
        category_id = self._context.category_id
        if category_id is None:
            return
        made = self._made(self._context.allocate_id(), category_id, draft, outline)
        self._context.commit(Change.create([made]), "Outline by pointing")

    def _drafted(self, draft: Draft) -> Instance | None:
        """How the object looks so far."""
        outline = draft.latest
        if outline is None or not outline.polygons:
            return draft.base
        if draft.base is not None:
            return replace(draft.base, polygons=outline.polygons, dense=None)
        return Instance(-draft.serials[0], self._context.category_id or 0, outline.polygons, InstanceState.DRAWN)

    def _made(self, instance_id: int, category_id: int, draft: Draft, outline: Outlined) -> Instance:
        presses = len(draft.presses)
        origin = self._outliner.provenance(presses)
        return Instance(
            instance_id, category_id, tuple(outline.polygons), InstanceState.DRAWN, provenance=origin,
            dense=outline.dense,
        )  # fmt: skip

    def _lines(self) -> list[OverlayLine]:
        lines = []
        if self.state is State.BOX and self._pointer is not None:
            x1, y1, x2, y2 = _box(self._trail[0], self._on_image(self._pointer))
            corners = as_points((x1, y1), (x2, y1), (x2, y2), (x1, y2))
            lines.append(OverlayLine(corners, Stroke.DRAFT, is_closed=True))
        if self.state is State.STROKE:
            lines.append(OverlayLine(np.array(self._trail), Stroke.DRAFT))
        if self._draft is None and self.hover_point is not None and self._hover is not None and self._hover[1]:
            rings = (ring for part in self._hover[1].polygons for ring in part.rings)
            lines += [OverlayLine(ring, Stroke.DRAFT, is_closed=True) for ring in rings]
        return lines

    def _notes(self) -> list[OverlayNote]:
        """Which class it will be, at the pointer."""
        if self._pointer is None or self._context.category_id is None or not self._context.category_name:
            return []
        is_correction = self._draft.base is not None if self._draft is not None else self._selected is not None
        text = "correcting" if is_correction else self._context.category_name
        waits = " …" if self._draft is not None and self._draft.is_waiting else ""
        return [OverlayNote(*self._pointer.point, text + waits)]

    def _draft_box(self) -> Box:
        assert self._draft is not None
        outline, points = self._draft.latest, [point for press in self._draft.presses for point in press.points]
        corners = [*points, *(corner for press in self._draft.presses if press.box for corner in _corners(press.box))]
        if outline is not None:
            corners += [(float(x), float(y)) for part in outline.polygons for x, y in part.exterior]
        if self._draft.base is not None:
            corners += _corners(self._draft.base.bounds_xyxy)
        columns, rows = zip(*corners, strict=True)
        return min(columns), min(rows), max(columns), max(rows)

    def _is_near(self, box: Box, point: Point, pointer: Pointer) -> bool:
        x1, y1, x2, y2 = box
        reach = max(_NEAR_SHARE * max(x2 - x1, y2 - y1), pointer.reach(_NEAR_SCREEN_PX))
        return x1 - reach <= point[0] <= x2 + reach and y1 - reach <= point[1] <= y2 + reach

    def _is_current(self, base: Instance | None) -> bool:
        """Whether what is being corrected still looks as it did; a new object always does."""
        return base is None or self._context.document.instances.get(base.id) is base

    @property
    def _selected(self) -> Instance | None:
        """What the user has selected to be corrected."""
        chosen = self._context.selected_editable
        return self._context.document[next(iter(chosen))] if len(chosen) == 1 else None


def provenance_of(name: str, content_hash: str, presses: int, created_at: str) -> Provenance:
    """Of an object outlined by an assistant; no score or overlap chose it."""
    pressed = "1 press" if presses == 1 else f"{presses} presses"
    return Provenance(f"assist {name}, {pressed}", content_hash, 0.0, 1.0, created_at)


def _label(pointer: Pointer) -> int:
    return 0 if pointer.button is Button.RIGHT or pointer.modifiers.is_alt else 1


def _box(a: Point, b: Point) -> Box:
    return min(a[0], b[0]), min(a[1], b[1]), max(a[0], b[0]), max(a[1], b[1])


def _corners(box: Box) -> list[Point]:
    return [(box[0], box[1]), (box[2], box[3])]


def _marks(draft: Draft) -> list[OverlayMarks]:
    """What was pressed: dots for what belongs to the object and for what does not."""
    marks = []
    for label, mark in ((1, Mark.INSIDE), (0, Mark.OUTSIDE)):
        points = [point for press in draft.presses if press.label == label for point in press.points]
        if points:
            marks.append(OverlayMarks(as_points(*points), mark))
    return marks
