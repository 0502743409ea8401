"""The tools of the canvas: which one is active, its slider, and using a tool while its key is held."""
