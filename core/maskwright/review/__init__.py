"""What a user should review next, why, and what correcting costs."""
