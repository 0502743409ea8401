"""What a person should look at next, why, and what correcting costs."""
