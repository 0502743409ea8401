"""A magic wand: what is of one colour around a click, inside a disc."""
