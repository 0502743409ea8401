"""Counts in sentences, with the right plural."""


def count_of(number: int, what: str) -> str:
    """ "1 object", "2 objects", "0 classes", "12,000 images"."""
    plural = f"{what}es" if what.endswith(("s", "x", "ch", "sh")) else f"{what}s"
    return f"{number:,} {what if number == 1 else plural}"
