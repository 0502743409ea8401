"""The images of the project: their list, the one on screen, and its review state."""
