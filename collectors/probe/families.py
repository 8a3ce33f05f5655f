"""The names of checks, as blackbox_exporter has them, and a few of our own. Pure: facts -> samples.

Source: https://github.com/prometheus/blackbox_exporter
"""

import ipaddress
from collections.abc import Iterable
from typing import Any

from collectors.errors import ParseError
from collectors.model import Gauge, Sample
from collectors.probe.attempt import Facts
from collectors.probe.tls import MOST_NAMES

SUCCESS = Gauge("probe_success", "1 when the address answered as it should.")
DURATION = Gauge("probe_duration_seconds", "How long the whole check took.")
TIMEOUT = Gauge("probe_timeout_seconds", "How long the check might have taken.")
DNS = Gauge("probe_dns_lookup_time_seconds", "How long finding the address of the name took.")
IP_PROTOCOL = Gauge("probe_ip_protocol", "4 or 6: the IP version that was used.")
IP_HASH = Gauge("probe_ip_addr_hash", "A number made from the IP address; it changes when the address does.")
FAILED = Gauge("web_check_failed", "1; the reason for which the check failed is its label.", ("reason",))

STATUS = Gauge("probe_http_status_code", "Status of the last answer; 0 when there was none.")
PHASES = Gauge("probe_http_duration_seconds", "How long each phase took, summed over redirects.", ("phase",))
REDIRECTS = Gauge("probe_http_redirects", "Redirects that were followed.")
SSL = Gauge("probe_http_ssl", "1 when the last answer came over TLS.")
VERSION = Gauge("probe_http_version", "Version of HTTP of the last answer.")
CONTENT_LENGTH = Gauge("probe_http_content_length", "Content-Length of the last answer; -1 when it was not given.")
BODY_LENGTH = Gauge("probe_http_uncompressed_body_length", "Bytes of the last answer's body, at most a million.")
LAST_MODIFIED = Gauge("probe_http_last_modified_timestamp_seconds", "Last-Modified of the last answer, in Unix time.")
TEXT_FAILED = Gauge("probe_failed_due_to_regex", "1 when the page, a header or a line was not as it should be.")
STEP_DURATION = Gauge("web_check_step_duration_seconds", "How long the step took.", ("step",), bounds={"step": 20})
STEP_SUCCESS = Gauge(
    "web_check_step_success", "1 when the step was as it should be; later steps are absent.", ("step",),
    bounds={"step": 20},
)  # fmt: skip

CERTIFICATE_END = Gauge(
    "probe_ssl_earliest_cert_expiry", "When the first of the server's certificates ends, in Unix time."
)
CHAIN_END = Gauge(
    "probe_ssl_last_chain_expiry_timestamp_seconds", "When the chain that was verified ends, in Unix time."
)
CHAIN = Gauge(
    "probe_ssl_last_chain_info", "1; the server's own certificate is in its labels.",
    ("fingerprint_sha256", "subject", "issuer", "subjectalternative", "serialnumber"),
)  # fmt: skip
TLS_VERSION = Gauge("probe_tls_version_info", "1; the version of TLS is its label.", ("version",))
TLS_CIPHER = Gauge("probe_tls_cipher_info", "1; the cipher is its label.", ("cipher",))

DNS_PHASES = Gauge("probe_dns_duration_seconds", "How long each phase of the question took.", ("phase",))
DNS_ANSWERED = Gauge("probe_dns_query_succeeded", "1 when the name server answered.")
DNS_RECORDS = {
    "answer": Gauge("probe_dns_answer_rrs", "Records in the answer."),
    "authority": Gauge("probe_dns_authority_rrs", "Records that name who is responsible."),
    "additional": Gauge("probe_dns_additional_rrs", "Records beside the answer."),
}
DNS_SERIAL = Gauge("probe_dns_serial", "Serial number of the zone; where its SOA record is asked for.")

ICMP_PHASES = Gauge("probe_icmp_duration_seconds", "How long each phase of the ping took.", ("phase",))
HOP_LIMIT = Gauge("probe_icmp_reply_hop_limit", "Hops that the reply had left.")

