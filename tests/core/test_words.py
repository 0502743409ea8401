"""What may be shown of a name or a message that somebody else made."""

import io
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.table import Table

from maskwright.cli.output import PlainFormatter, results
from maskwright.errors import MaskwrightError
from maskwright.words import shown, shown_lines

HARMFUL = {
    "clears the terminal": "\x1b[2J",
    "renames its window": "\x1b]0;x\x07",
    "eight-bit escape": "\x9b2J",
    "turns the text": "\u202egpj.exe",
    "isolates it": "\u2067x\u2069",
    "goes back": "a\rb",
    "half a pair": "\udc80",
    "paragraph": "a\u2029b",
}


@pytest.mark.parametrize("text", HARMFUL.values(), ids=HARMFUL)
def test_what_steers_a_terminal_or_turns_text_is_escaped(text: str) -> None:
    for found in (shown(text), shown_lines(text)):
        assert found.isprintable()
        assert "\\" in found


@given(st.text(max_size=400))
def test_what_is_shown_is_one_line_of_bounded_length(text: str) -> None:
    found = shown(text, 100)
    assert len(found) <= 100
    assert len(found.splitlines()) <= 1


@pytest.mark.parametrize("name", ["cell", "Zelle ü", "細胞", "خلية", "a & b", "😀", "<b>x</b>", "c:\\x"])
def test_a_name_is_shown_as_it_is(name: str) -> None:
    assert shown(name) == name


def test_lines_stay_lines_in_a_message_and_not_in_a_name() -> None:
    assert shown_lines("a\nb\tc") == "a\nb\tc"
    assert shown("a\nb\tc") == "a\\nb\\tc"


def test_an_error_says_it_plainly() -> None:
    error = MaskwrightError("class \x1b[2J is\udc80 wrong", path="x\u202ey")
    assert str(error) == "x\\u202ey: class \\x1b[2J is\\udc80 wrong"
    str(error).encode()


def test_the_command_line_prints_no_escape_sequence_of_a_stranger(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    monkeypatch.setattr("sys.stdout", out)
    table = Table("class\x1b[2J", title="\x1b[2J")
    table.add_row("\x1b]0;x\x07")
    results().print("\x1b[2J\u202e", table)
    assert "\x1b" not in out.getvalue()
    assert "\\x1b[2J\\u202e" in out.getvalue()


def test_nor_does_the_log() -> None:
    record = logging.LogRecord("x", logging.INFO, "", 1, "image %s", ("\x1b[2J",), None)
    assert PlainFormatter("%(message)s").format(record) == "image \\x1b[2J"
