"""The bar at the top: menus, project name and progress, search, theme."""

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenuBar, QToolButton, QWidget

from maskwright_gui.panels.widgets import named


class Header(QWidget):
    """Menus, the project's name and progress, search and theme."""

    warning_clicked = Signal()
    """The user clicked the warning about saving."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("header")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.menus = QMenuBar(self)
        self._title = QLabel("Maskwright", self)
        self._title.setMinimumWidth(1)
        self._count = QLabel(self)
        self._count.setProperty("muted", True)
        self._read_only = named(QToolButton(self), "Read only")
        self._read_only.setObjectName("warning")
        self._read_only.setText("Read only")
        self._read_only.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._read_only.hide()
        self._warning = named(QToolButton(self), "Saving")
        self._warning.setObjectName("warning")
        self._warning.clicked.connect(self.warning_clicked)
        self._warning.hide()
        self._row = row = QHBoxLayout(self)
        row.setContentsMargins(4, 0, 8, 1)
        row.setSpacing(8)
        row.addWidget(self.menus)
        row.addStretch(1)
        row.addWidget(self._title)
        row.addWidget(self._read_only)
        row.addWidget(self._count)
        row.addWidget(self._warning)
        row.addStretch(1)

    def add_button(self, action: QAction, *, has_text: bool = False) -> None:
        """Add a button at the right end."""
        button = QToolButton(self)
        button.setDefaultAction(action)
        button.setIconSize(QSize(16, 16))
        if has_text:
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._row.addWidget(button)

    def enter_menus(self) -> None:
        """Open the menus by keyboard: arrows and letters continue from here; Escape leads back."""
        self.menus.setActiveAction(self.menus.actions()[0])
        self.menus.setFocus(Qt.FocusReason.MenuBarFocusReason)

    def show_project(self, name: str | None, *, read_only_reason: str | None = None) -> None:
        """read_only_reason: why nothing can be changed; None if it can."""
        self._title.setText(name or "Maskwright")
        self._read_only.setVisible(read_only_reason is not None)
        reason = read_only_reason or ""
        self._read_only.setToolTip(f"{reason[:1].upper()}{reason[1:]}. Nothing can be changed.")
        self._title.setVisible(True)
        self._count.setVisible(name is not None)

    def show_place(self, text: str) -> None:
        """Show where the project and its images are."""
        self._title.setToolTip(text)

    def show_counts(self, done: int, total: int, missing: int = 0) -> None:
        """Show how many images are done; missing: how many have no file and are not among these."""
        self._count.setText(f"{done:,} of {total:,} done" + (f" · {missing:,} missing" if missing else ""))

    def show_warning(self, text: str, detail: str) -> None:
        """Warn that saving fails; an empty text hides the warning."""
        self._warning.setText(text)
        self._warning.setToolTip(detail)
        self._warning.setAccessibleName(f"{text}. {detail}".strip())
        self._warning.setVisible(bool(text))

    @property
    def warning(self) -> str:
        """The warning shown."""
        return self._warning.text()
