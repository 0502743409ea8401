"""Annotation files: one module per format."""
