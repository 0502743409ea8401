"""Outlines an object that the user points at, and corrects any outline by pointing."""
