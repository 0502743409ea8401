"""Edits that the project could not take."""
