"""What a user should look at next, why, and what correcting costs."""
