"""The ways to begin with a new project."""
