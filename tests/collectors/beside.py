"""An official exporter beside us, on the same server: same names, types and labels, and our values between two of its.

before = page_of(exporter)
ours = render(...)
after = page_of(exporter)
assert differences(before, ours, after, volatile) == {}
"""

import urllib.request
from collections.abc import Collection

from tests.collectors.official import families, series


def differences(
    before: str, ours: str, after: str, volatile: Collection[str] = (), newer_labels: Collection[str] = ()
) -> dict[str, str]:
    """What is not alike, by series, of the families that both have; empty when all is well.

    `volatile` names gauges that move between reads; of those only name, type and labels are compared. `newer_labels`
    are labels that this version of the exporter does not have yet.
    """
    types, our_types = families(after), families(ours)
    shared = types.keys() & our_types.keys()
    found = {
        name: f"expected type {types[name].type}, found {our_types[name].type}"
        for name in shared
        if types[name].type != our_types[name].type
    }
    if not shared:
        return {"": "no family is on both pages"}
    first, last = series(before), series(after)
    mine = {(name, frozenset(label for label in labels if label[0] not in newer_labels)): value
            for (name, labels), value in series(ours).items()}  # fmt: skip
    for key in sorted({key for key in mine.keys() | last.keys() if key[0] in shared}, key=_text):
        if key not in mine or key not in last:
            found[_text(key)] = "only theirs" if key in last else "only ours"
        elif key[0] not in volatile:
            low, high = sorted((first.get(key, last[key]), last[key]))
            slack = 1e-9 * abs(high)  # they print few digits
            if not low - slack <= mine[key] <= high + slack:
                found[_text(key)] = f"expected {low:.17g} to {high:.17g}, found {mine[key]:.17g}"
    return found


def _text(key: tuple[str, frozenset[tuple[str, str]]]) -> str:
    return f"{key[0]}{{{','.join(f'{name}={value}' for name, value in sorted(key[1]))}}}"


def page_of(exporter: str, timeout: float = 10) -> str:
    """What it says now; `exporter` is its address, such as http://127.0.0.1:9117."""
    with urllib.request.urlopen(f"{exporter}/metrics", timeout=timeout) as answer:
        text: str = answer.read().decode()
    return text
