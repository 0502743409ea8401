"""Search, keys and what they do."""
