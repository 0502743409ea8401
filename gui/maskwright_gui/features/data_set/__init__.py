"""The window on the whole data set: grid, classes, measures, duplicates."""
