"""Finds objects that look like those that are outlined: on this image, and on the next ones."""
