"""What was done on an image, and the way back."""
