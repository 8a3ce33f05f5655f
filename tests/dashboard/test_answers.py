"""What is answered at night, from series and causes: each sentence is true of them, and none is said without them."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from alerts.incidents.model import Cause, Incident, Member
from alerts.ruletest import notation
from alerts.ruletest.memory import Memory
from collectors.model import Event
from dashboard.answers import backend, reach, safety, site, traffic
from dashboard.answers.scope import Answer, Scope
from dashboard.units import GAP
from history.embedded import Embedded

SITE = "shop.example"
STEP = 15.0
T = 1_800_000_000.0
END = T + 40 * STEP


def scope(*series: str, causes: Sequence[Cause] = (), **more: object) -> Scope:
    """At the 40th step of the series, which are written as in tests of rules; of an incident since the 30th."""
    memory = Memory()
    for text in series:
        labels, values = notation.series(text)
        stamps = {
            round((T + at * STEP) * 1000): value
            for at, value in enumerate(notation.values(values))
            if value is not None and not isinstance(value, notation.End)
        }
        memory.add(labels, stamps)
    member = Member("SiteErrors", {"alertname": "SiteErrors"}, "critical", T + 30 * STEP, None, "errors")
    incident = Incident(1, "web1", SITE, "critical", "", member.since, None, (member,), tuple(causes))
    found = Scope(Embedded(memory), incident, SITE, END, (), (), (), (), (), "", "")
    return replace(found, **more)  # type: ignore[arg-type]


def cause(layer: str, words: str, alert: str = "") -> Cause:
    return Cause(layer, words, (), T + 30 * STEP, alert)


BUSY = ('php_fpm_pool_workers_busy{pool="shop"} 4x40', 'php_fpm_pool_max_children{pool="shop"} 4x40')


def test_a_pool_that_is_down_has_no_workers() -> None:
    found = backend.workers(scope('phpfpm_up{pool="shop"} 1x30 0x9'))
    assert (found.state, found.text) == ("crit", "No worker is there: PHP-FPM pool shop does not answer.")
    assert backend.workers(scope()).state == "none"


@pytest.mark.parametrize(("series", "words"), [
    (('php_fpm_outbound_connections{pool="shop",peer="pay.example:443"} 4x40',),
     "They wait for a server elsewhere: pay.example:443 (4 workers)."),
    (("mysql_global_status_threads_running 5x40",
      'mysql_info_schema_processlist_threads{command="query",state="waiting_for_table_metadata_lock"} 4x40'),
     "They wait for the database: 4 statements run, 4 of them waiting for table metadata lock."),
    (("mysql_global_status_threads_running 2x40", "phpfpm_up 1x40",
      'php_slow_requests_total{frame="curl_exec"} _x29 4x10'),
     "They wait in curl_exec (4 slow requests in 15 min)."),
    (("phpfpm_up 1x40", 'php_slow_requests_total{frame="of last week"} 4x40'),
     "On what is not known: no slow log of the pool is read."),
])  # fmt: skip
def test_on_what_they_wait(series: Sequence[str], words: str) -> None:
    found = backend.workers(scope(*BUSY, *series))
    assert found.text == f"Yes: pool shop is full. {words}"


def test_a_restart_long_ago_makes_the_database_no_victim() -> None:
    restarted = Member("MysqlRestarted", {}, "info", T, None, "the database started 5 min ago")
    known = scope("mysql_global_status_threads_running 1x40", causes=[
        cause("outside", "Workers wait", "FpmWaitsOutside"), cause("database", "It started", "MysqlRestarted"),
    ])  # fmt: skip
    incident = replace(known.incident, alerts=(*known.incident.alerts, restarted))
    found = backend.database(replace(known, incident=incident))
    assert (found.state, found.text) == ("ok", "Neither: it works as usual.")


def test_where_it_breaks_is_told_by_what_explains_it() -> None:
    database = cause("database", "Statements take long", "MysqlSlowBurst")
    assert reach.where(scope(causes=[database])).text == "At the origin: database in trouble."
    peer = 'php_fpm_outbound_connections{pool="shop",peer="pay.example:443"} 4x40'
    found = reach.where(scope(peer, causes=[cause("outside", "Workers wait for a server elsewhere"), database]))
    assert found.text == "A third party is suspected: Workers wait for a server elsewhere, pay.example:443."


USES = 'web_site_uses{site="shop.example",target_job="redis",target_instance="web1:6379"} 1x40'
REDIS = '{job="redis",instance="web1:6379"}'


@pytest.mark.parametrize(("series", "words"), [
    (f"redis_up{REDIS} 1x30 0x9", "Redis does not answer"),
    (f"redis_evicted_keys_total{REDIS} 0+5x40", "Redis is full and throws out keys"),
])  # fmt: skip
def test_a_cache_in_trouble_is_told_before_its_hit_ratio_is(series: str, words: str) -> None:
    assert site.caches(scope(USES, series)).text == f"Yes: {words}."
    others = series.replace("6379", "6380")
    assert site.caches(scope(USES, others)).state == "none"


def told(answer: Answer) -> tuple[str, str]:
    return answer.state, answer.text.replace(GAP, " ")


def test_cron_and_queues() -> None:
    cron = f'drupal_cron_last_run_timestamp_seconds{{job="drupal",instance="{SITE}"}}'
    queue = f'{{job="drupal",instance="{SITE}",queue="mailer"}}'
    calm = (f"{cron} {END - 300:.0f}x40", f"drupal_queue_items{queue} 3x40")
    assert told(site.stalled(scope(*calm))) == ("ok", f"No: {SITE}: cron 5 min ago; {SITE}: queues 3 wait.")
    late = site.stalled(scope(f"{cron} {END - 13 * 3600:.0f}x40"))
    assert told(late) == ("warn", f"Yes: {SITE}: cron 13 h ago.")
    old = f"drupal_queue_oldest_item_timestamp_seconds{queue} {END - 2 * 86400:.0f}x40"
    assert told(site.stalled(scope(*calm, old))) == ("warn", f"Yes: {SITE}: queues 3 wait, the oldest for 2 d.")
    grows = site.stalled(scope(calm[0], f"drupal_queue_items{queue} 0+100x40"))
    assert told(grows)[0] == "warn"
    assert "queue mailer grows" in grows.text


def test_few_errors_are_errors() -> None:
    time = f'web_class_duration_seconds_sum{{site="{SITE}",class="checkout"}} 0+1x40'
    count = f'web_class_duration_seconds_count{{site="{SITE}",class="checkout"}} 0+1x40'
    failed = f'web_requests_total{{site="{SITE}",class="checkout",status="5xx"}} 0x30 4x9'
    found = traffic.routes(scope(time, count, failed))
    assert found.text.endswith("checkout fails most often.")
    assert any(line.startswith("checkout: ") and line.endswith("errors (5xx) in 5 min") for line in found.lines)


def attack(kind: str) -> Event:
    return Event(kind, f"security.{kind}", "critical", "", SITE, END, END, 1, f"{kind} on {SITE}: may have succeeded")


def test_all_that_may_have_succeeded_is_named() -> None:
    found = safety.exposed(scope(events=(attack("sensitive_file"), attack("command"), attack("webshell"))))
    assert found.text == (
        f"Possibly compromised on {SITE}: search for secret files, command injection and web shell may have succeeded."
    )
    assert safety.exposed(scope(events=(attack("webshell"),))).text.endswith("may have succeeded.")


def test_nothing_that_moved_is_not_said_to_have() -> None:
    assert safety.bed(scope()).text.startswith("Not yet: nobody has it, and its alerts still fire.")
