"""The table of everything that a person can tell the window to do, and the QActions made from it.

One row per action; menus, tool bar, shortcuts, the command palette and the key sheet are all read from here, so that a
key can be changed in one place.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QWidget

from maskwright_gui.icons import themed_icon
from maskwright_gui.theme import Theme


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """`menu` is the title of its menu; where `group` changes, the menu has a line."""

    id: str
    text: str
    menu: str
    group: int
    keys: tuple[str, ...] = ()
    icon: str = ""
    is_checkable: bool = False
    exclusive: str = ""
    """Actions of the same name are radio buttons."""
    is_canvas: bool = False
    """Its keys count only on the canvas and in the lists: elsewhere Space presses buttons and Tab moves the focus."""


REPEATED = frozenset({
    "undo", "redo", "select_next", "select_previous", "next_image", "previous_image", "next_open", "previous_open",
    "score_up", "score_down", "zoom_in", "zoom_out",
})  # fmt: skip
"""A key that is held does these again and again. All else happens once: no finger that rests on Enter accepts proposals
that nobody has looked at, and a tool's key may be held for as long as the tool is needed."""
LENT = "Hold the key for one stroke and come back"
"""Of the tools; see `commands.tool_keys`."""

_CLASSES = tuple(ActionSpec(f"class_{n}", f"Class {n}", "Classes", 0, (str(n),)) for n in range(1, 10))

