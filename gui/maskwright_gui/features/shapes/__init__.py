"""Outlines put together and apart, copied, brought forward."""
