"""What a user can tell the window to do: how a feature declares it, and the QActions made from that.

Menus, toolbar, menu of the canvas, keys, command palette and key sheet are all read from the declarations.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QWidget

from maskwright_gui.keymap import DEFAULT_PRESET, PRESET_NAMES, Keymap, Keys, with_keys
from maskwright_gui.theme import Theme, themed_icon

if TYPE_CHECKING:
    from maskwright_gui.session import Session

LENT = "Hold the key to use it for one stroke"
"""Said of the tools; see `features.tools.lending`."""


class Menu(StrEnum):
    """The menus in their order. Alt and the first letter open one, so no two may begin alike."""

    FILE = "File"
    EDIT = "Edit"
    IMAGE = "Image"
    TOOLS = "Tools"
    SHAPE = "Shape"
    MODEL = "Model"
    VIEW = "View"
    HELP = "Help"
    CLASSES = "Classes"
    """Only a heading in lists of keys: the panel of the classes is their menu."""

    @property
    def is_on_bar(self) -> bool:
        """Whether it is one of the window's menus."""
        return self is not Menu.CLASSES


class Under(StrEnum):
    """What is under the pointer when the menu of the canvas opens."""

    NOTHING = "nothing"
    OBJECT = "object"
    SEVERAL = "several"
    """An object, while two or more are selected."""


Need = Callable[["Session"], bool]
"""Whether an action makes sense now."""


def nothing(_session: "Session") -> bool:
    """Needs nothing: works at any time."""
    return True


def a_project(session: "Session") -> bool:
    """Needs an open project."""
    return session.project is not None


def may_edit(session: "Session") -> bool:
    """For all that would change the project: while that is open for reading only it rests."""
    return session.project is not None and not session.project.is_read_only


@dataclass(frozen=True, slots=True)
class Action:
    """Everything the window knows about one action; the only place where any of it is written."""

    id: str
    text: str
    menu: Menu
    group: int
    """Actions of a menu are sorted by it, then by when they were added; where it changes, the menu has a line."""
    slot: Callable[[], object] | None = None
    """None for a switch: its feature listens to `toggled`."""
    keys: Keys = ()
    presets: Keymap = field(default_factory=dict)
    """{name of a key preset: its keys}, where they differ from `keys`."""
    icon: str = ""
    needs: Need = a_project
    repeats: bool = False
    """Again and again while its key is held. All else happens once: no finger that rests on Enter accepts proposals
    that nobody has looked at."""
    is_checkable: bool = False
    exclusive: str = ""
    """Actions of the same name are radio buttons."""
    is_canvas: bool = False
    """Its keys count only on the canvas and in the lists: elsewhere Space presses buttons and Tab moves the focus."""
    words: str = ""
    """What newcomers and other programs call it: the search finds it by these, too."""
    tool_bar: tuple[int, str] | None = None
    """(group on the toolbar, what stands beside the icon if names are shown)."""
    canvas_menu: tuple[tuple[Under, int], ...] = ()
    """(where, group) in the menu of the right mouse button."""


