"""A second model's opinion."""
