"""What can be done with a row of the list of images."""
