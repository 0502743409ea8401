"""Maskwright without its window: pre-label images, turn masks into exact polygons, read and write COCO."""

from maskwright._version import __version__

__all__ = ["__version__"]
