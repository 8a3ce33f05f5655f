"""`/probe` of the exporter: a check made when it is asked for, in blackbox_exporter's words.

Only what `exporter.probe_targets` lists is asked: whoever can reach the exporter could else look around from here.
Source: https://github.com/prometheus/blackbox_exporter
"""

import logging
import math
import re
import threading
from collections.abc import Sequence
from fnmatch import fnmatchcase
from urllib.parse import parse_qs

from agent.exposition import CONTENT_TYPE, render
from collectors.errors import CollectError

log = logging.getLogger("raingauge.probing")

MOST_AT_ONCE = 10
LONGEST_SECONDS = 9.0
RESERVED_SECONDS = 0.5
"""Of Prometheus' own time, for the way there and back."""
HOST = re.compile(r"[\w.:%-]+")
QUESTION = {"module": "http_2xx", "target": "", "hostname": ""}

Told = tuple[int, str, bytes]
"""Status, content type, body."""


class Refused(Exception):
    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Probing:
    def __init__(self, targets: Sequence[str]) -> None:
        self.targets = tuple(targets)
        """What may be asked; may be set anew at any time."""
        self._free = threading.BoundedSemaphore(MOST_AT_ONCE)

    def answer(self, query: str, timeout: str) -> Told:
        """`timeout`: X-Prometheus-Scrape-Timeout-Seconds, or ""."""
        try:
            if not self._free.acquire(blocking=False):
                raise Refused(503, f"{MOST_AT_ONCE} checks are under way; try again")
            try:
                return 200, CONTENT_TYPE, self._checked(query, timeout)
            finally:
                self._free.release()
        except Refused as refused:
            return refused.status, "text/plain; charset=utf-8", f"{refused}\n".encode()

    def _checked(self, query: str, timeout: str) -> bytes:
        from collectors.probe import modules, read  # only where somebody asks
        from collectors.probe.families import FAILED, SUCCESS, parse

        given = parse_qs(query)
        module, target, name = (given.get(key, [usual])[0] for key, usual in QUESTION.items())
        if module not in modules.MODULES:
            raise Refused(400, f"unknown module {module[:60]!r}; expected one of {', '.join(modules.MODULES)}")
        if not target:
            raise Refused(400, "expected a target: /probe?target=ADDRESS&module=MODULE")
        if not self.targets:
            raise Refused(403, "/probe asks nothing: exporter.probe_targets of the configuration is empty")
        limit = seconds(timeout)
        try:
            config = modules.check(module, target, name, limit)
        except ValueError as error:
            raise Refused(400, f"module {module} cannot ask this target: {error}") from error
        # Of the settings, not of the target's text: what is asked is what must be listed.
        host = modules.host(config)
        if not HOST.fullmatch(host):
            raise Refused(400, f"module {module} cannot ask this target: its host is no name and no address")
        if target not in self.targets and not self.lists(host):
            raise Refused(403, "exporter.probe_targets of the configuration does not list this target")
        try:
            samples = list(parse(read(config, lambda onward: onward == host or self.lists(onward))))
        except CollectError as error:  # the check could not be made: no success, as blackbox_exporter has it
            log.warning("probe=%s module=%s error=%r", host, module, str(error))
            samples = [SUCCESS(0)]
        return render(sample for sample in samples if sample.family is not FAILED)

    def lists(self, host: str) -> bool:
        """An entry that is a host, with `*` for any text, allows all of that host; another only itself."""
        return any(fnmatchcase(host.lower(), each.lower()) for each in self.targets if not set(each) & set("/?["))


def seconds(header: str) -> float:
    """How long a check may take where Prometheus waits for so long. Refused for what is no time."""
    if not header:
        return LONGEST_SECONDS
    try:
        given = float(header)
    except ValueError:
        given = math.nan
    if not 0 < given < math.inf:
        raise Refused(400, "X-Prometheus-Scrape-Timeout-Seconds: expected seconds, found something else")
    return min(LONGEST_SECONDS, given - RESERVED_SECONDS if given > 2 * RESERVED_SECONDS else given / 2)
