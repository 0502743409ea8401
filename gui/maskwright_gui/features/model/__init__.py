"""Which model proposes, and its run on the image on screen."""
