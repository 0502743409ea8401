"""What the window says while folders hang and edits cannot be saved."""
