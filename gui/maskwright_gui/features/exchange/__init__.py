"""Annotations out of the project and into it, and the check of what is there."""
