"""How well attacks are told from what people ask for: recall and precision of each class on labelled requests.

A line of the corpus is a request (`METHOD TARGET | user agent`), or a value that is put into a parameter. It is found
when a request like it is told under some answer of the server; a benign one is false when any class is told of it.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from bench.figures import Figure
from tests.collectors.attack_corpus import BENIGN, FOLDER, classes, labelled
from tests.collectors.login_lines import labelled as labelled_logins
from tests.collectors.login_lines import wrong
from tests.lab.lab import Lab

TITLE = "attacks"
PARTS = {
    "tuned": FOLDER, "blind": FOLDER / "blind", "later, seen": FOLDER / "later/seen",
    "later, unseen": FOLDER / "later/unseen", "third": FOLDER / "third",
}  # fmt: skip
"""The rules are written with the first at hand, and not with the second; misses of `later, seen`, `third` were seen."""
LISTS = "RAINGAUGE_ATTACK_LISTS"
"""A folder of further lists, named CLASS.txt or CLASS-NAME.txt."""
SHOWN = "RAINGAUGE_ATTACKS_MISSED"
"""If set, what is not found is printed."""


def measure(_lab: Lab, _quick: bool) -> Iterable[Figure]:
    for name, folder in PARTS.items():
        yield from of_folder(name, folder)
    count, missed = len(list(labelled_logins())), len(wrong())
    how = f"{count - missed} of {count} lines: service, result, account, source, time, how often"
    yield Figure("logins: read right", 100 * (count - missed) / count, "%", how)
    if further := os.environ.get(LISTS):
        yield from of_folder("other lists", Path(further))


def told_of(folder: Path) -> dict[str, list[tuple[str, set[str]]]]:
    """Label -> each of its requests, with the classes that are told of it."""
    told: dict[str, list[tuple[str, set[str]]]] = {}
    for file in sorted(folder.glob("*.txt")):
        rows = told.setdefault(file.stem.partition("-")[0], [])
        rows += [(text, classes(text)) for text in labelled(file)]
    return told


def table() -> str:
    """The quality on each set, as docs/detection.md has it."""
    rows = [
        "| Class | Set | Requests | Recall | Under any class | Precision |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, folder in PARTS.items():
        told = told_of(folder)
        benign = [found for _, found in told[BENIGN]]
        for label, each in told.items():
            if label == BENIGN:
                continue
            right = sum(label in found for _, found in each)
            some = sum(bool(found) for _, found in each)
            false = sum(label in found for found in benign)
            shares = [100 * right / len(each), 100 * some / len(each), 100 * right / (right + false or 1)]
            rows.append(f"| {label} | {name} | {len(each)} | {' | '.join(f'{share:.1f} %' for share in shares)} |")
        false = sum(map(bool, benign))
        rows.append(f"| none (false alarms) | {name} | {len(benign)} | {100 * false / len(benign):.2f} % | | |")
    return "\n".join(rows) + "\n"


def of_folder(name: str, folder: Path) -> Iterator[Figure]:
    told: dict[str, list[set[str]]] = {}
    for label, rows in told_of(folder).items():
        told[label] = [found for _, found in rows]
        for text, found in rows if os.environ.get(SHOWN) else ():
            if found if label == BENIGN else label not in found:
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


if __name__ == "__main__":
    print(table(), end="")
