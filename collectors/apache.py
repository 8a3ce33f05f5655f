"""Apache: requests, workers and connections, read from the server-status page of mod_status.

Without ExtendedStatus the page has no requests, bytes and times. Names and types are apache_exporter's.
Source: https://httpd.apache.org/docs/2.4/mod/mod_status.html
"""

import math
import re
from collections import Counter as Tally
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from collectors.config import Config, HttpUrl, Timeout
from collectors.errors import ParseError
from collectors.inventory import Inventory, Vhost, apache_main
from collectors.model import Collector, Counter, Family, Gauge, Part, Proposal, Sample, tcp_instance
from collectors.sources.http import http_get


class Apache(Config):
    url: HttpUrl = "http://127.0.0.1/server-status?auto"
    """Address of the server-status page, with `?auto`."""
    host_header: str = ""
    """Host header to send, where the page is inside a named virtual host."""
    timeout: Timeout = 2.0
    """How long one read may take."""


UP = Gauge("apache_up", "1 when Apache answered its status page.")
INFO = Gauge("apache_info", "Always 1; version and multi-processing module as labels.", ("mpm", "version"))
VERSION = Gauge("apache_version", "Version as one number: 2.4.71 is 2.04071.")
GENERATION = Gauge("apache_generation", "How often it was restarted: `config` by anyone, `mpm` gracefully.", ("type",))
LOAD = Gauge("apache_load", "Load average of the host as Apache sees it.", ("interval",))
CPU = Counter("apache_cpu_time_ms_total", "Processor time of Apache, in milliseconds.", ("type",))
WORKERS = Gauge("apache_workers", "Workers that serve a request, and idle ones.", ("state",))
PROCESSES = Gauge("apache_processes", "Server processes, and those of them that are about to end.", ("state",))
CONNECTIONS = Gauge(
    "apache_connections", "Connections of the event module, in all and by what they wait for.", ("state",)
)
SCOREBOARD = Gauge("apache_scoreboard", "Places for workers by what is done in them.", ("state",))
BALANCER = ("balancer", "worker")
ELECTED = Counter("apache_proxy_balancer_accesses_total", "Requests that the balancer gave to this worker.", BALANCER)
BUSY = Gauge("apache_proxy_balancer_busy", "Requests that this worker of the balancer serves now.", BALANCER)
SENT = Counter("apache_proxy_balancer_request_kbytes_total", "Kilobytes sent to this worker.", BALANCER)
RECEIVED = Counter("apache_proxy_balancer_response_kbytes_total", "Kilobytes received from this worker.", BALANCER)
STATUS = Gauge(
    "apache_proxy_balancer_status", "Always 1; the worker's status as label.", ("balancer", "status", "worker")
)

FIELDS: dict[str, tuple[Family, tuple[str, ...]]] = {
    "ParentServerConfigGeneration": (GENERATION, ("config",)),
    "ParentServerMPMGeneration": (GENERATION, ("mpm",)),
    "Load1": (LOAD, ("1min",)),
    "Load5": (LOAD, ("5min",)),
    "Load15": (LOAD, ("15min",)),
    "Total Accesses": (Counter("apache_accesses_total", "Requests served."), ()),
    "Total kBytes": (Counter("apache_sent_kilobytes_total", "Kilobytes sent."), ()),
    "Total Duration": (Counter("apache_duration_ms_total", "Milliseconds spent on requests, all added up."), ()),
    "CPULoad": (Gauge("apache_cpuload", "Percent of one processor that Apache used since it started."), ()),
    "Uptime": (Counter("apache_uptime_seconds_total", "Seconds since Apache started."), ()),
    "BusyWorkers": (WORKERS, ("busy",)),
    "IdleWorkers": (WORKERS, ("idle",)),
    "Processes": (PROCESSES, ("all",)),
    "Stopping": (PROCESSES, ("stopping",)),
    "ConnsTotal": (CONNECTIONS, ("total",)),
    "ConnsAsyncWriting": (CONNECTIONS, ("writing",)),
    "ConnsAsyncKeepAlive": (CONNECTIONS, ("keepalive",)),
    "ConnsAsyncClosing": (CONNECTIONS, ("closing",)),
}
CPU_FIELDS = {"user": ("CPUUser", "CPUChildrenUser"), "system": ("CPUSystem", "CPUChildrenSystem")}
SLOTS = {
    "_": "idle", "S": "startup", "R": "read", "W": "reply", "K": "keepalive", "D": "dns", "C": "closing",
    "L": "logging", "G": "graceful_stop", "I": "idle_cleanup", ".": "open_slot",
}  # fmt: skip
MEMBER = re.compile(r"(ProxyBalancer\[\d+\])(?:(Worker\[\d+\]))?(Name|Status|Elected|Busy|Sent|Rcvd)")
MEMBER_FIELDS = {"Elected": ELECTED, "Busy": BUSY, "Sent": SENT, "Rcvd": RECEIVED}
FAMILIES = tuple(dict.fromkeys((
    *(family for family, _ in FIELDS.values()),
    INFO, VERSION, CPU, SCOREBOARD, ELECTED, BUSY, SENT, RECEIVED, STATUS,
)))  # fmt: skip

