"""PHP text -> tokens, in one pass.

Source: https://www.php.net/manual/en/language.basic-syntax.php https://www.php.net/manual/en/language.types.string.php
"""

import re
from typing import Any, NamedTuple

OPEN = re.compile(r"<\?(?:php(?=\s|\Z)|=|(?!xml))", re.IGNORECASE)
TOKEN = re.compile(
    r"""(?P<space>[\s\ufeff]++)
    | (?P<close>\?>\n?)
    | (?P<comment>(?:\#|//)(?:[^\r\n?]|\?(?!>))*+ | /\*(?:[^*]|\*(?!/))*+\*/)
    | (?P<single>b?'(?:[^'\\]|\\.)*+')
    | (?P<double>b?"(?:[^"\\]|\\.)*+")
    | (?P<shell>`(?:[^`\\]|\\.)*+`)
    | (?P<heredoc><<<[ \t]*(?P<quote>["']?)(?P<label>[A-Za-z_]\w*)(?P=quote)\r?\n)
    | (?P<variable>\$[^\W\d]\w*)
    | (?P<number>0[xX][0-9a-fA-F_]+ | 0[bB][01_]+ | 0[oO][0-7_]+
        | (?:[0-9][0-9_]*+)?\.[0-9][0-9_]*+(?:[eE][+-]?[0-9]+)? | [0-9][0-9_]*+\.?(?:[eE][+-]?[0-9]+)?)
    | (?P<name>\\?[^\W\d]\w*(?:\\[^\W\d]\w*)*)
    | (?P<unclosed>/\*)
    | (?P<mark>===|!==|<=>|\*\*=|\.\.\.|<<=|>>=|\?\?=|\?->|->|::|=>|==|!=|<>|<=|>=|&&|\|\||\?\?|\+\+|--
        |\+=|-=|\*=|/=|\.=|%=|&=|\|=|\^=|<<|>>|\*\*|[-+*/%=<>!.,;:?()\[\]{}&|^~@$])""",
    re.VERBOSE | re.DOTALL,
)
ESCAPE = re.compile(r'\\(?:([nrtvef\\$"])|([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|u\{([0-9A-Fa-f]{1,6})\})', re.DOTALL)
SIMPLE = {"n": "\n", "r": "\r", "t": "\t", "v": "\v", "e": "\x1b", "f": "\f", "\\": "\\", "$": "$", '"': '"'}
INSIDE = re.compile(
    r"""\\. | \{\$(?P<braced>[^\W\d]\w*)(?P<keys>(?:\[(?:'[^'\\]*+'|"[^"\\$]*+"|[0-9]{1,9})\])*+)\}
    | \$\{(?P<named>[^\W\d]\w*)\} | \$(?P<plain>[^\W\d]\w*)(?P<more>\[|->|\?->)? | (?P<other>\{\$|\$\{)""",
    re.VERBOSE | re.DOTALL,
)
KEY = re.compile(r"""\[(?:'([^']*)'|"([^"]*)"|([0-9]+))\]""")


class Unsure(Exception):
    """We cannot tell for certain what PHP would make of it."""


class Token(NamedTuple):
    kind: str
    """variable, name, string, template, number, mark, other (what we do not read) or end."""
    text: str
    """Of a variable its name, of a name it in small letters, of a mark itself."""
    start: int
    end: int
    value: Any = None
    """Of a string its text, of a number it; of a template its parts: text, or (variable, keys)."""


def tokens(text: str) -> list[Token]:
    """The last one is of kind `end`; its text is "cut" where a quote or comment does not end."""
    found: list[Token] = []
    at = 0
    while opened := OPEN.search(text, at):
        if found:
            found.append(Token("mark", ";", opened.start(), opened.start()))
        at = opened.end()
        while at < len(text):
            match = TOKEN.match(text, at)
            if match is None or match["unclosed"]:
                return [*found, Token("end", "cut", at, len(text))]
            at = match.end()
            if match.lastgroup == "close":
                break
            if match["heredoc"]:
                token = _heredoc(text, match)
                if token is None:
                    return [*found, Token("end", "cut", match.start(), len(text))]
                found.append(token)
                at = token.end
            elif match.lastgroup not in ("space", "comment"):
                found.append(_token(match))
                if found[-1].text == "__halt_compiler":
                    return [*found[:-1], Token("end", "", at, at)]
        else:
            break
    return [*found, Token("end", "", len(text), len(text))]


