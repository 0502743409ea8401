"""A model of the user's own classes, learned from what was corrected."""
