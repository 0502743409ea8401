"""A magic wand: selects one colour around a click, inside a disc."""
