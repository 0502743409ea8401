"""Edits that the project could not store."""
