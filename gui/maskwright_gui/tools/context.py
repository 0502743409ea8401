"""What a tool may know and do: the document it works on, and the two ways out (`commit` and `select`)."""

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
    """Switches that a user sets for all tools."""

    snaps: bool = True
    """New and dragged vertices catch neighbours' vertices, edges and the image border."""
    joins: bool = True
    """Dragging a vertex that neighbours share moves theirs too."""
    join_tolerance: float = 0.75
    """How far apart vertices count as shared, image pixels."""
    brush_radius: float = 20.0
    """Image pixels."""
    nudge_px: float = 1.0


def _no_ids() -> int:
    raise RuntimeError("no id allocator: the session sets ToolContext.allocate_id")


@dataclass(slots=True)
class ToolContext:
    """Shared by the canvas and its tools; the session fills in where ids come from."""

    commit: Callable[[Change, str], None]
    """Hands over a finished change with its name for the undo menu."""
    select: Callable[[frozenset[int]], None]
    document: Document = field(default_factory=lambda: Document.of(0, (1, 1)))
    index: SpatialIndex = field(default_factory=lambda: SpatialIndex(Document.of(0, (1, 1))))
    selection: frozenset[int] = frozenset()
    category_id: int | None = None
    """The class of newly drawn instances; None: nothing can be drawn yet."""
    category_name: str = ""
    """Its name, to be shown at the pointer."""
    is_read_only: bool = False
    """The project cannot be changed: objects can be selected, no more."""
    options: ToolOptions = ToolOptions()
    ask_class: Callable[[], None] = lambda: None
    """What is drawn cannot be finished: it has no class. The tool keeps it meanwhile."""
    allocate_id: Callable[[], int] = _no_ids
    """A fresh instance id, unique in the project."""

    def set_document(self, document: Document) -> None:
        """The document that tools work on from now on."""
        self.document = document
        self.index = SpatialIndex(document)

    def apply(self, change: Change, document: Document) -> None:
        """`document` is the one before after `change`."""
        self.document = document
        self.index = self.index.after(change, document)

    @property
    def selected_editable(self) -> frozenset[int]:
        """The selected instances that exist and are neither hidden nor locked; none of a project that is read only."""
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
        """Whether all that is selected and in view is locked, so that no tool may touch it."""
        shown = [one for id_ in self.selection if (one := self.document.instances.get(id_)) and one.is_visible]
        return bool(shown) and all(instance.is_locked for instance in shown)


def drawn_hint(context: ToolContext) -> str:
    """What can be done about the class of the object just drawn, which is the one selected; else nothing."""
    instances = [context.document.instances.get(id_) for id_ in context.selection]
    is_drawn = len(instances) == 1 and instances[0] is not None and instances[0].state is InstanceState.DRAWN
    return " · {class_1}-{class_9} or {change_class}: change the class of the object just drawn" if is_drawn else ""
