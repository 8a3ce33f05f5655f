"""HTTP checks: does an address answer as it should, how long does each phase take, until when is its certificate good.

Names are blackbox_exporter's. A check that fails is an answer, `probe_success` 0, and no failed read.
Source: https://github.com/prometheus/blackbox_exporter
"""

import ipaddress
import re
from collections.abc import Iterable, Sequence

from collectors.inventory import Inventory, Vhost
from collectors.model import Collector, Gauge, Part, Proposal, Sample
from collectors.probe.config import Probe, address
from collectors.probe.request import Facts, read

SUCCESS = Gauge("probe_success", "1 when the address answered as it should.")
DURATION = Gauge("probe_duration_seconds", "How long the whole check took.")
DNS = Gauge("probe_dns_lookup_time_seconds", "How long finding the address of the name took.")
IP_PROTOCOL = Gauge("probe_ip_protocol", "4 or 6: the IP version that was used.")
IP_HASH = Gauge("probe_ip_addr_hash", "A number made from the IP address; it changes when the address does.")
STATUS = Gauge("probe_http_status_code", "Status of the last answer; 0 when there was none.")
PHASES = Gauge("probe_http_duration_seconds", "How long each phase took, summed over redirects.", ("phase",))
REDIRECTS = Gauge("probe_http_redirects", "Redirects that were followed.")
SSL = Gauge("probe_http_ssl", "1 when the last answer came over TLS.")
VERSION = Gauge("probe_http_version", "Version of HTTP of the last answer.")
CONTENT_LENGTH = Gauge("probe_http_content_length", "Content-Length of the last answer; -1 when it was not given.")
BODY_LENGTH = Gauge("probe_http_uncompressed_body_length", "Bytes of the last answer's body, at most a million.")
LAST_MODIFIED = Gauge("probe_http_last_modified_timestamp_seconds", "Last-Modified of the last answer, in Unix time.")
TEXT_FAILED = Gauge("probe_failed_due_to_regex", "1 when the page did not have the text that it should have.")
CERTIFICATE_END = Gauge(
    "probe_ssl_earliest_cert_expiry", "When the first of the server's certificates ends, in Unix time."
)
TLS_VERSION = Gauge("probe_tls_version_info", "1; the version of TLS is its label.", ("version",))
TLS_CIPHER = Gauge("probe_tls_cipher_info", "1; the cipher is its label.", ("cipher",))
FAMILIES = (
    SUCCESS, DURATION, DNS, IP_PROTOCOL, IP_HASH, STATUS, PHASES, REDIRECTS, SSL, VERSION, CONTENT_LENGTH, BODY_LENGTH,
    LAST_MODIFIED, TEXT_FAILED, CERTIFICATE_END, TLS_VERSION, TLS_CIPHER,
)  # fmt: skip

OLD_VERSIONS = {"TLSv1": "TLS 1.0"}
PLAIN_NAME = re.compile(r"(?!_$)[\w-]+(\.[\w-]+)*")
INTERVAL_SECONDS = 30.0
"""A page of the site costs more than a status page: less often than what is cheap."""


def read_check(config: Probe) -> dict[str, object]:
    """The facts, and what the check expects of the status, so that `parse` needs nothing else."""
    return {"facts": read(config), "expect_status": list(config.expect_status)}


def parse(payload: dict[str, object]) -> Iterable[Sample]:
    facts: Facts = payload["facts"]  # type: ignore[assignment]
    expected: Sequence[int] = payload["expect_status"]  # type: ignore[assignment]
    good = facts["status"] in expected if expected else 200 <= facts["status"] < 400
    yield SUCCESS(good and not facts["error"] and facts["has_text"])
    yield DURATION(facts["seconds"])
    yield DNS(facts["phases"]["resolve"])
    if facts["ip"]:
        ip = ipaddress.ip_address(facts["ip"].partition("%")[0])
        yield IP_PROTOCOL(ip.version)
        yield IP_HASH(fnv32(ip.packed))
    yield STATUS(facts["status"])
    for phase, seconds in facts["phases"].items():
        yield PHASES(seconds, phase)
    yield REDIRECTS(facts["redirects"])
    yield SSL(facts["is_tls"])
    yield TEXT_FAILED(not facts["has_text"])
    if facts["status"]:
        yield VERSION(facts["version"])
        yield CONTENT_LENGTH(facts["content_length"])
        yield BODY_LENGTH(facts["body_length"])
    if facts["last_modified"] is not None:
        yield LAST_MODIFIED(facts["last_modified"])
    if tls := facts["tls"]:
        yield TLS_VERSION(1, OLD_VERSIONS.get(tls["version"], tls["version"].replace("v", " ")))
        yield TLS_CIPHER(1, tls["cipher"])
        if tls["earliest"] is not None:
            yield CERTIFICATE_END(tls["earliest"])


def fnv32(data: bytes) -> int:
    """FNV-1a, as blackbox_exporter hashes addresses."""
    value = 2166136261
    for byte in data:
        value = ((value ^ byte) * 16777619) & 0xFFFFFFFF
    return value


def discover(inventory: Inventory) -> Iterable[Proposal]:
    """Each site of an nginx once, TLS first, asked at its own listening address on this host.

    Also what is passed on to another server, or elsewhere; not what has status pages only.
    """
    seen: set[tuple[str, str]] = set()
    for vhost in sorted(inventory.vhosts, key=lambda vhost: not vhost.tls):
        name = next((name for name in vhost.names if PLAIN_NAME.fullmatch(name)), "")
        status_only = vhost.status_paths and not (vhost.root or vhost.fastcgi)
        if (vhost.main, name) in seen or status_only:
            continue
        if url := _local(vhost):
            seen.add((vhost.main, name))
            config = Probe(url=url, host_header=name, height="local", verify_tls=False)
            yield Proposal(f"{vhost.server} serves {name or 'a site without a name'} at {url} ({vhost.file})", config)


def _local(vhost: Vhost) -> str:
    """Over TLS where it has both: a certificate has an end that someone should know."""
    for listen in sorted(vhost.listens, key=lambda listen: listen not in vhost.tls_listens):
        host, _, port = listen.rpartition(":")
        if not listen.startswith("unix:") and port.isdecimal():
            tls = listen in vhost.tls_listens
            host = "127.0.0.1" if host in ("*", "0.0.0.0", "") else host.replace("[::]", "[::1]")  # noqa: S104
            return f"{'https' if tls else 'http'}://{host}:{port}/"
    return ""


def accepts(samples: Iterable[Sample]) -> bool:
    """Discovery keeps a check that succeeds once: a vhost that never did is not news."""
    return any(sample.family is SUCCESS and sample.value == 1 for sample in samples)


COLLECTOR = Collector(
    "probe",
    "blackbox",
    Probe,
    parts=(Part("http", FAMILIES, read_check, parse, interval=INTERVAL_SECONDS),),
    instance=lambda config, _host: address(config),
    discover=discover,
    extra=lambda config: (("module", config.module), ("height", config.height)),
    accepts=accepts,
    grants="None: it asks as any visitor does.",
)
