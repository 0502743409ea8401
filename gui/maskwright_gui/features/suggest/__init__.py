"""Offers a class for a new outline by what those that have one look like."""
