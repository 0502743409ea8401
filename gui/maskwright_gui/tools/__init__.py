"""Tools of the canvas: one small state machine per file, free of Qt types."""
