"""Words for the user: counts with the right plural, and names made safe to show.

In names and messages, characters that move the cursor, colour a terminal or reorder text are escaped. The texts are
stored and written unchanged; this is only for display. Direction overrides and isolates make "gpj.exe" look like
"exe.jpg" (Unicode Standard Annex 9); escape sequences clear a terminal or rename its window."""

import re


def count_of(number: int, what: str) -> str:
    """ "1 object", "2 objects", "0 classes", "12,000 images"."""
    plural = f"{what}es" if what.endswith(("s", "x", "ch", "sh")) else f"{what}s"
    return f"{number:,} {what if number == 1 else plural}"


MOST_IN_LINE, MOST_IN_LINES = 300, 4000
_CONTROL = "\0-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff"
_IN_LINE, _IN_LINES = re.compile(f"[\t\n{_CONTROL}]"), re.compile(f"[{_CONTROL}]")


def shown(text: str, most: int = MOST_IN_LINE) -> str:
    """A name on one line of at most `most` characters."""
    return _bounded(_IN_LINE.sub(_escaped, text[: most + 1]), most)


def shown_lines(text: str, most: int = MOST_IN_LINES) -> str:
    """A text of several lines, at most `most` characters in total."""
    return _bounded(_IN_LINES.sub(_escaped, text[: most + 1]), most)


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()


def _bounded(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
