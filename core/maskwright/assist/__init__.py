"""Interactive segmentation: a box, clicks or an outline in, an outline out; one protocol for networks and classical
methods."""