ACTIONS: tuple[ActionSpec, ...] = (
    ActionSpec("open_folder", "Open folder…", "File", 0, ("Ctrl+U", "Ctrl+Shift+O"), "folder-open"),
    ActionSpec("open_project", "Open project…", "File", 0, ("Ctrl+O",)),
    ActionSpec("open_samples", "Open the samples", "File", 0),
    ActionSpec("save", "Save now", "File", 1, ("Ctrl+S",), "check"),
    ActionSpec("export", "Export annotations…", "File", 1, ("Ctrl+Shift+E",), "export"),
    ActionSpec("check", "Check the annotations", "File", 1),
    ActionSpec("import", "Import annotations…", "File", 1),
    ActionSpec("locate", "Locate missing images…", "File", 1),
    ActionSpec("close_project", "Close project", "File", 2, ("Ctrl+W",)),
    ActionSpec("quit", "Quit", "File", 3, ("Ctrl+Q",)),
    ActionSpec("undo", "Undo", "Edit", 0, ("Ctrl+Z",), "arrow-u-up-left"),
    ActionSpec("redo", "Redo", "Edit", 0, ("Ctrl+Shift+Z", "Ctrl+Y"), "arrow-u-up-right"),
    ActionSpec("select_all", "Select all objects", "Edit", 1, ("Ctrl+A",), "selection"),
    ActionSpec("select_next", "Select next object", "Edit", 1, ("Tab",), is_canvas=True),
    ActionSpec("select_previous", "Select previous object", "Edit", 1, ("Shift+Tab",), is_canvas=True),
    ActionSpec("deselect", "Deselect", "Edit", 1, ("Ctrl+Shift+A",)),
    ActionSpec("delete", "Delete", "Edit", 2, ("Del",), "trash", is_canvas=True),
    ActionSpec("change_class", "Change class…", "Edit", 2, ("Ctrl+E",), "tag"),
    ActionSpec("toggle_ask_class", "Ask for the class after drawing", "Edit", 2, (), is_checkable=True),
    ActionSpec("toggle_hidden", "Hide or show", "Edit", 2, ("H",), "eye"),
    ActionSpec("toggle_locked", "Lock or unlock", "Edit", 2, ("L",), "lock"),
    ActionSpec("copy", "Copy objects", "Edit", 3, ("Ctrl+C",), "copy"),
    ActionSpec("paste", "Paste objects in place", "Edit", 3, ("Ctrl+V",), "clipboard"),
    ActionSpec("carry", "Copy to the next image", "Edit", 3, ("Ctrl+B",)),
    ActionSpec("duplicate", "Duplicate objects", "Edit", 3, ("Ctrl+D",)),
    ActionSpec("merge", "Merge", "Shape", 0, ("M",), "git-merge"),
    ActionSpec("subtract", "Cut the topmost out of the others", "Shape", 0, ("Shift+M",)),
    ActionSpec("intersect", "Intersect", "Shape", 0, (), "intersect"),
    ActionSpec("group", "Group as parts of one object", "Shape", 1, ("G",)),
    ActionSpec("ungroup", "Ungroup parts", "Shape", 1, ("Shift+G", "U")),
    ActionSpec("fill_holes", "Fill holes", "Shape", 2, ("Shift+H",)),
    ActionSpec("keep_largest_part", "Keep only the largest part", "Shape", 2, ("Shift+K",)),
    ActionSpec("smooth", "Smooth", "Shape", 2),
    ActionSpec("to_box", "Convert to box", "Shape", 2),
    ActionSpec("bring_forward", "Bring to front", "Shape", 3, ("Ctrl+]",)),
    ActionSpec("send_backward", "Send to back", "Shape", 3, ("Ctrl+[",)),
    ActionSpec("next_image", "Next image", "Image", 0, ("D", "PgDown"), "caret-right"),
    ActionSpec("previous_image", "Previous image", "Image", 0, ("A", "PgUp"), "caret-left"),
    ActionSpec("next_open", "Next image not done", "Image", 0, ("Ctrl+Shift+D",)),
    ActionSpec("previous_open", "Previous image not done", "Image", 0, ("Ctrl+Shift+B",)),
    ActionSpec("done", "Done, and next image", "Image", 1, ("Space", "Ctrl+Alt+K"), "check-circle", is_canvas=True),
    ActionSpec("reopen", "Not done after all", "Image", 1, ("Shift+Space",), is_canvas=True),
    ActionSpec("next_doubt", "Next doubtful place", "Image", 1, ("Q",), "question"),
    ActionSpec("data_set", "The whole data set…", "Image", 2, ("Ctrl+G",), "squares-four"),
    ActionSpec("history", "History of this image…", "Image", 2, ("Ctrl+H",)),
    ActionSpec("effort", "Correction effort…", "Image", 2),
    ActionSpec("find_image", "Find image by name", "Image", 2, ("Ctrl+F",), "magnifying-glass"),
    ActionSpec("run_model", "Run model on this image", "Model", 0, ("I",), "lightning"),
    ActionSpec("run_batch", "Run model on all images", "Model", 0, ("Ctrl+Shift+I",), "stack"),
    ActionSpec("pause_batch", "Pause or resume the batch", "Model", 0, ("Ctrl+Shift+P",), "pause"),
    ActionSpec("cancel_batch", "Cancel the batch", "Model", 0, (), "x-circle"),
    ActionSpec("accept", "Accept proposal, select next", "Model", 1, ("Return", "Enter"), "check", is_canvas=True),
    ActionSpec("reject", "Reject proposal, select next", "Model", 1, ("Backspace", "X"), "x", is_canvas=True),
    ActionSpec(
        "accept_above",
        "Accept all proposals above the score",
        "Model",
        1,
        ("Shift+Return", "Shift+Enter"),
        is_canvas=True,
    ),
    ActionSpec(
        "accept_view", "Accept all proposals in view", "Model", 1, ("Ctrl+Return", "Ctrl+Enter"), is_canvas=True
    ),
    ActionSpec(
        "reject_below", "Reject all proposals below the score", "Model", 1, ("Shift+Backspace",), is_canvas=True
    ),
    ActionSpec("reject_view", "Reject all proposals in view", "Model", 1, ("Ctrl+Backspace",), is_canvas=True),
    ActionSpec(
        "accept_class",
        "Accept all proposals of the class",
        "Model",
        1,
        ("Ctrl+Shift+Return", "Ctrl+Shift+Enter"),
        is_canvas=True,
    ),
    ActionSpec(
        "reject_class", "Reject all proposals of the class", "Model", 1, ("Ctrl+Shift+Backspace",), is_canvas=True
    ),
    ActionSpec("propose_again", "Propose again what was rejected here", "Model", 1, ("Shift+X",), is_canvas=True),
    ActionSpec("score_up", "Raise the score", "Model", 1, ("Alt+Up",)),
    ActionSpec("score_down", "Lower the score", "Model", 1, ("Alt+Down",)),
    ActionSpec("choose_model", "Open a model file…", "Model", 2, (), "cpu"),
    ActionSpec("models", "Get and manage models…", "Model", 2),
    ActionSpec("compare", "Compare with another model…", "Model", 2),
    ActionSpec("map_classes", "Classes of the model…", "Model", 2, (), "tag"),
    ActionSpec("show_failures", "Images that failed…", "Model", 2, (), "warning"),
    ActionSpec("fit", "Fit image", "View", 0, ("F",), "corners-out"),
    ActionSpec("zoom_100", "100 %", "View", 0, ("Ctrl+0",)),
    ActionSpec("zoom_in", "Zoom in", "View", 0, ("Ctrl++", "Ctrl+=")),
    ActionSpec("zoom_out", "Zoom out", "View", 0, ("Ctrl+-",)),
    ActionSpec("zoom_selection", "Zoom to selection", "View", 0, ("Z",)),
    ActionSpec("toggle_objects", "Objects", "View", 1, ("T",), is_checkable=True),
    ActionSpec("cycle_labels", "Labels: all, selected, none", "View", 1, ("Shift+L",), "text-aa"),
    ActionSpec("cycle_fill", "Fill: light, strong, none", "View", 1, ("Shift+F",)),
    ActionSpec("display", "Brightness, contrast and range…", "View", 1),
    ActionSpec("toggle_crosshair", "Crosshair", "View", 1, ("Shift+C",), is_checkable=True),
    ActionSpec("toggle_minimap", "Minimap", "View", 1, ("Shift+N",), is_checkable=True),
    ActionSpec("toggle_snapping", "Snap to neighbours and border", "View", 1, ("Shift+S",), is_checkable=True),
    ActionSpec("toggle_welding", "Move shared vertices together", "View", 1, ("Shift+W",), is_checkable=True),
    ActionSpec("toggle_follow", "Zoom in on the next object", "View", 1, (), is_checkable=True),
    ActionSpec("toggle_wheel", "Wheel alone zooms", "View", 1, (), is_checkable=True),
    ActionSpec("toggle_chrome", "Hide or show all panels", "View", 1, ("F11",), "frame-corners"),
    ActionSpec("toggle_tool_names", "Names beside the tools", "View", 1, (), is_checkable=True),
    ActionSpec("next_panel", "Go to the next panel", "View", 1, ("F6",)),
    ActionSpec("previous_panel", "Go to the previous panel", "View", 1, ("Shift+F6",)),
    ActionSpec("toggle_theme", "Light or dark theme", "View", 1, ("Ctrl+Shift+L",), "moon"),
    ActionSpec("reset_layout", "Restore the panels", "View", 1),
    ActionSpec("palette", "Search actions", "Help", 0, ("Ctrl+K",), "magnifying-glass"),
    ActionSpec("keys", "Change keys…", "Help", 0),
    ActionSpec("key_sheet", "Keyboard sheet", "Help", 0, ("F1",), "keyboard"),
    ActionSpec("about", "About Maskwright", "Help", 1, (), "info"),
    *_CLASSES,
)