class Actions(QObject):
    """The QActions of the window by id."""

    keys_changed = Signal()
    """Texts that name a key have to be made again."""

    def __init__(self, owner: QWidget) -> None:
        super().__init__(owner)
        self._owner = owner
        self.specs: dict[str, Action] = {}
        self._groups: dict[str, QActionGroup] = {}
        self._actions: dict[str, QAction] = {}

    def __getitem__(self, action_id: str) -> QAction:
        return self._actions[action_id]

    def add(self, specs: Iterable[Action]) -> None:
        """Make the QActions of a feature; raises ValueError for an id that exists."""
        for spec in specs:
            if spec.id in self.specs:
                raise ValueError(f"two actions are called {spec.id!r}")
            self.specs[spec.id] = spec
            self._actions[spec.id] = self._make(spec)

    def in_menu(self, menu: Menu) -> list[list[QAction]]:
        """The actions of a menu, group by group."""
        return self._grouped((spec.group, spec) for spec in self.specs.values() if spec.menu is menu)

    def on_tool_bar(self) -> list[list[QAction]]:
        """The actions of the toolbar, group by group; the icon text of each is its short name."""
        return self._grouped((spec.tool_bar[0], spec) for spec in self.specs.values() if spec.tool_bar is not None)

    def in_canvas_menu(self, under: Under) -> list[list[QAction]]:
        """What can be done with what is under the pointer, group by group."""
        wanted = ((place, spec) for spec in self.specs.values() for place in spec.canvas_menu)
        return self._grouped((group, spec) for (where, group), spec in wanted if where is under)

    def attach(self, widget: QWidget) -> None:
        """Give a widget the keys that count only on the canvas and in the lists."""
        widget.addActions([self._actions[id_] for id_, spec in self.specs.items() if spec.is_canvas])

    def set_theme(self, theme: Theme) -> None:
        """Draw the icons in its colours."""
        for id_, spec in self.specs.items():
            if spec.icon:
                self._actions[id_].setIcon(themed_icon(spec.icon, theme))

    @property
    def default_keys(self) -> Keymap:
        """{id: keys} as the features declare them."""
        return {id_: spec.keys for id_, spec in self.specs.items()}

    @property
    def presets(self) -> Mapping[str, Keymap]:
        """{name: the keys that differ from ours}, ours first."""
        named = {
            name: {id_: spec.presets[name] for id_, spec in self.specs.items() if name in spec.presets}
            for name in PRESET_NAMES
        }
        return {DEFAULT_PRESET: {}, **named}

    def use_keys(self, keys: Keymap) -> None:
        """Give every action the keys of a keymap, its tooltip included."""
        for id_, action in self._actions.items():
            self._set_keys(action, keys[id_])
        self.keys_changed.emit()

    @property
    def shown_keys(self) -> Mapping[str, str]:
        """{id: the first current key, as a user reads it}; for an action without one its name."""
        return {
            id_: shown_key(action.shortcut()) or f"“{self.specs[id_].text.rstrip('…')}”"
            for id_, action in self._actions.items()
        }

    def with_keys(self, text: str) -> str:
        """`text`, where "{accept}" stands for the current key of the action `accept`."""
        return with_keys(text, self.shown_keys)

    def happens_once(self, keys: QKeySequence) -> bool:
        """Whether these are the keys of an action that does not repeat while they are held."""
        own = (action for action in self._actions.values() if keys in action.shortcuts())
        return any(not action.autoRepeat() for action in own)

    def refresh(self, session: "Session", *action_ids: str) -> None:
        """Enable what makes sense now; all actions where none is named."""
        for action_id in action_ids or self.specs:
            self._actions[action_id].setEnabled(self.specs[action_id].needs(session))

    def _grouped(self, wanted: Iterable[tuple[int, Action]]) -> list[list[QAction]]:
        groups: dict[int, list[QAction]] = {}
        for group, spec in wanted:
            groups.setdefault(group, []).append(self._actions[spec.id])
        return [groups[group] for group in sorted(groups)]

    def _make(self, spec: Action) -> QAction:
        action = QAction(spec.text, self._owner)
        action.setObjectName(spec.id)
        if spec.tool_bar is not None:
            action.setIconText(spec.tool_bar[1])
        if spec.is_canvas:
            action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        else:
            self._owner.addAction(action)
        action.setCheckable(spec.is_checkable)
        action.setAutoRepeat(spec.repeats)
        if spec.exclusive:
            if spec.exclusive not in self._groups:
                self._groups[spec.exclusive] = QActionGroup(self._owner)
            self._groups[spec.exclusive].addAction(action)
        if (slot := spec.slot) is not None:
            action.triggered.connect(lambda _checked=False: slot())
        self._set_keys(action, spec.keys)
        return action

    def _set_keys(self, action: QAction, keys: Keys) -> None:
        action.setShortcuts([QKeySequence(key) for key in keys])
        shown = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        spec = self.specs[action.objectName()]
        tip = f"{spec.text} ({shown})" if shown else spec.text
        action.setToolTip(f"{tip}\n{LENT}" if shown and spec.exclusive else tip)


def shown_key(key: QKeySequence) -> str:
    """As a user reads it; Return and the keypad's Enter are one to a user."""
    return key.toString(QKeySequence.SequenceFormat.NativeText).replace("Return", "Enter")