DEBIAN_MAIN = "/etc/apache2/apache2.conf"
USUAL_PATH = "/server-status"
MOST_WAYS = 8
"""Of the addresses of one Apache's page, how many are tried."""
PAGE_BLOCK = """\
    Listen 127.0.0.1:8098
    ExtendedStatus On
    <VirtualHost 127.0.0.1:8098>
        <Location "/server-status">
            SetHandler server-status
            Require local
        </Location>
    </VirtualHost>
"""


def read(config: Apache) -> str:
    return http_get(config.url, config.timeout, config.host_header)


def parse(page: str) -> Iterable[Sample]:
    """Raise ParseError on any text that is not a server-status page."""
    fields = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in page.splitlines())}
    if not fields.keys() >= {"Scoreboard", "BusyWorkers"}:
        raise ParseError(f"expected a server-status page with ?auto, found {page[:80]!r}")
    fields.setdefault("Uptime", fields.get("ServerUptimeSeconds", ""))  # the first only with ExtendedStatus
    yield from _server(fields)
    for name, (family, labels) in FIELDS.items():
        if (value := _number(fields.get(name, ""))) is not None:
            yield family(value, *labels)
    for kind, names in CPU_FIELDS.items():
        times = [value for name in names if (value := _number(fields.get(name, ""))) is not None]
        if times:
            yield CPU(sum(times) * 1000, kind)
    slots = Tally(fields["Scoreboard"])
    for letter, state in SLOTS.items():
        yield SCOREBOARD(slots[letter], state)
    yield from _balancers(fields)


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value < math.inf else None


def _server(fields: dict[str, str]) -> Iterator[Sample]:
    if not (version := fields.get("ServerVersion")):  # not in Apache 2.2
        return
    yield INFO(1, fields.get("ServerMPM", ""), version)
    if found := re.search(r"/(\d{1,4})\.(\d{1,2})\.(\d{1,3})\b", version, re.ASCII):
        yield VERSION(float(f"{found[1]}.{found[2]:0>2}{found[3]:0>3}"))


def _balancers(fields: dict[str, str]) -> Iterator[Sample]:
    for name, text in fields.items():
        if not (found := MEMBER.fullmatch(name)) or not found[2]:
            continue
        labels = (fields.get(f"{found[1]}Name"), fields.get(f"{found[1]}{found[2]}Name"))
        if labels[0] is None or labels[1] is None:
            continue
        if found[3] == "Status":
            yield STATUS(1, labels[0], text, labels[1])
        elif (family := MEMBER_FIELDS.get(found[3])) and (value := _number(text.rstrip("Kk"))) is not None:
            yield family(value, labels[0], labels[1])


def instance(config: Apache, host: str) -> str:
    at = urlsplit(config.url)
    return tcp_instance(host, at.hostname or "", at.port or (443 if at.scheme == "https" else 80))


