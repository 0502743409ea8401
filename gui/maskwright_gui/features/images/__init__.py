"""The images of the project: their list, the current one, and its review state."""
