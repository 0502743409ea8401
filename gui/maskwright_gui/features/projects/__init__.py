"""Folders, projects and samples: opening, saving, closing."""
