"""A source that asks for many things that are not there, whatever they are called: a scan by a list of names."""

from collections.abc import Iterator
from zlib import crc32

from collectors.weblog.attacks.keys import Keys
from collectors.weblog.attacks.logins import source_of
from collectors.weblog.attacks.outcome import ATTEMPT
from collectors.weblog.attacks.prefilter import NOT_THERE
from collectors.weblog.attacks.telling import Found
from collectors.weblog.layout import Request

SECONDS, MANY = 60.0, 20
"""Different paths within so long are no broken link and no missing image."""


def scans(keys: Keys, site: str, request: Request, now: float) -> Iterator[Found]:
    """Told again with each further path that is not there."""
    source = source_of(request.remote)
    if request.status not in NOT_THERE or not source:
        return
    key = f"{site} {source}"
    began, paths = keys.get("scans", key) or (now, [])
    if not 0 <= now - began <= SECONDS:
        began, paths = now, []
    mark = crc32(request.path.encode(errors="replace"))
    if mark not in paths:
        paths = [*paths, mark][-MANY:]
        keys.put("scans", key, [began, paths])
        if len(paths) >= MANY:
            yield Found("probe", ATTEMPT, "many-not-there", "many different paths that are not there, from one source")
