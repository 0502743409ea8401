"""The canvas: one widget that shows an image with its instances and feeds input to the active tool."""
