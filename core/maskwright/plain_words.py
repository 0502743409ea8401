"""Explains exceptions of Python or libraries to users, such as parse errors of files.

Our own texts, in a MaskwrightError or a plain ValueError, are passed on unchanged."""

import logging
import re
import zlib
from typing import Any

from maskwright.errors import MaskwrightError

log = logging.getLogger(__name__)

_DAMAGED = "the data is damaged or truncated"
_ODD = "its structure is not as expected"
_BY_TEXT: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        (r"could not convert string to float: (.*)", r"\1 is not a number"),
        (r"invalid literal for int\(\) with base \d+: (.*)", r"\1 is not a whole number"),
        (r"could not convert string to (?:int|complex).*", "a value is not a number"),
        (r"cannot convert float .* to integer", "a number is not finite"),
        (r"Exceeds the limit .* for integer string conversion.*", "a number has too many digits"),
        (r"(?:not enough|too many) values to unpack.*", _ODD),
        (r"setting an array element with a sequence.*", _ODD),
        (r"cannot reshape array.*", _ODD),
        (r"operands could not be broadcast.*", _ODD),
        (r".*has no attribute.*", _ODD),
        (r".*(?:object is not|indices must be|unsupported operand|argument must be|required positional).*", _ODD),
        (r"embedded null (?:byte|character)", "a name contains a zero byte"),
        (r"buffer size must be.*|unpack requires.*|buffer is smaller.*", _DAMAGED),
    )
)
_TOML_PLACE = re.compile(r"\(at (?:line (\d+), column (\d+)|end of document)\)")
_NETWORK = {
    "ConnectTimeout": "the server does not answer",
    "ReadTimeout": "the server stopped answering",
    "PoolTimeout": "the server does not answer",
    "RemoteProtocolError": "the connection was lost",
    "ReadError": "the connection was lost",
    "TooManyRedirects": "there are too many redirects",
    "InvalidURL": "the address is not valid",
    "UnsupportedProtocol": "the address is not valid",
    "DecodingError": "the response cannot be decompressed",
}
_KINDS = {
    dict: "an object",
    list: "a list",
    tuple: "a list",
    str: "a string",
    bool: "true or false",
    int: "a number",
    float: "a number",
    type(None): "null",
    bytes: "bytes",
}


WRITE_AGAIN = "it is incomplete or was edited by hand: write it again with the tool that made it"
"""What to do about a file in the wrong format."""


def kind_of(value: object) -> str:
    """The type of a value from a file in words: "a list", "a string"."""
    return _KINDS.get(type(value), "something else")


def in_plain_words(error: BaseException) -> str:
    """What is wrong with a file's content, as a clause without initial capital or full stop."""
    if isinstance(error, MaskwrightError):
        return error.reason
    if (told := _of_library(error)) is not None:
        return told
    match error:
        case UnicodeDecodeError():
            return f"it is not text in UTF-8 (byte {error.start:,})"
        case OSError() if error.errno is not None:
            return (error.strerror or "it cannot be read").lower()
        case KeyError():
            return f"{error.args[0]!r} is missing" if error.args else _ODD
        case RecursionError():
            return "it is nested too deeply"
        case MemoryError():
            return "it claims more than fits in memory"
        case zlib.error() | EOFError():
            return _DAMAGED
        case LookupError() if "unknown encoding" in str(error):
            return "it names a text encoding that does not exist"
        case LookupError() | TypeError() | AttributeError():
            log.info("read as %r", error)
            return _ODD
    is_ours = type(error).__module__.partition(".")[0] == "maskwright"
    if str(error) and (is_ours or isinstance(error, ValueError | OSError)):
        return _of_text(str(error))
    log.info("read as %r", error)
    return _DAMAGED


def _of_library(error: BaseException) -> str | None:
    """For invalid JSON, XML, YAML or TOML: where it becomes invalid. None for errors of Python's own."""
    kind, known = type(error).__module__.partition(".")[0], type(error).__name__
    if kind == "json" and known == "JSONDecodeError":
        doc, position = _text(error, "doc"), _number(error, "pos")
        return _from("JSON", _number(error, "lineno"), _number(error, "colno"), breaks_off=not doc[position:].strip())
    if kind == "xml" and (position_of := getattr(error, "position", None)) is not None:
        return _from("XML", position_of[0], position_of[1] + 1, breaks_off="no element found" in str(error))
    if kind == "defusedxml":
        return "it declares entities or refers to other files, which are never followed: remove its <!DOCTYPE …>"
    if kind == "yaml":
        mark = getattr(error, "problem_mark", None)
        return _from("YAML", mark.line + 1, mark.column + 1) if mark is not None else "it is not valid YAML"
    if kind == "tarfile":
        return _DAMAGED
    if kind == "httpx":
        return _NETWORK.get(known, "no connection to the server")
    if kind == "tomllib":
        found = _TOML_PLACE.search(str(error))
        return (
            _from("TOML", *map(int, found.groups())) if found and found[1] else "it is not valid TOML: it is truncated"
        )
    return None


def _from(language: str, line: int, column: int, *, breaks_off: bool = False) -> str:
    told = ": it is truncated there" if breaks_off else ""
    return f"it is not valid {language} in line {line:,}, column {column:,}{told}"


def _text(error: BaseException, name: str) -> str:
    value: Any = getattr(error, name, "")
    return value if isinstance(value, str) else ""


def _number(error: BaseException, name: str) -> int:
    value: Any = getattr(error, name, 0)
    return value if isinstance(value, int) else 0


def _of_text(text: str) -> str:
    for pattern, words in _BY_TEXT:
        if pattern.fullmatch(text):
            return pattern.sub(words, text)
    return text
