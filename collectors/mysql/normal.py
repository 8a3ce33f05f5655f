"""A statement's text without what was said in it: literals, lists, comments and numbers in names.

Source: https://dev.mysql.com/doc/refman/8.4/en/string-literals.html
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

MOST_CHARACTERS = 64 * 1024
TOKEN = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<comment>/\*.*?(?:\*/|\Z)|\#[^\n]*|--(?=[\s\x00-\x20]|\Z)[^\n]*)
  | (?P<string>(?:\b[nNxXbB])?'(?:[^'\\]|\\.|'')*(?:'|\\?\Z))
  | (?P<double>"(?:[^"\\]|\\.|"")*(?:"|\\?\Z))
  | (?P<tick>`(?:[^`]|``)*(?:`|\Z))
  | (?P<placeholder>:(?:[^\W\d]|[\[\]])[\w\[\]]*)
  | (?P<number>(?<![\w$@])(?:0[xX][0-9a-fA-F]+|0[bB][01]+|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(?![\w$]))
  | (?P<variable>@@?[\w$.]*)
  | (?P<word>[\w$]+)
  | (?P<other><=>|<<|>>|[<>!]=|<>|:=|\|\||&&|\.\.\.|.)
    """,
    re.VERBOSE | re.DOTALL,
)
KEYWORDS = frozenset(
    re.findall(
        r"\w+",
        "all alter analyze and any as asc begin between by call case commit count create cross database delete desc "
        "describe distinct drop duplicate else end exists explain false for from full group having if ignore in "
        "index inner insert interval into is join key left like limit lock not null offset on or order outer regexp "
        "replace right rollback row rows select set show start straight_join table tables temporary then transaction "
        "true truncate union unlock update use using values when where with",
    )
)
DIGITS = re.compile(r"\d{3,}")
"""Fewer belong to a name: `d7_node`, `base_table_2`."""
LITERAL = r"(?:\?|NULL|TRUE|FALSE)"
LIST = re.compile(rf"\( {LITERAL}(?: , {LITERAL})* \)|\( \? (?:, \? )*, \.\.\. \)|\( \.\.\. \)")
PLACEHOLDERS = re.compile(r"\( (:[^\W\d][\w\[\]]*)(?: , :[^\W\d][\w\[\]]*)+ \)")
REPEATED = re.compile(r"(\(\.\.\.\))(?: , \(\.\.\.\))+")
CLAUSES = frozenset({"JOIN", "INTO", "UPDATE", "TABLE", "FROM"})


class Token(NamedTuple):
    kind: str
    text: str


def normal(statement: str) -> str:
    """Its shape, on one line. A text that is already normal stays as it is."""
    tokens = _one_row(_signless(list(_tokens(statement[:MOST_CHARACTERS]))))
    quoted = _quotes_names(tokens)
    text = " ".join(_shown(token, quoted) for token in tokens)
    text = REPEATED.sub(r"\1", LIST.sub("(...)", PLACEHOLDERS.sub(r"(\1, ...)", text)))
    return _tidy(text)


def digest(text: str) -> str:
    """Of a normal text: 16 hexadecimal digits."""
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:16]


def _tokens(statement: str) -> Iterator[Token]:
    for found in TOKEN.finditer(statement):
        kind = found.lastgroup or "other"
        if kind not in ("space", "comment"):
            yield Token(kind, found[0])


def _signless(tokens: Sequence[Token]) -> list[Token]:
    """Without the sign of a number: `-5` is as much a literal as `5`."""
    kept: list[Token] = []
    for place, token in enumerate(tokens):
        before = kept[-1] if kept else Token("other", "(")
        after = tokens[place + 1] if place + 1 < len(tokens) else None
        operand = before.kind in ("string", "double", "tick", "number", "variable", "placeholder") or (
            before.text in (")", "?") or (before.kind == "word" and before.text.lower() not in KEYWORDS)
        )
        if token.text in "+-" and after and (after.kind == "number" or after.text in "?+-") and not operand:
            continue
        kept.append(token)
    return kept


def _one_row(tokens: Sequence[Token]) -> list[Token]:
    """Of VALUES the first row: `(1, NOW()), (2, NOW())` are as many rows as there are."""
    kept: list[Token] = []
    depth, rows = 0, False
    for token in tokens:
        if depth == 0 and token.text.upper() == "VALUES":
            rows, again = True, False
        elif rows and depth == 0 and token.text not in "(,":
            rows = False
        depth = max(0, depth + (token.text == "(") - (token.text == ")"))
        if not (rows and again):
            kept.append(token)
        if rows and depth == 0 and token.text == ")":
            again = True
    return kept


def _quotes_names(tokens: Sequence[Token]) -> bool:
    """Whether double quotes hold names, as in Drupal's ANSI mode: such a one stands where no literal may."""
    selects = [True]
    for place, (kind, text) in enumerate(tokens):
        before = tokens[place - 1] if place else Token("", "")
        after = tokens[place + 1] if place + 1 < len(tokens) else Token("", "")
        if text == "(":
            selects.append(after.text.upper() == "SELECT")
        elif text == ")" and len(selects) > 1:
            selects.pop()
        elif kind == "double":
            word = before.text.upper()
            if (word in CLAUSES and (word != "FROM" or selects[-1])) or _dotted(tokens, place):
                return True
    return False


def _dotted(tokens: Sequence[Token], place: int) -> bool:
    names = ("double", "tick", "word")
    left = place > 1 and tokens[place - 1].text == "." and tokens[place - 2].kind in names
    right = place + 2 < len(tokens) and tokens[place + 1].text == "." and tokens[place + 2].kind in names
    return left or right


def _shown(token: Token, quoted: bool) -> str:
    kind, text = token
    if kind in ("string", "number") or (kind == "double" and not quoted):
        return "?"
    if kind == "word":
        if text.lower() in KEYWORDS:
            return text.upper()
        return "?" if text[0].isdigit() and len(DIGITS.sub("", text)) == 0 else _name(text)
    if kind == "placeholder":
        return re.sub(r"\d+", "N", text)
    return _name(text) if kind in ("double", "tick", "variable") else text


def _name(text: str) -> str:
    return " ".join(DIGITS.sub("N", text).split())


def _tidy(text: str) -> str:
    text = re.sub(r" ?(\.(?!\.)) ?", r"\1", text) if ". " in text or " ." in text else text
    text = re.sub(r" ([,;)])", r"\1", text)
    return re.sub(r"\( ", "(", text).strip(" ;")
