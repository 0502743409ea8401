"""Draws along edges: between clicks the line follows the edges of the image."""