def discover(inventory: Inventory) -> Iterable[Proposal]:
    """Of each Apache that runs: its page where the configuration has one, guesses where we cannot read it."""
    for main, pid in _masters(inventory).items():
        vhosts = [vhost for vhost in inventory.vhosts if (vhost.server, vhost.main) == ("apache", main)]
        pages = list(dict.fromkeys(page for vhost in vhosts for page in _pages(vhost)))
        php = ", with mod_php: Apache itself runs PHP" if any(vhost.mod_php for vhost in vhosts) else ""
        for page in sorted(pages, key=_awkwardness)[:MOST_WAYS]:
            yield Proposal(f"Apache ({main}) has a server-status page{php}", page, _let_us_in(main, pid))
        if vhosts and not pages:
            yield Proposal(f"Apache (pid {pid}, {main}) has no server-status page{php}", remedy=_add_page(main, pid))
        elif not vhosts:
            yield from _guesses(inventory, main, pid)


def _masters(inventory: Inventory) -> dict[str, int]:
    """Main configuration file -> pid of the process above the others."""
    running = {process.pid: main for process in inventory.processes if (main := apache_main(process))}
    above = [process for process in inventory.processes if process.pid in running and process.parent not in running]
    return {running[process.pid].file: process.pid for process in reversed(above)}


def _pages(vhost: Vhost) -> Iterator[Apache]:
    name = next((name for name in vhost.names if re.fullmatch(r"[\w-]+(\.[\w-]+)*", name)), "")
    for path in vhost.status_paths:
        for listen in vhost.listens:
            address, _, port = listen.rpartition(":")
            if not port.isdecimal() or not 0 < int(port) < 65536:
                continue
            scheme = "https" if listen in vhost.tls_listens else "http"
            place = "127.0.0.1" if address == "*" else address
            try:
                yield Apache(url=f"{scheme}://{place}:{port}{path}?auto", host_header=name)
            except ValueError:  # an address that is none
                continue


def _awkwardness(page: Apache) -> tuple[bool, bool]:
    """What answers most likely comes first: it sees us as local, and speaks plain HTTP."""
    at = urlsplit(page.url)
    return not (at.hostname or "").startswith("127."), at.scheme == "https"


def _guesses(inventory: Inventory, main: str, pid: int) -> Iterator[Proposal]:
    for at in inventory.listeners:
        if at.pid == pid and at.port and at.port != 443:
            address = "127.0.0.1" if at.address in ("0.0.0.0", "::") else at.address  # noqa: S104 - not bound
            place = f"[{address}]:{at.port}" if ":" in address else f"{address}:{at.port}"
            config = Apache(url=f"http://{place}{USUAL_PATH}?auto")
            yield Proposal(f"Apache (pid {pid}) listens on {place}", config, _add_page(main, pid))


def _let_us_in(main: str, pid: int) -> str:
    return (
        "in the <Location> of server-status, add:\n    Require local\n"
        f"then: {_reload(main, pid)}\n"
        f"where the site's own rules (.htaccess) answer in its place, {_add_page(main, pid)}"
    )


def _add_page(main: str, pid: int) -> str:
    if main == DEBIAN_MAIN:
        place, enable = (
            "in a new file /etc/apache2/conf-available/raingauge.conf",
            "a2enmod status; a2enconf raingauge\n",
        )
    else:
        place, enable = f"at the end of {main} (mod_status has to be loaded)", ""
    return f"{place}, write:\n{PAGE_BLOCK}then: {enable}{_reload(main, pid)}"


def _reload(main: str, pid: int) -> str:
    return "apachectl configtest && systemctl reload apache2" if main == DEBIAN_MAIN else f"kill -USR1 {pid}"


COLLECTOR = Collector(
    "apache",
    "apache",
    Apache,
    parts=(Part("status", FAMILIES, read, parse),),
    instance=instance,
    discover=discover,
    up=lambda _config, value: UP(value),
    grants="A `<Location>` with `SetHandler server-status` and `Require local`.",
)
