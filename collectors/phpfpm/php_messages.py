"""A PHP error's message without what changes from request to request, and without what belongs to somebody.

Numbers, quoted texts, addresses and SQL go; a path is told within its docroot.
"""

import re
from typing import NamedTuple

MOST_CHARACTERS = 200
INSIDE = {"core", "modules", "themes", "sites", "profiles", "vendor", "includes", "libraries", "recipes"}
"""Folders of a Drupal site; those before the first of them say where on the host it is."""
PHP = re.compile(
    r"(?:PHP )(?P<kind>(?:Recoverable |Catchable )?[Ff]atal error|Parse error|Warning|Notice|Deprecated|"
    r"Strict Standards|Unknown error): +(?P<said>.*)",
    re.DOTALL,
)
DRUPAL = re.compile(r'Uncaught PHP Exception (?P<name>[\w\\]+)(?:@anonymous\S*)?: "(?P<said>.*)', re.DOTALL)
EXCEPTION = re.compile(r"(?P<name>(?:\w+\\)*\w*(?:Exception|Error)): (?P<said>.*)", re.DOTALL)
AT_END = re.compile(r'" at (?P<file>/\S+) line (?P<line>\d{1,9})\.?\s*$')
IN_FILE = re.compile(
    r" in (?P<file>(?:/|phar://|Unknown)[^\n]{0,300}?)(?:\(\d{1,9}\) : [^\n]{0,40}?)?"
    r"(?: on line |:)(?P<line>\d{1,9})(?=\s|$)"
)
READ = 2000
"""Characters of a message that are looked at, and of its end for the place."""
AT_THE_END = 500
LEVELS = {
    "warning": "warning", "notice": "notice", "strict standards": "notice", "deprecated": "deprecated",
    "unknown error": "other",
}  # fmt: skip
NAMES = ("fatal", "exception", "warning", "notice", "deprecated", "other")

VERBS = r"SELECT|INSERT|UPDATE|DELETE|REPLACE|MERGE|CREATE|ALTER|DROP|TRUNCATE|SAVEPOINT"
QUOTED = (
    (re.compile(rf":\s+\(?(?:{VERBS})\b.*", re.DOTALL), ": (SQL)"),
    (
        re.compile(rf"(?<=SQLSTATE)(\[.*?):\s+\(?(?:{VERBS}|WITH|SHOW|CALL)\b.*", re.DOTALL | re.IGNORECASE),
        r"\1: (SQL)",
    ),
    (re.compile(r"(?<![\w.+-])[\w.+-]+://[^\s'\"<>]*"), "(URL)"),
    (re.compile(r"(?<![\w.+%-])[\w.+%-]+@[\w-]+(?:\.[\w-]+)*"), "(address)"),
    (re.compile(r"\"[^\"]*(?:\"|$)|“[^”]*(?:”|$)|`[^`]*(?:`|$)", re.DOTALL), '"?"'),
    (re.compile(r"(?<!\w)'.*?(?:'(?!\w)|$)", re.DOTALL), "'?'"),
    (re.compile(r"=\([^)]*(?:\)|$)"), "=(?)"),  # PostgreSQL's: Key (mail)=(...)
)
PATH = re.compile(r"(?<![\w.\\/])(?:/[\w.@+~%-]+){2,}/?")
NUMBERS = (
    (re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?(?![\w.])"), "(address)"),
    (
        re.compile(
            r"(?<![\w:\\])(?=[0-9a-fA-F:]*::|(?:[0-9a-fA-F]{1,4}:){4})(?=[a-fA-F:]*\d)[0-9a-fA-F:]{3,45}(?![\w:(])"
        ),
        "(address)",
    ),
    (re.compile(r"(?<![\w+=-])(?=[\w+=-]*\d)[\w+=-]{24,}"), "(token)"),
)
NUMBER = re.compile(r"SQLSTATE\[\w+\]|(?<!\w)(?:0x[0-9a-fA-F]+|\d+(?:[.,]\d+)*)(?!\w)")


class Message(NamedTuple):
    level: str
    text: str
    place: str
    """File within the site, and line; empty where the line does not say."""


def message(said: str) -> Message | None:
    """None for what PHP did not report as an error: what a site writes with error_log()."""
    if found := PHP.match(said):
        level = LEVELS.get(found["kind"].lower(), "fatal")
        return Message(level, plain(_without_place(found["said"])), _in_file(found["said"]))
    if found := DRUPAL.match(said):
        text = AT_END.sub("", found["said"])
        return Message("exception", plain(f"{found['name']}: {text}"), place_at_end(said))
    if found := EXCEPTION.match(said):
        return Message("exception", plain(_without_place(said)), _in_file(said))
    return None


def _without_place(said: str) -> str:
    found = IN_FILE.search(said[:READ])
    return said[: found.start()] if found else said


def _in_file(said: str) -> str:
    return _place(IN_FILE.search(said[:READ]) or IN_FILE.search(said[-AT_THE_END:]))


def place_at_end(line: str) -> str:
    """Of Drupal's exceptions: on the last of their lines."""
    return _place(AT_END.search(line[-AT_THE_END:]))


def _place(found: re.Match[str] | None) -> str:
    return f"{in_site(found['file'])}:{found['line']}"[:MOST_CHARACTERS] if found else ""


def in_site(path: str) -> str:
    """From the first folder on that Drupal's sites have; else the file's name alone."""
    parts = [part for part in path.split("/") if part]
    first = next((at for at, part in enumerate(parts[:-1]) if part in INSIDE), len(parts) - 1)
    return printable("/".join(parts[first:]))


def plain(text: str) -> str:
    text = text[:READ]
    for pattern, word in QUOTED:
        text = pattern.sub(word, text)
    text = PATH.sub(lambda found: in_site(found[0]), text)
    for pattern, word in NUMBERS:
        text = pattern.sub(word, text)
    text = NUMBER.sub(lambda found: found[0] if found[0].startswith("SQLSTATE") else "N", text)
    return printable(" ".join(text.split()))[:MOST_CHARACTERS].strip()


def printable(text: str) -> str:
    return "".join(each if each.isprintable() else "?" for each in text)
