"""Text and actions of a template, actions in words. The words of Go's text/template."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from alerts.templates.values import TemplateError

LEFT = re.compile(r"\{\{(?:(?P<trim>-)(?=[ \t\r\n]))?")
RIGHT = re.compile(r"(?:(?<=[ \t\r\n])(?P<trim>-))?\}\}")
COMMENT = re.compile(r"[ \t\r\n]*/\*.*?\*/[ \t\r\n]*(?P<trim>(?<=[ \t\r\n])-)?\}\}", re.DOTALL)
WORD = re.compile(
    r"""(?P<space>[ \t\r\n]+)
    |(?P<string>"(?:\\.|[^"\\\n])*")
    |(?P<raw>`[^`]*`)
    |(?P<char>'(?:\\[^\n]|[^'\\\n])[0-9a-fA-F]*')
    |(?P<number>[+-]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO][0-7]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?!\w))
    |(?P<field>\.[^\W\d]\w*)
    |(?P<variable>\$\w*)
    |(?P<name>[^\W\d]\w*)
    |(?P<mark>:=|[.=|(),])""",
    re.VERBOSE,
)
ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))", re.DOTALL)
ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\", '"': '"', "'": "'"}


@dataclass(frozen=True)
class Word:
    kind: str
    text: str
    spaced: bool
    """There is white space before it."""


@dataclass(frozen=True)
class Action:
    words: tuple[Word, ...]
    source: str


def pieces(text: str) -> Iterator[str | Action]:
    """Text without what the trim marks take, and actions; no comments."""
    at, trimming = 0, False
    while left := LEFT.search(text, at):
        plain = text[at : left.start()]
        plain = plain.lstrip(" \t\r\n") if trimming else plain
        yield plain.rstrip(" \t\r\n") if left["trim"] else plain
        if comment := COMMENT.match(text, left.end()):
            at, trimming = comment.end(), bool(comment["trim"])
            continue
        words, right = _words(text, left.end())
        at, trimming = right.end(), bool(right["trim"])
        yield Action(words, text[left.start() : at])
    yield text[at:].lstrip(" \t\r\n") if trimming else text[at:]


def _words(text: str, at: int) -> tuple[tuple[Word, ...], re.Match[str]]:
    begin, words, spaced = at, [], False
    while not (right := RIGHT.match(text, at)):
        found = WORD.match(text, at)
        if not found:
            if at >= len(text):
                raise TemplateError(f"'{{{{' without its '}}}}' in {text!r}")
            raise TemplateError(f"unexpected {text[at]!r} in {text[begin : at + 1].strip()!r}")
        at = found.end()
        if found.lastgroup != "space":
            words.append(Word(str(found.lastgroup), found[0], spaced))
        spaced = found.lastgroup == "space"
    return tuple(words), right


def unquoted(text: str) -> str:
    """The text of a constant in quotes of any kind."""
    return text[1:-1] if text.startswith("`") else ESCAPE.sub(_escaped, text[1:-1])


def _escaped(found: re.Match[str]) -> str:
    byte, short, long, octal, letter = found.groups()
    if letter:
        if letter not in ESCAPES:
            raise TemplateError(f"invalid escape {found[0]!r}")
        return ESCAPES[letter]
    code = int(octal, 8) if octal else int(byte or short or long, 16)
    if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        raise TemplateError(f"invalid escape {found[0]!r}")
    return chr(code)
