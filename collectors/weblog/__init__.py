"""Access logs: requests by site, class of Drupal's routes and status, times, caches, who asks, and who attacks.

Sources: https://nginx.org/en/docs/http/ngx_http_log_module.html
https://httpd.apache.org/docs/2.4/mod/mod_log_config.html
"""

from collections.abc import Iterable

from collectors.model import Collector, Follower, Part, Sample, State
from collectors.weblog import certificates, families, uses, warming
from collectors.weblog.attacks import families as of_attacks
from collectors.weblog.attacks.watching import step
from collectors.weblog.config import Weblog
from collectors.weblog.discovery import discover
from collectors.weblog.reading import read


def samples(state: State) -> Iterable[Sample]:
    yield from families.samples(state)
    yield from of_attacks.samples(state)


FAMILIES = (*families.FAMILIES, *of_attacks.FAMILIES)
COLLECTOR = Collector(
    "weblog",
    "web",
    Weblog,
    parts=(Part("uses", uses.FAMILIES, uses.read, uses.parse, interval=60.0, beside=True),),
    instance=lambda _config, host: host,
    discover=discover,
    followers=(
        Follower(
            "requests", FAMILIES, read, step, samples, more=lambda found: bool(found["more"]), hears=warming.HEARS
        ),
        certificates.FOLLOWER,
    ),
    grants="The right to read the access logs: on Debian, membership in the group `adm`.",
)
