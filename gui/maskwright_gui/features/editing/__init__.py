"""What the user does to objects without a tool: selection, undo, delete, hide, lock."""
