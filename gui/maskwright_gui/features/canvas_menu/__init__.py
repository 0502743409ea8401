"""The menu of the right mouse button on the canvas."""
