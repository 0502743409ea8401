"""The tools of the canvas: which one is active, its slider, and how its key lends it."""
