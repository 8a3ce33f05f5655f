"""What a piece of a request says, at each depth to which it is encoded.

Source: https://www.rfc-editor.org/rfc/rfc3986#section-2.1
"""

import re
from collections.abc import Iterator
from html import unescape
from unicodedata import normalize
from urllib.parse import unquote

MOST_CHARACTERS = 8192
MOST_PASSES = 3
MOST_PARAMETERS = 200
OVERLONG = re.compile(r"%c([01])%([0-9a-f]{2})|%(?:e0|f0%80|f8%80%80)%80%([89ab][0-9a-f])", re.IGNORECASE)
"""One character of ASCII, as more bytes of UTF-8 than it has."""
WIDE = re.compile(r"%u([0-9a-f]{4})", re.IGNORECASE)
LOGGED = re.compile(r"\\x([0-9a-f]{2})", re.IGNORECASE)
"""As nginx and Apache write bytes that they do not like to write."""
ESCAPED = re.compile(r"\\(?:u00|x)([2-7][0-9a-f])", re.IGNORECASE)
"""A character as JavaScript writes it."""
LIKE = {
    **dict.fromkeys(map(ord, "\u2044\u2215\u29f8"), "/"),
    **dict.fromkeys(map(ord, "\u2216\u29f5"), "\\"),
    **dict.fromkeys(map(ord, "\u02b9\u02bc"), "'"),
}
"""What some decoders take for one."""


def views(text: str, *, plus: bool) -> list[str]:
    """Folded; after one pass, two, three, as far as they differ. `plus` stands for a space, as in a query."""
    text = LOGGED.sub(r"%\1", text[:MOST_CHARACTERS])
    text = text.replace("+", " ") if plus else text
    found: list[str] = []
    for _ in range(MOST_PASSES):
        decoded = once(text)
        folded = folded_of(decoded)
        if folded not in found:
            found.append(folded)
        if decoded == text:
            break
        text = decoded
    return found


def folded_of(text: str) -> str:
    """One case, no NUL, and letters of another width as those that they stand for."""
    if not text.isascii():
        text = normalize("NFKC", text).translate(LIKE)
    return text.casefold().replace("\0", "")


def once(text: str) -> str:
    if "%" in text:
        text = OVERLONG.sub(_short, text)
        text = WIDE.sub(lambda found: _character(int(found[1], 16)), text)
        text = unquote(text, errors="replace")
    if "\\" in text:
        text = ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
    return unescape(text) if "&" in text and ";" in text else text


def _short(found: re.Match[str]) -> str:
    """Some decoders do not mind a second byte that is none."""
    if found[3]:
        return chr(int(found[3], 16) - 0x80)
    byte = int(found[2], 16)
    return chr((0x40 if found[1] == "1" else 0) | (byte & 0x3F if byte & 0x80 else byte & 0x7F))


def _character(code: int) -> str:
    return "�" if 0xD800 <= code < 0xE000 else chr(code)


def parameters(query: str) -> Iterator[tuple[str, str]]:
    """Encoded as they are."""
    for pair in query[: MOST_CHARACTERS * 2].split("&", MOST_PARAMETERS)[:MOST_PARAMETERS]:
        name, _, value = pair.partition("=")
        yield name, value
