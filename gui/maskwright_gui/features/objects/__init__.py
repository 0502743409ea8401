"""The list of the objects on the image."""
