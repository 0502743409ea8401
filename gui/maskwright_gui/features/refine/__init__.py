"""Proposals outlined again by the assistant, and boxes given an outline."""
