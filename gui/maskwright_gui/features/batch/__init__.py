"""The model over all images."""
