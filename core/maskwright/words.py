"""Counts and classes in sentences: the right plural, the right article."""


def count_of(number: int, what: str) -> str:
    """ "1 object", "2 objects", "0 classes", "12,000 images"."""
    plural = f"{what}es" if what.endswith(("s", "x", "ch", "sh")) else f"{what}s"
    return f"{number:,} {what if number == 1 else plural}"


def with_article(name: str) -> str:
    """ "an airplane", "a dog": by the letter, which is right for nearly all names of classes."""
    return f"{'an' if name[:1].casefold() in tuple('aeiou') else 'a'} {name}"
