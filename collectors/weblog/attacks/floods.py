"""One source that asks for far more pages than a site is used to, and forms that are sent again and again.

Both are told, and neither wakes anybody: whether visitors suffer, durations tell.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import compress, groupby
from math import ceil
from typing import Any

from collectors.weblog.attacks.keys import Keys
from collectors.weblog.attacks.logins import source_of
from collectors.weblog.attacks.outcome import ATTEMPT, BLOCKED, SUCCESS
from collectors.weblog.attacks.telling import Found
from collectors.weblog.counting import Lines
from collectors.weblog.layout import Request
from collectors.weblog.routes import FILES
from collectors.weblog.values import MOMENTS

SECONDS = 60
MANY = 300
"""Pages that one source gets in a minute: five a second is no reader, nor an office of them."""
SHARE = 0.5
"""Of what the whole site is usually asked for in a minute."""
MINUTES = 1440
"""Over so many the usual is a mean; it moves slowly, so that a flood does not become the usual."""
MOST_SOURCES = 4096
"""Of a site and a minute. The busiest half stays when there are more."""
FORMS = frozenset(("user/register", "contact", "webform", "comment"))
"""Classes of routes that send a form which anybody may fill in."""
SENT, SENT_OF_ALL, FORGIVEN = 5.0, 20.0, 1 / 720
"""Forms of a source, of a site; one in twelve minutes is forgiven."""


class Rates:
    """Pages by source in the minute that runs, and what a site usually gets in one."""

    def __init__(self, known: Mapping[str, Any] | None) -> None:
        self._sites: dict[str, tuple[int, float, int, Counter[str]]] = {
            site: (minute, usual, minutes, Counter(sources))
            for site, (minute, usual, minutes, sources) in (known or {}).items()
        }

    def plain(self) -> dict[str, Any]:
        return {site: [*row[:3], dict(row[3])] for site, row in self._sites.items()}

    def add(self, lines: Lines) -> dict[int, float]:
        """Number of the line with which a source became too many -> the minute, in Unix seconds."""
        columns, found = lines.columns, {}
        if "remote" not in columns or "time" not in columns:
            return {}
        pages = [each not in FILES for each in lines.classes]
        rows = list(zip(lines.sites, columns["remote"], strict=True))
        for begin, end, minute in _minutes(columns["time"]):
            for row, times in Counter(compress(rows[begin:end], pages[begin:end])).items():
                over = self._count(*row, minute, times)
                if 0 < over <= times:
                    its = [at for at in range(begin, end) if rows[at] == row and pages[at]]
                    found[its[over - 1]] = float(minute * SECONDS)
        return found

    def _count(self, site: str, remote: str, minute: int, times: int) -> int:
        """Which of these pages is the first that is too many, from 1 on."""
        now, usual, minutes, sources = self._sites.get(site) or (minute, 0.0, 0, Counter())
        if minute > now:
            minutes = min(minutes + 1, MINUTES)
            usual += (sources.total() - usual) / minutes
            now, sources = minute, Counter()
        before = sources[remote]
        sources[remote] = before + times
        if len(sources) > MOST_SOURCES:
            sources = Counter(dict(sources.most_common(MOST_SOURCES // 2)))
        self._sites[site] = (now, usual, minutes, sources)
        return ceil(max(MANY, usual * SHARE)) - before


def _minutes(times: Sequence[str]) -> Iterator[tuple[int, int, int]]:
    """Begin and end of lines of the same minute; most often all of them are."""
    minute_of = {time: int((MOMENTS[time] or 0.0) // SECONDS) for time in set(times)}
    if len({*minute_of.values()}) == 1:
        yield 0, len(times), minute_of[times[0]]
        return
    begin = 0
    for minute, run in groupby(map(minute_of.__getitem__, times)):
        end = begin + len(list(run))
        yield begin, end, minute
        begin = end


FLOOD = Found(
    "flood", ATTEMPT, "many-pages", f"one source asks for more than {MANY} pages a minute, far above the usual"
)


def forms(keys: Keys, site: str, request: Request, route: str, now: float) -> Iterator[Found]:
    """Told again with each further form; 303 (Drupal 7: 302) is one that was taken."""
    if request.method != "POST" or route not in FORMS:
        return
    how = BLOCKED if request.status in ("403", "429") else SUCCESS if request.status in ("302", "303") else ATTEMPT
    source = source_of(request.remote)
    if source and keys.pour("forms", f"{site} {source}", now, FORGIVEN, SENT * 4) >= SENT:
        yield Found("spam", how, "many-forms", "one source sends forms again and again", who=source)
    if keys.pour("forms", f"{site} *", now, FORGIVEN, SENT_OF_ALL * 4) >= SENT_OF_ALL:
        yield Found("spam", how, "many-forms-spread", "forms are sent again and again", who="many networks")
