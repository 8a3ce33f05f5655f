"""The labelled requests of tests/data/attacks, as a server logs them."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

from collectors.weblog.attacks.classify import hits
from collectors.weblog.layout import Request

FOLDER = Path(__file__).parents[1] / "data" / "attacks"
BENIGN = "benign"
STATUSES = ("200", "403", "404", "500")
METHODS = ("GET ", "POST ", "PUT ", "PATCH ", "HEAD ")
KEPT = "/?&=%+;:,@!$'()*[]{}<>|`\"\\^~#- "
"""Of a request; values are encoded as browsers do."""
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


def labelled(file: Path) -> list[str]:
    return [line for line in file.read_text("utf-8", "replace").splitlines() if line.strip() and line[:2] != "# "]


def classes(text: str) -> set[str]:
    """All that are told under any answer."""
    return {hit.found for asked in requests(text) for hit in hits(asked)}


def requests(text: str) -> Iterator[Request]:
    """As a browser sends it, with each answer. A value is in a parameter, with a plus for a space and without."""
    bare, _, agent = text.partition(" | ") if text.startswith(METHODS) else (text, "", "")
    if text.startswith(METHODS):
        targets = [quote(bare, safe=KEPT)]
    else:
        targets = [f"GET /search/node?keys={quote(text)}", f"GET /node/1?page={quote_plus(text)}"]
    for target in dict.fromkeys(targets):
        method, _, rest = target.partition(" ")
        path, _, query = rest.partition("?")
        fields = dict.fromkeys(Request._fields, "") | {"remote": "203.0.113.7", "bytes": "5000"}
        fields |= {"method": method, "path": path, "query": query, "agent": agent or BROWSER}
        yield from (Request(**fields | {"status": status}) for status in STATUSES)
