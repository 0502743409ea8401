"""Outlines an object that the user points at; further presses correct it. A state machine without Qt or network.

A click shows what belongs to the object, Alt or the right button what does not, a drag a box, Shift and a drag a rough
stroke. With an object selected the same presses correct its outline. Answers come later, through `on_answer`.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from typing import ClassVar

from maskwright.document.values import Instance
from maskwright_gui.features.point.draft import (
    Accepted,
    Box,
    Draft,
    Foreseen,
    OutlineAnswer,
    Outliner,
    Point,
    PointPrompt,
    Press,
    is_current,
)
from maskwright_gui.features.point.pressing import Pressing, PressState, box_between, has_area, label_of
from maskwright_gui.features.point.showing import draft_marks, drafted, foreseen_lines, is_near, press_lines, reach_of
from maskwright_gui.tools.context import ToolContext
from maskwright_gui.tools.overlay import Overlay, OverlayLine, OverlayNote
from maskwright_gui.tools.tool import BaseTool, Button, Cursor, KeyPress, Pointer

NAME = "point"


class PointTool(BaseTool):
    """See the module docstring. `outliner` answers; `describe` gives the object's provenance."""

    name = NAME
    _keys_while_busy: ClassVar[frozenset[str]] = frozenset({"Escape", "Enter", "Backspace", "[", "]"})

    def __init__(self, context: ToolContext, outliner: Outliner, serials: "count[int]") -> None:
        super().__init__(context)
        self._outliner, self._serials = outliner, serials
        self._pressing = Pressing()
        self._draft: Draft | None = None
        self._accepted: list[Accepted] = []
        """Accepted before the assistant had answered; committed when it does."""
        self._taken_back: list[Press] = []
        self._pointer: Pointer | None = None
        self._foreseen: Foreseen | None = None
        self._image_id = context.document.image_id

    @property
    def hint(self) -> str:
        if self._context.category_id is None:
            return "Name a class first: choose the tool again or use the Classes panel"
        if self._draft is None:
            if self._selected is not None:
                return (
                    "Click what the outline misses · Alt- or right-click what it should leave out · "
                    "click far away to outline another object"
                )
            return "Click an object · drag a box around it · Shift-drag a stroke over it · Ctrl-click selects"
        sizes = " · {[} {]} smaller, larger" if len(self._draft.candidates) > 1 else ""
        return f"Click adds · Alt- or right-click removes · Enter accepts{sizes} · Esc undoes the last click"

    @property
    def cursor(self) -> Cursor:
        return Cursor.CROSS

    @property
    def is_busy(self) -> bool:
        return self._draft is not None or self._is_pressed

    @property
    def is_whole(self) -> bool:
        return not self._is_pressed

    @property
    def next_press(self) -> Press | None:
        """The press that the mouse is about to make; None if that is unclear or would give nothing."""
        pointer = self._pointer
        if pointer is None or self._context.category_id is None:
            return None
        if self._pressing.state is PressState.BOX:
            box = box_between(self._pressing.trail[0], self._on_image(pointer))
            return Press(box=box) if has_area(box) else None
        (x, y), (width, height) = pointer.point, self._context.document.size_wh
        if self._is_pressed or not (0 <= x < width and 0 <= y < height):
            return None
        press = Press(((x, y),), label_of(pointer))
        if self._draft is not None and self._draft.is_waiting:
            return None
        return press if press.label or self._draft is not None or self._selected is not None else None

    @property
    def is_searching(self) -> bool:
        """Whether the next press says nothing about the object's size."""
        press = self.next_press
        return press is not None and press.box is None and self._draft_of(press) is None

    def foresee(self) -> None:
        """Ask for the outline of `next_press` before it is made."""
        press = self.next_press
        if press is None:
            return
        draft = self._draft_of(press)
        presses = (*draft.presses, press) if draft is not None else (press,)
        base, previous = (draft.base, draft.latest) if draft is not None else (None, None)
        before = self._foreseen
        serial = self._ask(presses, base=base, previous=previous, is_hover=True)
        is_same = before is not None and before.is_like(presses)
        self._foreseen = Foreseen(serial, presses, before.outline if before is not None and is_same else None)

    def takes_right_button(self, pointer: Pointer) -> bool:
        """Also for the first press on a selected object, which the right button corrects as Alt does."""
        chosen = self._selected
        return self.is_busy or (chosen is not None and is_near(chosen.bounds_xyxy, pointer.point, pointer))

    def on_press(self, pointer: Pointer) -> None:
        self._pointer = pointer
        if self._is_pressed or self._context.category_id is None or pointer.button is Button.NONE:
            return
        self._pressing.begin(pointer, self._on_image(pointer))

    def on_move(self, pointer: Pointer) -> None:
        self._pointer = pointer
        if pointer.button is not Button.NONE:
            self._pressing.move(pointer, self._on_image(pointer))

    def on_release(self, pointer: Pointer) -> None:
        pressed = self._pressing.end(self._on_image(pointer))
        if pressed is None:
            return
        if pressed.kind is PressState.BOX:
            self._show_box(pressed.box)
        elif pressed.kind is PressState.STROKE:
            self._show(Press(pressed.trail, label_of(pressed.at)))
        elif pressed.at.modifiers.ctrl and not pressed.at.modifiers.shift:
            self._pick(pressed.at.point)
        else:
            self._click(pressed.at)

    def on_key(self, key: KeyPress) -> bool:
        if not self.is_busy:
            return False
        match key.name:
            case "Enter":
                self.accept()
            case "Escape" | "Backspace" if self._is_pressed:
                self._pressing.cancel()
                self._foreseen = None
            case "Escape" | "Backspace":
                self.step_back()
            case "[" | "]":
                self._choose(1 if key.name == "]" else -1)
            case _:
                return False
        return True

    def step_back(self) -> bool:
        if self._is_pressed:
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

    def on_answer(self, serial: int, outline: OutlineAnswer | None) -> None:
        """The answer to a prompt; None if nothing was found or the assistant failed."""
        if self._foreseen is not None and self._foreseen.serial == serial:
            self._foreseen = replace(self._foreseen, outline=outline)
        if self._draft is not None:
            self._draft.answer(serial, outline)
        for accepted in list(self._accepted):
            if accepted.draft.answer(serial, outline) and not accepted.draft.is_waiting:
                self._accepted.remove(accepted)
                self._commit(accepted)

    def on_document(self) -> None:
        """New proposals disturb nothing; another image, or a change of the object being corrected, ends the draft."""
        if self._context.document.image_id != self._image_id:
            self.cancel()
            self._image_id = self._context.document.image_id
        elif self._draft is not None and not is_current(self._draft.base, self._context.document):
            self.cancel()

    def cancel(self) -> None:
        """Discard the draft; what was accepted is made when its answer comes, wherever the user is by then."""
        for accepted in self._accepted:
            self._outliner.finish(accepted)
        self._accepted.clear()
        self._pressing.cancel()
        self._draft, self._foreseen = None, None
        self._taken_back.clear()

    def accept(self) -> None:
        """Make the draft an object, at once or when its answer arrives."""
        if self._draft is not None and self._draft.base is None and self._context.category_id is None:
            self._context.ask_class()  # it was deleted meanwhile; the draft stays
            return
        draft, self._draft = self._draft, None
        self._taken_back.clear()
        if draft is None:
            return
        accepted = Accepted(draft, self._image_id, self._context.category_id or 0)
        if draft.is_waiting:
            self._accepted.append(accepted)
            self._outliner.keep(draft.serials[-1])
        else:
            self._commit(accepted)

    def leave(self) -> None:
        """Accept the draft of an image that is about to be replaced; the outliner makes the object there."""
        draft = self._draft
        if draft is None or self._is_pressed or (draft.base is None and self._context.category_id is None):
            return
        self._draft = None
        if draft.is_waiting:
            self._outliner.keep(draft.serials[-1])
        self._outliner.finish(Accepted(draft, self._image_id, self._context.category_id or 0))

    def overlay(self) -> Overlay:
        shown = [(accepted.draft, accepted.category_id) for accepted in self._accepted]
        if self._draft is not None:
            shown.append((self._draft, self._context.category_id or 0))
        instances = [made for draft, class_id in shown if (made := drafted(draft, class_id)) is not None]
        replaced = frozenset(draft.base.id for draft, _ in shown if draft.base is not None)
        return Overlay(
            instances=tuple(instances),
            replaced=replaced,
            lines=tuple(self._lines()),
            marks=tuple(draft_marks(self._draft)) if self._draft is not None else (),
            notes=tuple(self._notes()),
        )

    @property
    def _is_pressed(self) -> bool:
        return self._pressing.state is not PressState.IDLE

    def _click(self, pressed: Pointer) -> None:
        point = self._on_image(pressed)
        if self._draft is not None and label_of(pressed) and not is_near(reach_of(self._draft), point, pressed):
            self.accept()
        if self._draft is None and not label_of(pressed) and self._selected is None:
            return  # nothing there to be removed
        self._show(Press((point,), label_of(pressed)))

    def _show_box(self, box: Box) -> None:
        """Draft a box, which is always a new object."""
        if not has_area(box):
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
        before, foreseen = self._draft.latest, self._foreseen
        presses = (*self._draft.presses, press)
        self._draft.add(press, self._ask(presses, base=self._draft.base, previous=before))
        if foreseen is not None and foreseen.outline is not None and foreseen.is_like(presses):
            self._draft.answers[-1] = foreseen.outline  # shown until its own answer arrives
        self._foreseen = None

    def _new_draft(self, press: Press) -> Draft:
        """A draft of the selection if the press is meant for it, else of a new object."""
        draft = self._draft_of(press)
        if draft is None and self._selected is not None and press.points:
            self._context.select(frozenset())
        return draft or Draft()

    def _draft_of(self, press: Press) -> Draft | None:
        """The draft that a press belongs to, or a new one of the selection; None for a new object."""
        if press.box is not None or self._pointer is None:
            return None
        draft, base, at = self._draft, self._selected, press.points[0]
        if draft is not None:
            return draft if not press.label or is_near(reach_of(draft), at, self._pointer) else None
        is_meant = base is not None and (not press.label or is_near(base.bounds_xyxy, at, self._pointer))
        return Draft(base=base) if is_meant else None

    def _ask(
        self,
        presses: Sequence[Press],
        *,
        base: Instance | None = None,
        previous: OutlineAnswer | None = None,
        is_hover: bool = False,
    ) -> int:
        serial = next(self._serials)
        polygons = base.polygons if base is not None else ()
        self._outliner.ask(PointPrompt(serial, self._image_id, tuple(presses), polygons, previous, is_hover))
        return serial

    def _pick(self, point: Point) -> None:
        """Ctrl-click: select the object to correct, or nothing."""
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

    def _commit(self, accepted: Accepted) -> None:
        origin = self._outliner.provenance(len(accepted.draft.presses))
        step = accepted.change(self._context.document, self._context.allocate_id, origin)
        if step is not None:
            self._context.commit(*step)

    def _lines(self) -> list[OverlayLine]:
        at = self._pointer if self._is_pressed else None
        pressed = press_lines(self._pressing, self._on_image(at)) if at is not None else []
        is_new = self._draft is None and self._selected is None
        return [*pressed, *foreseen_lines(self._foreseen, self.next_press, is_new=is_new)]

    def _notes(self) -> list[OverlayNote]:
        """The class of the new object, shown at the pointer."""
        if self._pointer is None or self._context.category_id is None or not self._context.category_name:
            return []
        is_correction = self._draft.base is not None if self._draft is not None else self._selected is not None
        text = "correcting" if is_correction else self._context.category_name
        waits = " …" if self._draft is not None and self._draft.is_waiting else ""
        return [OverlayNote(*self._pointer.point, text + waits)]

    @property
    def _selected(self) -> Instance | None:
        """The object selected for correction."""
        chosen = self._context.selected_editable
        return self._context.document[next(iter(chosen))] if len(chosen) == 1 else None
