"""Which model proposes, and its run on the current image."""
