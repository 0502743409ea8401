"""How the canvas shows an image, and what the user sets once for it."""
