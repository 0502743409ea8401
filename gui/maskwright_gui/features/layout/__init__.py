"""The parts of the window: panels, tool bar, theme, focus."""
