"""Access logs: requests by site, class of Drupal's routes and status, times, caches and who asks.

Sources: https://nginx.org/en/docs/http/ngx_http_log_module.html
https://httpd.apache.org/docs/2.4/mod/mod_log_config.html
"""

from collectors.model import Collector, Follower
from collectors.weblog.config import Weblog
from collectors.weblog.discovery import discover
from collectors.weblog.engine import step
from collectors.weblog.families import FAMILIES, samples
from collectors.weblog.reading import read

COLLECTOR = Collector(
    "weblog",
    "web",
    Weblog,
    parts=(),
    instance=lambda _config, host: host,
    discover=discover,
    followers=(Follower("requests", FAMILIES, read, step, samples, more=lambda found: bool(found["more"])),),
    grants="The right to read the access logs: on Debian, membership in the group `adm`.",
)
