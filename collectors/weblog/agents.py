"""A user agent -> who that is: people, search, ai, monitor, scanner, bot (other robots), script or empty.

What it is by its own word: anybody may say anything. The words are in agents.tsv.
"""

import re
from functools import cache
from pathlib import Path

from collectors.weblog.known import Known

PEOPLE, SCRIPT, EMPTY = "people", "script", "empty"
BROWSERS = ("mozilla/", "opera/", "dalvik/")
CLASSES = ("people", "search", "ai", "monitor", "scanner", "bot", "script", "empty")


def agent_class(agent: str) -> str:
    text = agent.lower()
    if text in ("", "-"):
        return EMPTY
    if found := _words().search(text):
        return _rank(found, text)
    return PEOPLE if text.startswith(BROWSERS) else SCRIPT


def _rank(found: re.Match[str], text: str) -> str:
    """Of several words the one that stands higher in the file."""
    table = _table()
    return table[min((each[0] for each in _words().finditer(text)), key=list(table).index, default=found[0])]


@cache
def _words() -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, _table())))


@cache
def _table() -> dict[str, str]:
    """Word -> class, in the order of the file."""
    lines = Path(__file__).with_name("agents.tsv").read_text(encoding="utf-8").splitlines()
    rows = (line.split("\t") for line in lines if not line.startswith("#"))
    return {word: name for name, word in rows}


AGENTS = Known(agent_class)
