"""How well attacks are told from what people ask for: recall and precision of each class on labelled requests.

A line of the corpus is a request (`METHOD TARGET | user agent`), or a value that is put into a parameter. It is found
when a request like it is told under some answer of the server; a benign one is false when any class is told of it.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

from bench.figures import Figure
from collectors.weblog.attacks.classify import hits
from collectors.weblog.layout import Request
from tests.lab.lab import Lab

TITLE = "attacks"
CORPUS = Path(__file__).parents[1] / "tests" / "data" / "attacks"
PARTS = {"tuned": CORPUS, "held out": CORPUS / "held_out"}
"""The rules are written with the first at hand, and not with the second."""
LISTS = "RAINGAUGE_ATTACK_LISTS"
"""A folder of further lists, named CLASS.txt or CLASS-NAME.txt."""
BENIGN = "benign"
STATUSES = ("200", "403", "404", "500")
METHODS = ("GET ", "POST ", "PUT ", "PATCH ", "HEAD ")
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
SHOWN = "RAINGAUGE_ATTACKS_MISSED"
"""If set, what is not found is printed."""


def measure(_lab: Lab, quick: bool) -> Iterable[Figure]:
    for name, folder in PARTS.items():
        yield from of_folder(name, folder)
    if further := os.environ.get(LISTS):
        yield from of_folder("other lists", Path(further))


def of_folder(name: str, folder: Path) -> Iterator[Figure]:
    told: dict[str, list[set[str]]] = {}
    for file in sorted(folder.glob("*.txt")):
        label = file.stem.partition("-")[0]
        for text in texts(file):
            found = classes(text)
            told.setdefault(label, []).append(found)
            if os.environ.get(SHOWN) and (found if label == BENIGN else label not in found):
                print(f"{name}: {label}: {text!r}: {sorted(found) or 'nothing'}")
    for label, each in told.items():
        if label == BENIGN:
            yield Figure(f"{name}: false", 100 * sum(map(bool, each)) / len(each), "%", f"{len(each)} benign requests")
        else:
            yield from _of_class(name, label, told)


def _of_class(name: str, label: str, told: dict[str, list[set[str]]]) -> Iterator[Figure]:
    own = told[label]
    right = sum(label in found for found in own)
    any_class = sum(map(bool, own))
    how = f"{right} of {len(own)}; under any class {any_class}"
    yield Figure(f"{name}: {label} recall", 100 * right / len(own), "%", how)
    false = sum(label in found for found in told.get(BENIGN, ()))
    if right:
        how = f"{false} of the benign requests are told as it"
        yield Figure(f"{name}: {label} precision", 100 * right / (right + false), "%", how)


def texts(file: Path) -> list[str]:
    return [line for line in file.read_text("utf-8", "replace").splitlines() if line.strip() and line[:2] != "# "]


def classes(text: str) -> set[str]:
    """All that are told under any answer."""
    return {hit.found for asked in requests(text) for hit in hits(asked)}


def requests(text: str) -> Iterator[Request]:
    """As a browser sends it, with each answer. A value is in a parameter, with a plus for a space and without."""
    bare, _, agent = text.partition(" | ") if text.startswith(METHODS) else (text, "", "")
    if text.startswith(METHODS):
        targets = [quote(bare, safe="/?&=%+;:,@!$'()*[]{}<>|`\"\\^~#- ")]
    else:
        targets = [f"GET /search/node?keys={quote(text)}", f"GET /node/1?page={quote_plus(text)}"]
    for target in dict.fromkeys(targets):
        method, _, rest = target.partition(" ")
        path, _, query = rest.partition("?")
        fields = dict.fromkeys(Request._fields, "") | {"remote": "203.0.113.7", "bytes": "5000"}
        fields |= {"method": method, "path": path, "query": query, "agent": agent or BROWSER}
        yield from (Request(**fields | {"status": status}) for status in STATUSES)
