"""More of the scene's host: Apache, PostgreSQL, Memcached, Varnish, an access log, two Drupal sites, what is slow."""

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from collectors import registry
from collectors.drupal import updates
from collectors.model import Family, Sample, Target
from collectors.phpfpm import slowlog

if TYPE_CHECKING:
    from tests.dashboard.scene import Moment

HOST = "web-01"
APACHE = Target("apache", f"{HOST}:8080", HOST)
POSTGRES = Target("postgres", f"{HOST}:5432", HOST)
MEMCACHED = Target("memcached", f"{HOST}:11211", HOST)
VARNISH = Target("varnish", HOST, HOST)
LOG = Target("web", HOST, HOST)
SHOP_SITE = Target("drupal", "shop.example.org", HOST)
NEWS_SITE = Target("drupal", "news.example.org", HOST)
TARGETS = (APACHE, POSTGRES, MEMCACHED, VARNISH, LOG, SHOP_SITE, NEWS_SITE)
SITES = ("shop.example.org", "news.example.org")
FAMILIES = {
    family.name: family
    for family in (
        *(family for collector in registry.collectors() for family in collector.families),
        *updates.FAMILIES,
    )
}
CLASSES = (("node", 14.0, 0.31), ("views/ajax", 3.0, 0.9), ("assets", 22.0, 0.004), ("front", 6.0, 0.12),
           ("user/login", 0.4, 0.7))  # fmt: skip
DIGESTS = (
    ("a1", "SELECT `cid` , `data` FROM `cache_render` WHERE `cid` IN ( ? )", 310.0, 0.0008, 1.0),
    ("b2", "SELECT `base_table` . `vid` FROM `node_field_data` `base_table` JOIN `node__field_tags` ON ... WHERE ?",
     4.0, 0.21, 41_000.0),
    ("c3", "INSERT INTO `watchdog` ( `uid` , `type` , `message` ) VALUES ( ? )", 2.5, 0.002, 0.0),
)  # fmt: skip
USES = (
    (SITES[0], "phpfpm", "/run/php/shop.sock"), (SITES[0], "mysql", "/run/mysqld/mysqld.sock"),
    (SITES[0], "redis", "6379"), (SITES[1], "phpfpm", "/run/php/www.sock"), (SITES[1], "postgres", "5432"),
    (SITES[1], "memcached", "11211"),
)  # fmt: skip
"""What each site stands on."""


def gauge(name: str, value: float, **labels: str) -> Sample:
    family = FAMILIES[name]
    return family(value, *(labels[label] for label in family.labels))


def counter(m: "Moment", name: str, per_second: float, **labels: str) -> Sample:
    family = FAMILIES[name]
    return m.grown(family, per_second, *(labels[label] for label in family.labels))


def digests(m: "Moment") -> Iterator[Sample]:
    for digest, query, calls, seconds, rows in DIGESTS:
        labels = {"digest": digest, "schema": "shop", "query": query}
        rates = {"calls": calls, "seconds": calls * seconds * (1 + 2 * m.strain), "rows_examined": calls * rows,
                 "rows_sent": calls, "no_index": 0.1 * calls}  # fmt: skip
        for name, rate in rates.items():
            yield counter(m, f"sql_digest_{name}_total", rate, **labels)


def slow_php(m: "Moment", pool: str) -> Iterator[Sample]:
    for script, frame, rate in (("/index.php", "curl_exec", 0.02), ("/index.php", "PDOStatement->execute", 0.05)):
        yield m.grown(slowlog.SLOW, rate * (1 + 5 * m.strain), pool, script, frame, start=0)


def _apache(m: "Moment") -> Iterator[Sample]:
    yield counter(m, "apache_accesses_total", m.requests * 0.3)
    yield gauge("apache_workers", round(9 + 3 * m.drift["www"]), state="busy")
    yield gauge("apache_workers", 31, state="idle")


def _postgres(m: "Moment") -> Iterator[Sample]:
    labels = {"datid": "16384", "datname": "news"}
    yield counter(m, "pg_stat_database_xact_commit", m.requests * 3, **labels)
    yield counter(m, "pg_stat_database_xact_rollback", 0.3, **labels)
    yield gauge("pg_stat_database_numbackends", round(12 + 2 * m.drift["www"]), **labels)
    settings: Family = FAMILIES["pg_settings_*"]
    yield settings.named("max_connections")(100)


def _memcached(m: "Moment") -> Iterator[Sample]:
    for status, rate in (("hit", 80 * (1 + 0.1 * math.sin(m.step / 90))), ("miss", 9.0)):
        yield counter(m, "memcached_commands_total", rate, command="get", status=status)
    yield gauge("memcached_current_bytes", 41e6)
    yield gauge("memcached_limit_bytes", 64 * 2**20)


def _varnish(m: "Moment") -> Iterator[Sample]:
    for name, rate in (("client_req", m.requests), ("backend_req", m.requests * 0.22),
                       ("cache_hit", m.requests * 0.7), ("cache_miss", m.requests * 0.2)):  # fmt: skip
        yield counter(m, f"varnish_main_{name}", rate)


