"""Finds objects similar to the selected ones, on this image and on the next ones."""