FAMILIES = (
    SUCCESS, DURATION, TIMEOUT, DNS, IP_PROTOCOL, IP_HASH, FAILED, STATUS, PHASES, REDIRECTS, SSL, VERSION,
    CONTENT_LENGTH, BODY_LENGTH, LAST_MODIFIED, TEXT_FAILED, STEP_DURATION, STEP_SUCCESS, CERTIFICATE_END, CHAIN_END,
    CHAIN, TLS_VERSION, TLS_CIPHER, DNS_PHASES, DNS_ANSWERED, *DNS_RECORDS.values(), DNS_SERIAL, ICMP_PHASES, HOP_LIMIT,
)  # fmt: skip

OLD_VERSIONS = {"TLSv1": "TLS 1.0"}


def parse(facts: Facts) -> Iterable[Sample]:
    """ParseError for what no check has found out."""
    try:
        return [*_common(facts), *KINDS[facts["kind"]](facts), *_tls(facts["tls"])]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ParseError(f"expected the facts of a check, found {facts!r:.80}: {error!r}") from error


def _common(facts: Facts) -> Iterable[Sample]:
    yield SUCCESS(not facts["reason"])
    yield DURATION(facts["seconds"])
    yield TIMEOUT(facts["limit"])
    yield DNS(facts["lookup"])
    if facts["ip"]:
        ip = ipaddress.ip_address(facts["ip"].partition("%")[0])
        yield IP_PROTOCOL(ip.version)
        yield IP_HASH(fnv32(ip.packed))
    if facts["reason"]:
        yield FAILED(1, facts["reason"])


def _http(facts: Facts) -> Iterable[Sample]:
    more = facts["more"]
    yield STATUS(more["status"])
    for phase, seconds in facts["phases"].items():
        yield PHASES(seconds, phase)
    yield REDIRECTS(more["redirects"])
    yield SSL(more["is_tls"])
    yield TEXT_FAILED(more["regex"])
    if more["status"]:
        yield VERSION(more["version"])
    if "length" in more:
        yield CONTENT_LENGTH(more["length"])
        yield BODY_LENGTH(more["body_length"])
        if more["modified"] is not None:
            yield LAST_MODIFIED(more["modified"])
    for step in more["steps"]:
        yield STEP_DURATION(step["seconds"], step["name"])
        yield STEP_SUCCESS(step["good"], step["name"])


def _tcp(facts: Facts) -> Iterable[Sample]:
    yield TEXT_FAILED(facts["more"]["regex"])


def _dns(facts: Facts) -> Iterable[Sample]:
    more = facts["more"]
    for phase, seconds in facts["phases"].items():
        yield DNS_PHASES(seconds, phase)
    yield DNS_ANSWERED(more["answered"])
    for section, family in DNS_RECORDS.items():
        yield family(more[section])
    if more["serial"] is not None:
        yield DNS_SERIAL(more["serial"])


def _icmp(facts: Facts) -> Iterable[Sample]:
    for phase, seconds in facts["phases"].items():
        yield ICMP_PHASES(seconds, phase)
    if facts["more"]["hops"] is not None:
        yield HOP_LIMIT(facts["more"]["hops"])


def _fastcgi(facts: Facts) -> Iterable[Sample]:
    yield STATUS(facts["more"]["status"])
    for phase, seconds in facts["phases"].items():
        yield PHASES(seconds, phase)


KINDS = {"http": _http, "tcp": _tcp, "dns": _dns, "icmp": _icmp, "fastcgi": _fastcgi}


def _tls(tls: dict[str, Any] | None) -> Iterable[Sample]:
    if not tls:
        return
    yield TLS_VERSION(1, OLD_VERSIONS.get(tls["version"], tls["version"].replace("v", " ")))
    yield TLS_CIPHER(1, tls["cipher"])
    if tls["earliest"] is not None:
        yield CERTIFICATE_END(tls["earliest"])
    if tls["chain_end"] is not None:
        yield CHAIN_END(tls["chain_end"])
    if leaf := tls["leaf"]:
        names = ",".join(leaf["names"])[:MOST_NAMES]
        yield CHAIN(
            1, leaf["fingerprint"], leaf["subject"][:MOST_NAMES], leaf["issuer"][:MOST_NAMES], names, leaf["serial"]
        )


def fnv32(data: bytes) -> int:
    """FNV-1a, as blackbox_exporter hashes addresses."""
    value = 2166136261
    for byte in data:
        value = ((value ^ byte) * 16777619) & 0xFFFFFFFF
    return value