MENUS = ("File", "Edit", "Image", "Tools", "Shape", "Model", "View", "Help")


def tool_specs(tools: Mapping[str, tuple[str, str, tuple[str, ...]]]) -> tuple[ActionSpec, ...]:
    """Rows for the drawing tools, from {tool id: (text, icon, keys)}."""
    return tuple(
        ActionSpec(f"tool_{id_}", text, "Tools", 0, keys, icon, is_checkable=True, exclusive="tool")
        for id_, (text, icon, keys) in tools.items()
    )


class Actions:
    """The QActions of the window by id."""

    def __init__(self, specs: tuple[ActionSpec, ...], owner: QWidget) -> None:
        self.specs = {spec.id: spec for spec in specs}
        self._groups: dict[str, QActionGroup] = {}
        self._actions = {spec.id: self._make(spec, owner) for spec in specs}

    def __getitem__(self, action_id: str) -> QAction:
        return self._actions[action_id]

    def connect(self, slots: Mapping[str, Callable[[], object]]) -> None:
        """Wire actions to what they do; raises KeyError for an id that is not in the table."""
        for action_id, slot in slots.items():
            self._actions[action_id].triggered.connect(lambda _checked=False, slot=slot: slot())

    def attach(self, *widgets: QWidget) -> None:
        """Give these widgets the keys that count only there."""
        for id_, spec in self.specs.items():
            if spec.is_canvas:
                for widget in widgets:
                    widget.addAction(self._actions[id_])

    def set_theme(self, theme: Theme) -> None:
        for id_, spec in self.specs.items():
            if spec.icon:
                self._actions[id_].setIcon(themed_icon(spec.icon, theme))

    def use_keys(self, keys: Mapping[str, tuple[str, ...]]) -> None:
        """Give every action the keys of a keymap, its tool tip included."""
        for id_, action in self._actions.items():
            self._set_keys(action, keys[id_])

    def happens_once(self, keys: QKeySequence) -> bool:
        """Whether these are the keys of an action that does not repeat while they are held."""
        own = (action for action in self._actions.values() if keys in action.shortcuts())
        return any(not action.autoRepeat() for action in own)

    def set_enabled(self, action_ids: tuple[str, ...], is_enabled: bool) -> None:
        for action_id in action_ids:
            self._actions[action_id].setEnabled(is_enabled)

    def _make(self, spec: ActionSpec, owner: QWidget) -> QAction:
        action = QAction(spec.text, owner)
        action.setObjectName(spec.id)
        if spec.is_canvas:
            action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        action.setCheckable(spec.is_checkable)
        self._set_keys(action, spec.keys)
        action.setAutoRepeat(spec.id in REPEATED)
        if spec.exclusive:
            if spec.exclusive not in self._groups:
                self._groups[spec.exclusive] = QActionGroup(owner)
            self._groups[spec.exclusive].addAction(action)
        if not spec.is_canvas:
            owner.addAction(action)
        return action

    def _set_keys(self, action: QAction, keys: tuple[str, ...]) -> None:
        action.setShortcuts([QKeySequence(key) for key in keys])
        shown = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        spec = self.specs[action.objectName()]
        tip = f"{spec.text} ({shown})" if shown else spec.text
        action.setToolTip(f"{tip}\n{LENT}" if shown and spec.exclusive else tip)


def check_keys(specs: tuple[ActionSpec, ...]) -> dict[str, list[str]]:
    """Keys that more than one action claims: {key: action ids}."""
    claims: dict[str, list[str]] = {}
    for spec in specs:
        for key in spec.keys:
            claims.setdefault(QKeySequence(key).toString(), []).append(spec.id)
    return {key: ids for key, ids in claims.items() if len(ids) > 1}
