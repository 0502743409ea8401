"""Learns a model of the user's own classes from corrected images."""
