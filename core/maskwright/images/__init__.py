"""Reading image files safely, upright, as BGR uint8."""
