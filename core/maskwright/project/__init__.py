"""The project store: one SQLite database beside or among the images."""
