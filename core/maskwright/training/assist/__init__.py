"""Trains the bundled assistant's network: from a box, clicks or an earlier outline to the mask of one object."""
