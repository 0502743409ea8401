"""Outline an object by pointing at it, and correct any outline by pointing."""
