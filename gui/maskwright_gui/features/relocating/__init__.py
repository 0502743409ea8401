"""Images that are not where the project expects them."""