def _token(match: re.Match[str]) -> Token:
    kind, text = str(match.lastgroup), match[0]
    start, end = match.span()
    if kind == "variable":
        return Token(kind, text[1:], start, end)
    if kind == "name":
        return Token(kind, text.lower().removeprefix("\\"), start, end, text)
    if kind in ("mark", "number"):
        return Token(kind, text, start, end, number(text) if kind == "number" else None)
    if kind == "single":
        return Token("string", text, start, end, re.sub(r"\\([\\'])", r"\1", text.removeprefix("b")[1:-1]))
    if kind == "double":
        return _double(text, text.removeprefix("b")[1:-1], start, end)
    return Token("other", text, start, end)


def number(text: str) -> int | float:
    text = text.replace("_", "").lower()
    if re.fullmatch(r"0[0-7]+", text):
        text = f"0o{text[1:]}"
    if re.fullmatch(r"0[xbo].+|[0-9]{1,19}", text):
        found = int(text, 0) if text[:2] in ("0x", "0b", "0o") else int(text)
        return found if found < 2**63 else float(found) if found < 2**1000 else float("inf")
    return float(text)


def _heredoc(text: str, match: re.Match[str]) -> Token | None:
    """None when it does not end."""
    closing = re.compile(rf"^([ \t]*){match['label']}\b", re.MULTILINE).search(text, match.end())
    if closing is None:
        return None
    body = re.sub(r"\r?\n\Z", "", text[match.end() : closing.start()])
    indent = closing[1]
    lines = body.split("\n")
    if any(line.strip() and not line.startswith(indent) for line in lines):
        return Token("other", text[match.start() : closing.end()], match.start(), closing.end())
    body = "\n".join(line[len(indent) :] for line in lines)
    whole = text[match.start() : closing.end()]
    if match["quote"] == "'":
        return Token("string", whole, match.start(), closing.end(), body)
    return _double(whole, body, match.start(), closing.end(), '\\"')


def _double(whole: str, body: str, start: int, end: int, kept: str = "") -> Token:
    """`kept`: an escape that stays as it is."""
    try:
        parts = _parts(body, kept)
    except Unsure:
        return Token("other", whole, start, end)
    if all(isinstance(part, str) for part in parts):
        return Token("string", whole, start, end, "".join(part for part in parts if isinstance(part, str)))
    return Token("template", whole, start, end, tuple(parts))


def _parts(body: str, kept: str) -> list[str | tuple[str, tuple[str | int, ...]]]:
    parts: list[str | tuple[str, tuple[str | int, ...]]] = []
    at = 0
    for found in INSIDE.finditer(body):
        if found[0].startswith("\\"):
            continue
        if found["other"] or found["more"]:
            raise Unsure(body)
        parts.append(_unescaped(body[at : found.start()], kept))
        name = found["braced"] or found["named"] or found["plain"]
        keys = tuple(int(n) if n else a or b for a, b, n in KEY.findall(found["keys"] or ""))
        parts.append((name, keys))
        at = found.end()
    return [*parts, _unescaped(body[at:], kept)]


def _unescaped(text: str, kept: str) -> str:
    def one(found: re.Match[str]) -> str:
        if found[0] == kept:
            return found[0]
        if found[1]:
            return SIMPLE[found[1]]
        code = int(found[2], 8) if found[2] else int(found[3] or found[4], 16)
        if code > 0x10FFFF or (code > 127 and not found[4]) or 0xD800 <= code < 0xE000:
            raise Unsure(text)  # bytes that need not be text
        return chr(code)

    return ESCAPE.sub(one, text)
