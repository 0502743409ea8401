"""What a tool may know and do: the document it works on, and its two outputs (`commit` and `select`)."""

from collections.abc import Callable
from dataclasses import dataclass, field

from maskwright.document.change import Change
from maskwright.document.document import Document
from maskwright.document.spatial import SpatialIndex
from maskwright.document.values import InstanceState

NO_CLASS_HINT = "Name a class first: choose the tool again or use the Classes panel"
LOCKED_HINT = "The selection is locked · {toggle_locked} unlocks it · Esc deselects"
READ_ONLY_HINT = "Read only: nothing can be changed · click an object · drag a box around several · Ctrl-drag a lasso"


@dataclass(frozen=True, slots=True)
class ToolOptions:
    """The user's switches that apply to all tools."""

    snaps: bool = True
    """New and dragged vertices snap to neighbours' vertices and edges and to the image border."""
    joins: bool = True
    """Dragging a vertex shared with neighbours moves theirs too."""
    join_tolerance: float = 0.75
    """Distance within which vertices count as shared, image pixels."""
    brush_radius: float = 20.0
    """Image pixels."""
    nudge_px: float = 1.0


def _no_ids() -> int:
    raise RuntimeError("no id allocator: the session sets ToolContext.allocate_id")


@dataclass(slots=True)
class ToolContext:
    """Shared by the canvas and its tools; the session supplies new ids."""

    commit: Callable[[Change, str], None]
    """Passes on a finished change with its name for the undo menu."""
    select: Callable[[frozenset[int]], None]
    document: Document = field(default_factory=lambda: Document.of(0, (1, 1)))
    index: SpatialIndex = field(default_factory=lambda: SpatialIndex(Document.of(0, (1, 1))))
    selection: frozenset[int] = frozenset()
    category_id: int | None = None
    """The class of newly drawn instances; None: nothing can be drawn yet."""
    category_name: str = ""
    """The name of that class, shown at the pointer."""
    is_read_only: bool = False
    """Whether the project cannot be changed: objects can only be selected."""
    options: ToolOptions = ToolOptions()
    ask_class: Callable[[], None] = lambda: None
    """The drawn outline cannot be finished without a class; the tool keeps it meanwhile."""
    allocate_id: Callable[[], int] = _no_ids
    """A new instance id, unique in the project."""

    def set_document(self, document: Document) -> None:
        """Set the document that tools work on."""
        self.document = document
        self.index = SpatialIndex(document)

    def apply(self, change: Change, document: Document) -> None:
        """document: the current one after `change`."""
        self.document = document
        self.index = self.index.after(change, document)

    @property
    def selected_editable(self) -> frozenset[int]:
        """The selected instances that exist and are neither hidden nor locked; none in a read-only project."""
        if self.is_read_only:
            return frozenset()
        instances = self.document.instances
        return frozenset(
            id_
            for id_ in self.selection
            if id_ in instances and not instances[id_].is_locked and instances[id_].is_visible
        )

    @property
    def is_selection_locked(self) -> bool:
        """Whether everything selected and visible is locked, so that no tool may change it."""
        shown = [one for id_ in self.selection if (one := self.document.instances.get(id_)) and one.is_visible]
        return bool(shown) and all(instance.is_locked for instance in shown)


def drawn_hint(context: ToolContext) -> str:
    """What sets the classes of the next object and of the one just drawn, if that is the one selected; else empty."""
    instances = [context.document.instances.get(id_) for id_ in context.selection]
    is_drawn = len(instances) == 1 and instances[0] is not None and instances[0].state is InstanceState.DRAWN
    return " · {class_1}-{class_9}: class of the next object · {change_class}: of this one" if is_drawn else ""