def _log(m: "Moment") -> Iterator[Sample]:
    for site, job, place in USES:
        yield gauge("web_site_uses", 1, site=site, target_job=job, target_instance=f"{HOST}:{place}")
    for site, share in zip(SITES, (0.7, 0.3), strict=True):
        yield counter(m, "web_upstream_seconds_total", 9.2 * share, site=site)
        yield counter(m, "web_upstream_requests_total", 21 * share, site=site)
        counts = [0.0] * len(BUCKETS)
        failing = 0.01 + 0.1 * m.strain * (site == SITES[0])
        for name, rate, at_rest in CLASSES:
            seconds = at_rest * (1 + 4 * m.strain)
            for status, part in (("2xx", 0.93), ("3xx", 0.04), ("4xx", 0.02), ("5xx", failing)):
                yield counter(m, "web_requests_total", rate * share * part, site=site, status=status, **{"class": name})
            for at, bucket in enumerate(BUCKETS):
                counts[at] += rate * share * (1 - math.exp(-bucket / seconds))
            yield counter(m, "web_class_duration_seconds_sum", rate * share * seconds, site=site, **{"class": name})
            yield counter(m, "web_class_duration_seconds_count", rate * share, site=site, **{"class": name})
            for text, bucket in (("0.1", 0.1), ("0.5", 0.5), ("2.0", 2.0), ("+Inf", math.inf)):
                under = rate * share * (1 - math.exp(-bucket / seconds))
                yield counter(m, "web_class_duration_seconds_bucket", under, site=site, le=text, **{"class": name})
        for bucket, rate in zip(BUCKETS, counts, strict=True):
            text = "+Inf" if bucket == math.inf else str(bucket)
            yield counter(m, "web_request_duration_seconds_bucket", rate, site=site, le=text)
        for found, outcome, rate in (("probe", "attempt", 0.05), ("sqli", "blocked", 0.01), ("sqli", "attempt", 0.004)):
            yield counter(m, "security_requests_total", rate * share, site=site, outcome=outcome, **{"class": found})
        for result, rate in (("failed", 0.02), ("blocked", 0.013), ("succeeded", 0.004)):
            yield counter(m, "security_logins_total", rate * share, site=site, result=result)
        for agent, part in (("people", 0.6), ("search", 0.2), ("ai", 0.15), ("script", 0.05)):
            yield counter(m, "web_agents_total", 45 * share * part, site=site, agent=agent)


BUCKETS = (0.01, 0.05, 0.1, 0.5, 2.0, 10.0, math.inf)


def _site(late: bool) -> Callable[["Moment"], Iterator[Sample]]:
    def write(m: "Moment") -> Iterator[Sample]:
        begun = m.t - m.step * m.interval
        yield gauge("drupal_cron_last_run_timestamp_seconds", begun - 9000 if late else m.t - m.t % 1800)
        yield gauge("drupal_cron_threshold_seconds", 10_800 if late else 21_600)
        yield gauge("drupal_maintenance_mode", float(late))
        yield gauge("drupal_info", 1, version="10.3.1", profile="standard", database="mysql")
        for queue, items in (("search_api", 120 * late + round(6 + 4 * m.drift["www"])), ("mail", 2)):
            yield gauge("drupal_queue_items", items, queue=queue)
            yield gauge("drupal_queue_oldest_item_timestamp_seconds", m.t - 400, queue=queue)
        for state, count in (("active", 412), ("blocked", 17)):
            yield gauge("drupal_users", count, state=state)
        yield gauge("drupal_users_new", 3)
        yield gauge("drupal_administrators", 4)
        for table, size in (("watchdog", 1.2e9), ("node_revision__body", 4.1e8), ("cache_render", 3.3e8)):
            yield gauge("drupal_table_bytes", size, table=table)
            yield gauge("drupal_table_rows", size / 900, table=table)
        for bin_name, size in (("render", 3.3e8), ("dynamic_page_cache", 9e7)):
            yield gauge("drupal_cache_bin_bytes", size, bin=bin_name)
            yield gauge("drupal_cache_bin_rows", size / 9000, bin=bin_name)
        yield gauge("drupal_database_bytes", 2.6e9)
        yield gauge("drupal_database_updates_pending", 2.0 * late, kind="module")
        if late:
            yield gauge("drupal_security_updates_pending", 1)
            yield gauge("drupal_project_status", 1, project="webform", status="not_secure", installed="6.2.0",
                        recommended="6.2.7", type="module")  # fmt: skip
        late_log = (("php", "error", 0.16), ("access denied", "warning", 0.1))
        for kind, severity, rate in late_log if late else (("page not found", "error", 0.001),):
            yield counter(m, "drupal_watchdog_total", rate, type=kind, severity=severity)
        yield counter(m, "drupal_watchdog_errors_total", 0.16 if late else 0.001)

    return write


WRITERS: dict[Target, Callable[["Moment"], Iterator[Sample]]] = {
    APACHE: _apache, POSTGRES: _postgres, MEMCACHED: _memcached, VARNISH: _varnish, LOG: _log,
    SHOP_SITE: _site(late=True), NEWS_SITE: _site(late=False),
}  # fmt: skip
