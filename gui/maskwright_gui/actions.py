"""Actions: how a feature declares them, and the QActions made from the declarations.

Menus, toolbar, canvas menu, keys, command palette and key sheet are all built from the declarations.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import groupby
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from maskwright_gui.keymap import DEFAULT_PRESET, PRESET_NAMES, Keymap, Keys, with_keys
from maskwright_gui.theme import Theme, themed_icon

if TYPE_CHECKING:
    from maskwright_gui.session import Session

LENT = "Hold the key to use it for one stroke"
"""The tooltip of a tool; see `features.tools`."""


class Menu(StrEnum):
    """The menus in order. Alt and the first letter open one, so no two begin with the same letter."""

    FILE = "File"
    EDIT = "Edit"
    IMAGE = "Image"
    TOOLS = "Tools"
    SHAPE = "Shape"
    MODEL = "Model"
    VIEW = "View"
    HELP = "Help"
    CLASSES = "Classes"
    """Only a heading in the key lists: the classes have a panel, not a menu."""

    @property
    def is_on_bar(self) -> bool:
        """Whether it is one of the window's menus."""
        return self is not Menu.CLASSES


class Under(StrEnum):
    """What is under the pointer when the canvas menu opens."""

    NOTHING = "nothing"
    OBJECT = "object"
    SEVERAL = "several"
    """An object, while two or more are selected."""


Need = Callable[["Session"], bool]
"""Whether an action makes sense now."""


def nothing(_session: "Session") -> bool:
    """For actions that work at any time."""
    return True


def a_project(session: "Session") -> bool:
    """For actions that need an open project."""
    return session.project is not None


def may_edit(session: "Session") -> bool:
    """For actions that change the project: disabled while it is open as read-only."""
    return session.project is not None and not session.project.is_read_only


@dataclass(frozen=True, slots=True)
class Action:
    """Everything the window knows about one action, declared in one place."""

    id: str
    text: str
    menu: Menu
    group: int
    """Actions of a menu are sorted by group, then by the order in which they were added; a separator divides groups."""
    slot: Callable[[], object] | None = None
    """None for a switch, whose feature listens to `toggled`."""
    keys: Keys = ()
    presets: Keymap = field(default_factory=dict)
    """{name of a key preset: its keys}, where they differ from `keys`."""
    icon: str = ""
    needs: Need = a_project
    repeats: bool = False
    """Whether a held key triggers it again and again. Off by default, so that a finger resting on Enter cannot accept
    proposals that nobody has looked at.
    """
    is_checkable: bool = False
    exclusive: str = ""
    """Checkable actions with the same name form a radio group."""
    is_canvas: bool = False
    """Whether its keys work only on the canvas and in the lists: elsewhere Space presses buttons and Tab moves the
    focus.
    """
    submenu: str = ""
    """The submenu that it is in, if any; it is where the first of its actions would be."""
    words: str = ""
    """Other names for it, as newcomers and other programs use them; the search matches these too."""
    tool_bar: tuple[int, str] | None = None
    """(group on the toolbar, short name shown beside the icon)."""
    canvas_menu: tuple[tuple[Under, int], ...] = ()
    """(where, group) in the canvas menu."""


class Actions(QObject):
    """The window's QActions by id."""

    keys_changed = Signal()
    """The keys have changed: texts that mention a key must be made again."""

    def __init__(self, owner: QWidget) -> None:
        super().__init__(owner)
        self._owner = owner
        self.specs: dict[str, Action] = {}
        self._groups: dict[str, QActionGroup] = {}
        self._actions: dict[str, QAction] = {}

    def __getitem__(self, action_id: str) -> QAction:
        return self._actions[action_id]

    def add(self, specs: Iterable[Action]) -> None:
        """Make the QActions of a feature; raises ValueError for an id that is already taken."""
        for spec in specs:
            if spec.id in self.specs:
                raise ValueError(f"two actions are called {spec.id!r}")
            self.specs[spec.id] = spec
            self._actions[spec.id] = self._make(spec)

    def fill(self, menu: QMenu, title: Menu) -> dict[str, QMenu]:
        """Add the actions of `title` to its menu, group by group; returns the submenus by name."""
        submenus: dict[str, QMenu] = {}
        groups = groupby(self._sorted(title), lambda spec: spec.group)
        for place, (_, specs) in enumerate(groups):
            if place:
                menu.addSeparator()
            for spec in specs:
                if spec.submenu and spec.submenu not in submenus:
                    submenus[spec.submenu] = menu.addMenu(spec.submenu)
                submenus.get(spec.submenu, menu).addAction(self._actions[spec.id])
        return submenus

    def _sorted(self, title: Menu) -> list[Action]:
        return sorted((spec for spec in self.specs.values() if spec.menu is title), key=lambda spec: spec.group)

    def on_tool_bar(self) -> list[list[QAction]]:
        """The actions of the toolbar, group by group; the icon text of each is its short name."""
        return self._grouped((spec.tool_bar[0], spec) for spec in self.specs.values() if spec.tool_bar is not None)

    def in_canvas_menu(self, under: Under) -> list[list[QAction]]:
        """The actions for what is under the pointer, group by group."""
        wanted = ((place, spec) for spec in self.specs.values() for place in spec.canvas_menu)
        return self._grouped((group, spec) for (where, group), spec in wanted if where is under)

    def attach(self, widget: QWidget) -> None:
        """Make the keys that work only on the canvas and in the lists work in this widget too."""
        widget.addActions([self._actions[id_] for id_, spec in self.specs.items() if spec.is_canvas])

    def set_theme(self, theme: Theme) -> None:
        """Draw the icons in the theme's colours."""
        for id_, spec in self.specs.items():
            if spec.icon:
                self._actions[id_].setIcon(themed_icon(spec.icon, theme))

    @property
    def default_keys(self) -> Keymap:
        """{id: keys} as the features declare them."""
        return {id_: spec.keys for id_, spec in self.specs.items()}

    @property
    def presets(self) -> Mapping[str, Keymap]:
        """{name: the keys that differ from the defaults}, starting with the default preset."""
        named = {
            name: {id_: spec.presets[name] for id_, spec in self.specs.items() if name in spec.presets}
            for name in PRESET_NAMES
        }
        return {DEFAULT_PRESET: {}, **named}

    def use_keys(self, keys: Keymap) -> None:
        """Give every action its keys from a keymap and update its tooltip."""
        for id_, action in self._actions.items():
            self._set_keys(action, keys[id_])
        self.keys_changed.emit()

    @property
    def shown_keys(self) -> Mapping[str, str]:
        """{id: the first current key, as shown to the user}; the quoted name for an action without a key."""
        return {
            id_: shown_key(action.shortcut()) or f"“{self.specs[id_].text.rstrip('…')}”"
            for id_, action in self._actions.items()
        }

    def with_keys(self, text: str) -> str:
        """`text` with "{accept}" replaced by the current key of the action `accept`."""
        return with_keys(text, self.shown_keys)

    def happens_once(self, keys: QKeySequence) -> bool:
        """Whether these are the keys of an action that does not repeat while its key is held."""
        own = (action for action in self._actions.values() if keys in action.shortcuts())
        return any(not action.autoRepeat() for action in own)

    def refresh(self, session: "Session", *action_ids: str) -> None:
        """Enable the actions that make sense now."""
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
    """A key as shown to the user; Return and Enter are not told apart."""
    return key.toString(QKeySequence.SequenceFormat.NativeText).replace("Return", "Enter")
