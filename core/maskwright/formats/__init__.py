"""Annotation files, one module or package per format."""
