"""Edits objects without a tool: selection, undo, delete, hide, lock."""
