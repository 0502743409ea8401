"""Counts and classes in sentences."""

_IRREGULAR = {"class": "classes"}


def count_of(number: int, what: str) -> str:
    """ "1 object", "2 objects", "0 classes", "12,000 images"."""
    plural = _IRREGULAR.get(what, f"{what}s")
    return f"{number:,} {what if number == 1 else plural}"


def with_article(name: str) -> str:
    """ "an airplane", "a dog": by the letter, which is right for nearly all names of classes."""
    return f"{'an' if name[:1].casefold() in tuple('aeiou') else 'a'} {name}"
