"""Take out of a text what no chat, mailbox or push service should hold: secrets, sessions, addresses, queries."""

import re

HIDDEN = "[hidden]"
LONGEST = 4000
"""Characters of one text that are looked at; the rest is cut off."""

_WORD = r"""
    pass(?:word|wd|phrase)? | pwd | secret | \w*token | (?:\w*[_-])?api[_-]?key | (?:access|private|routing)[_-]?key
  | auth(?:orization)? | cookie | session(?:[_-]?id)? | s?sess[0-9a-f]{8,} | phpsessid | sid | csrf\w* | credentials?
  | signature
"""
_KEYED = re.compile(
    rf"""
    (?P<key> \b(?:{_WORD}) ["']? \s* (?: = | :(?=[ "'\w]) ) \s* )
    (?: (?:bearer|basic|digest) \s+ )? (?: "[^"]*" | '[^']*' | [^\s"'&,;]+ )
    """,
    re.IGNORECASE | re.VERBOSE,
)
_SCHEME = re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]{8,}", re.IGNORECASE)
_USERINFO = re.compile(r"(\b[a-z][a-z0-9+.-]{0,20}://)[^\s/@\"'<>]+@", re.IGNORECASE)
_QUERY = re.compile(r"(?<=[\w/.%~-])\?[^\s\"'<>?#|=]*=[^\s\"'<>#|]*")
_MAIL = re.compile(r"(?<![\w.+%-])[\w.+%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
_KNOWN = re.compile(
    r"""
    \beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)? | \bAKIA[0-9A-Z]{16}\b | \bgh[opsu]_\w{20,} | \bxox[a-z]-[\w-]{10,}
  | \bsk_(?:live|test)_\w{10,}
  | -----BEGIN\ [A-Z ]*PRIVATE\ KEY-----[^-]*(?:-----END\ [A-Z ]*PRIVATE\ KEY-----)?
    """,
    re.VERBOSE,
)
_RANDOM = re.compile(
    r"""
    (?<![\w-]) (?: [0-9a-fA-F]{24,} | (?=[\w-]*\d) (?=[\w-]*[a-z]) (?=[\w-]*[A-Z]) [\w-]{24,} ) (?![\w-])
    """,
    re.VERBOSE,
)
"""Long, and of what no word is made: hex digits, or digits with small and capital letters."""


def redact(text: str) -> str:
    return _MAIL.sub(HIDDEN, _QUERY.sub(f"?{HIDDEN}", redact_secrets(text)))


def redact_secrets(text: str) -> str:
    """As `redact`, but queries and mail addresses stay: for an address that has to work. No control characters."""
    text = text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
    text = "".join(each if each.isprintable() or each == "\n" else " " for each in text)
    text = _USERINFO.sub(r"\1", text)
    text = _KNOWN.sub(HIDDEN, text)
    text = _KEYED.sub(rf"\g<key>{HIDDEN}", text)
    text = _SCHEME.sub(rf"\1 {HIDDEN}", text)
    return _RANDOM.sub(HIDDEN, text)
