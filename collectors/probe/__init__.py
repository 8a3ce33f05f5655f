"""Checks: does an address answer as it should, how long does each phase take, until when is its certificate good.

Over HTTP (a journey of several requests, too), TCP with TLS, DNS, ICMP, and FastCGI to PHP-FPM itself. Names are
blackbox_exporter's. A check that fails is an answer, `probe_success` 0, and no failed read.
Source: https://github.com/prometheus/blackbox_exporter
"""

import http.client

from collectors.model import Collector, Part
from collectors.probe import dns, fastcgi, icmp, journey, request, tcp
from collectors.probe.attempt import Attempt, Facts, Failed, Guard
from collectors.probe.config import Probe, address, module
from collectors.probe.discovery import accepts, discover
from collectors.probe.families import FAMILIES, parse

INTERVAL_SECONDS = 30.0
MOST_OF_INTERVAL = 0.9
"""A check that takes longer than its interval would count as not made, and not as failed."""
PHASES = {
    "http": request.PHASES, "tcp": tcp.PHASES, "dns": dns.PHASES, "icmp": icmp.PHASES, "fastcgi": fastcgi.PHASES,
}  # fmt: skip
RUN = {"tcp": tcp.run, "dns": dns.run, "icmp": icmp.run, "fastcgi": fastcgi.run}


def read(config: Probe, allowed: journey.Allowed | None = None, guard: Guard | None = None) -> Facts:
    """Raises nothing for what the other side does; Denied where this side may not ask.

    `allowed`: which hosts redirects may lead to; all if it is not given. `guard`: which addresses are connected to.
    """
    attempt = Attempt(min(config.timeout, MOST_OF_INTERVAL * config.interval), PHASES[config.kind], guard)
    failed = None
    try:
        if config.kind == "http":
            journey.run(config, attempt, allowed)
        else:
            RUN[config.kind](config, attempt)
    except (OSError, http.client.HTTPException, ValueError, Failed) as error:
        failed = attempt.failure(error)
    return attempt.facts(config.kind, failed)


COLLECTOR = Collector(
    "probe",
    "blackbox",
    Probe,
    parts=(Part("check", FAMILIES, read, parse, interval=INTERVAL_SECONDS),),
    instance=address,
    discover=discover,
    extra=lambda config: (("module", module(config)), ("height", config.height)),
    accepts=accepts,
    grants="None: it asks as any visitor does. A ping (`icmp`) needs `net.ipv4.ping_group_range` or CAP_NET_RAW.",
)
