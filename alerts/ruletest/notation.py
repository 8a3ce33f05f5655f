"""Series as tests write them: `up{job="a"}` with `1+2x3 _ stale`.

Source: https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/#series
"""

import re
from collections.abc import Sequence

from history.model import Labels

NUMBER = r"[-+]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[iI]nf|[nN]a[nN])"
VALUE = re.compile(rf"({NUMBER}|_|stale)(?:([-+])((?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?))?(?:x(\d+))?(?=\s|$)")
SERIES = re.compile(
    r'(?P<name>[a-zA-Z_:][\w:]*)?\s*(?P<labels>\{(?:[^"}]|"(?:[^"\\]|\\.)*")*\})?\s*(?P<rest>.*)', re.DOTALL
)
LABEL = re.compile(
    r"""\s*(?:"((?:[^"\\]|\\.)*)"|([a-zA-Z_][\w.]*))\s*(?:=\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'))?\s*(?:,|$)"""
)
MOST = 100_000
"""Values of a series."""


class NotSeries(ValueError):
    pass


class End:
    """`stale`: the series has ended here."""


STALE = End()
Value = float | End | None


def values(text: str) -> list[Value]:
    """Each value; None where there is none. NotSeries for what is not in the notation."""
    found: list[Value] = []
    at, text = 0, text.strip()
    while at < len(text):
        run = VALUE.match(text, at)
        if not run:
            what = "native histograms are not supported" if "{{" in text[at:] else "not a run of values"
            raise NotSeries(f"{what}: {text[at : at + 40]!r}")
        found += _run(*run.groups())
        at = run.end() + len(text[run.end() :]) - len(text[run.end() :].lstrip())
        if len(found) > MOST:
            raise NotSeries(f"more than {MOST:,} values")
    return found


def _run(first: str, sign: str | None, step: str | None, times: str | None) -> Sequence[Value]:
    count = int(times[:9]) if times else 0
    if count > MOST:
        raise NotSeries(f"more than {MOST:,} values")
    if first in ("_", "stale"):
        return [None if first == "_" else STALE] * (1 if times is None else count)
    begin = float(first)
    width = float(f"{sign or '+'}{step or 0}")
    return [begin + width * n for n in range(count + 1)]


def series(text: str) -> tuple[Labels, str]:
    """The labels of `up{job="a"}`, and what comes after it. NotSeries for what is no series."""
    found = SERIES.fullmatch(text.strip())
    if not found or not (found["name"] or found["labels"]):
        raise NotSeries(f"not a series: {text.strip()[:80]!r}")
    labels = {"__name__": found["name"]} if found["name"] else {}
    inner, at = (found["labels"] or "{}")[1:-1].strip(), 0
    while at < len(inner):
        pair = LABEL.match(inner, at)
        if not pair or pair.end() == at:
            raise NotSeries(f"not labels: {found['labels'][:80]!r}")
        quoted, name, *given = pair.groups()
        value = next((each for each in given if each is not None), None)
        if value is None and (quoted is None or "__name__" in labels):
            raise NotSeries(f"a label without a value: {found['labels'][:80]!r}")
        labels["__name__" if value is None else unescape(quoted) if quoted is not None else name] = unescape(
            quoted if value is None else value
        )
        at = pair.end()
    return {name: value for name, value in labels.items() if value}, found["rest"]


def unescape(text: str) -> str:
    escapes = {"n": "\n", "t": "\t", "r": "\r"}
    return re.sub(r"\\(.)", lambda found: escapes.get(found[1], found[1]), text)


def shown(labels: Labels) -> str:
    """As Prometheus writes them: `up{job="a"}`."""
    pairs = ", ".join(f'{name}="{_quoted(value)}"' for name, value in sorted(labels.items()) if name != "__name__")
    name = labels.get("__name__", "")
    return f"{name}{{{pairs}}}" if pairs or not name else name


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
