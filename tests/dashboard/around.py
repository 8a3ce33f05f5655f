"""What stands around the scene's sites: mail, search, SSH, jobs, a pool's ping and the public name."""

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from collectors import heartbeat
from collectors.model import Sample, Target
from collectors.phpfpm import outbound
from collectors.probe import families as checks
from tests.dashboard.services import HOST, counter, gauge

if TYPE_CHECKING:
    from tests.dashboard.scene import Moment

MAIL = Target("mail", HOST, HOST)
SOLR = Target("solr", f"{HOST}:8983", HOST)
AUTH = Target("security", HOST, HOST)
BACKUP = Target("heartbeat", "backup", HOST)
CRON = Target("heartbeat", "drupal cron", HOST)
PING = Target("blackbox", f"{HOST}:/run/php/shop.sock", HOST, (("module", "fpm_ping"), ("height", "fpm")))
PUBLIC = Target("blackbox", "https://shop.example.org/", HOST, (("module", "shop front"), ("height", "public")))
TARGETS = (MAIL, SOLR, AUTH, BACKUP, CRON, PING, PUBLIC)
PHASES = (("resolve", 0.02), ("connect", 0.06), ("tls", 0.2), ("processing", 0.66), ("transfer", 0.06))


def _mail(m: "Moment") -> Iterator[Sample]:
    for queue, count in (("active", 3), ("deferred", round(11 + 30 * m.strain))):
        yield gauge("mail_queue_messages", count, queue=queue)


def _solr(m: "Moment") -> Iterator[Sample]:
    for core, rate in (("shop", 8.0), ("news", 1.5)):
        yield counter(m, "solr_core_requests_total", rate, core=core, handler="/select")
        yield counter(m, "solr_core_request_seconds_total", rate * 0.03, core=core, handler="/select")
    yield gauge("solr_jvm_heap_used_bytes", (310 + 40 * math.sin(m.step / 40)) * 2**20)
    yield gauge("solr_jvm_heap_max_bytes", 512 * 2**20)


def _auth(m: "Moment") -> Iterator[Sample]:
    for result, rate in (("success", 0.001), ("failed", 0.02)):
        yield counter(m, "security_ssh_auth_total", rate, result=result, method="publickey")


def _job(late: bool) -> Callable[["Moment"], Iterator[Sample]]:
    """`late`: it never came; the other runs for too long."""

    def write(m: "Moment") -> Iterator[Sample]:
        begun = m.t - m.step * m.interval
        since = begun - 90_000 if late else m.t - m.t % 900
        yield heartbeat.SUCCESS(since)
        yield heartbeat.PING(since if late else m.t - 1300 if m.strain else since)
        yield heartbeat.DUE(since + (86_400 + 300 if late else 1200))
        yield heartbeat.OVERDUE(late)
        yield heartbeat.RUNNING(not late and m.strain > 0)
        yield heartbeat.TOO_LONG(not late and m.strain >= 1)
        yield heartbeat.FAILED(0)
        yield heartbeat.DURATION(41)

    return write


def _check(m: "Moment", good: bool, reason: str, seconds: float) -> Iterator[Sample]:
    yield checks.SUCCESS(good)
    yield checks.DURATION(seconds)
    if not good:
        yield checks.FAILED(1, reason)


def _ping(m: "Moment") -> Iterator[Sample]:
    yield from _check(m, m.strain < 1, "timeout", 0.002 + 4.9 * m.strain)
    yield checks.STATUS(200 if m.strain < 1 else 0)


def _public(m: "Moment") -> Iterator[Sample]:
    seconds = 0.13 + 4.8 * m.strain
    yield from _check(m, m.strain < 1, "timeout", seconds)
    yield checks.STATUS(200 if m.strain < 1 else 504)
    for phase, share in PHASES:
        yield checks.PHASES(seconds * share, phase)
    yield checks.CERTIFICATE_END(m.t - m.step * m.interval + 9 * 86400)


def waiting(m: "Moment", pool: str) -> Sample:
    """Workers of a pool that are connected elsewhere."""
    return outbound.WORKERS(round(2 + 20 * m.strain), *(pool for _ in outbound.WORKERS.labels))


WRITERS: dict[Target, Callable[["Moment"], Iterator[Sample]]] = {
    MAIL: _mail, SOLR: _solr, AUTH: _auth, BACKUP: _job(late=True), CRON: _job(late=False), PING: _ping,
    PUBLIC: _public,
}  # fmt: skip
