"""What explains an incident."""

import re
import shlex
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from agent import alerting, outcomes, upkeep
from alerts.expression import metrics
from alerts.incidents import impact
from alerts.incidents.catalogue import Candidate, candidates, filled, offenders, signatures, symptoms
from alerts.incidents.explain import explained
from alerts.incidents.gather import Findings, Sign
from alerts.incidents.graph import graph
from alerts.incidents.grouping import step
from alerts.incidents.model import Change, Incident, Mover
from alerts.incidents.movers import FEWEST, mover, top
from alerts.model import Alert
from alerts.path.plan import Plan
from collectors import registry
from docs.metrics import families
from tests.alerts.examples import T
from tests.alerts.incidents.test_grouping import GRAPH, fires

QUERIES = Candidate(
    title="Queries of {instance}", unit="per_second", layer="database", direction="down", least=10, expr="q"
)


def opened(*alerts: Alert) -> Incident:
    (found,) = step((), alerts, T + 60, GRAPH)
    return found


def sign(name: str, since: float = T, **labels: str) -> Sign:
    signature = next(one for one in signatures() if one.name == name)
    return Sign(signature, {"host": "web1", **labels}, ("seen",), since)


def ladder(incident: Incident, **findings: object) -> list[str]:
    found = explained(incident, replace(Findings(), **findings), GRAPH)  # type: ignore[arg-type]
    return [cause.alert or cause.layer for cause in found.causes]


DOWN = fires("MysqlDown", T + 10, **{"class": "outage", "layer": "database", "instance": "db"})
PROBE = fires("ProbeFailed", T, **{"class": "outage", "layer": "uptime"})
POOL = fires("FpmPoolExhausted", T, **{"class": "capacity", "layer": "php"})
CPU = fires("CpuSaturated", T + 30, severity="warning", **{"class": "slow", "layer": "host"})


def test_what_explains_others_comes_first_and_a_check_explains_nothing() -> None:
    assert ladder(opened(PROBE, POOL, DOWN)) == ["MysqlDown", "FpmPoolExhausted"]
    found = explained(opened(PROBE, POOL, DOWN), Findings(), GRAPH)
    assert found.causes[1].evidence == ("follows from MysqlDown",)
    assert (found.symptom, found.command) == ("ProbeFailed!", "systemctl status mariadb mysql")


def test_what_is_only_good_to_know_comes_last() -> None:
    """A database that was started a while ago is no reason for a break-in."""
    restarted = fires("MysqlRestarted", T - 60, severity="info", **{"class": "resource", "layer": "database"})
    attack = fires("ExploitLikelySucceeded", T, **{"class": "security", "layer": "web"})
    assert ladder(opened(restarted, attack)) == ["ExploitLikelySucceeded", "MysqlRestarted"]


def test_cron_that_does_not_run_fills_no_pool() -> None:
    cron = fires("CronStale", T, severity="warning", **{"class": "outage", "layer": "drupal", "instance": "shop"})
    found = ladder(opened(cron, POOL), signs=(sign("SlowSql", T + 5, instance="db"),))
    assert found == ["MysqlSlowBurst", "FpmPoolExhausted", "CronStale"]
    assert ladder(opened(cron)) == ["CronStale"]


def test_no_clear_cause_is_said_rather_than_guessed() -> None:
    moved = Mover("Queries", "q", "database", 100, 1, "per_second", T, 9.0)
    found = explained(opened(PROBE), Findings(movers=(moved,)), GRAPH)
    assert (found.causes, found.movers) == ((), (moved,))
    assert found.command.startswith("curl")


def test_of_what_began_at_one_time_the_deeper_layer_comes_first() -> None:
    assert ladder(opened(POOL, CPU)) == ["CpuSaturated", "FpmPoolExhausted"]
    late = replace(CPU, active_at=T + 300)
    assert ladder(opened(POOL, late)) == ["FpmPoolExhausted", "CpuSaturated"]


@pytest.mark.parametrize(("name", "first"), [("OutsideCalls", "OutsideCalls"), ("SlowSql", "MysqlSlowBurst")])
def test_a_signature_names_what_no_alert_says(name: str, first: str) -> None:
    assert ladder(opened(PROBE, POOL), signs=(sign(name),)) == [first, "FpmPoolExhausted"]


def test_a_signature_that_an_alert_says_too_is_one_cause_with_the_evidence_of_both() -> None:
    other = replace(DOWN, labels={**DOWN.labels, "instance": "db2"}, active_at=T + 20)
    found = explained(opened(DOWN, other), Findings(signs=(sign("DatabaseDown", instance="db2"),)), GRAPH)
    assert [(cause.alert, cause.evidence) for cause in found.causes] == [("MysqlDown", ("seen",)), ("MysqlDown", ())]


def test_what_was_so_long_before_comes_last() -> None:
    assert ladder(opened(PROBE, POOL), signs=(sign("SessionsBloat", T - 3600),)) == [
        "FpmPoolExhausted",
        "SessionsBloat",
    ]


def test_a_deploy_just_before_is_a_suspect_and_a_cron_run_or_an_old_one_is_not() -> None:
    deploy, cron = Change(T - 30, "drupal.deploy", "Deployed 1.2"), Change(T - 20, "drupal.cron", "Cron ran")
    found = explained(opened(PROBE), Findings(changes=(cron, deploy)), GRAPH)
    assert [(cause.layer, cause.words, cause.evidence) for cause in found.causes] == [
        ("change", "Deployed 1.2", ("30 s before it began",))
    ]
    assert ladder(opened(PROBE), changes=(replace(deploy, at=T - 3000),)) == []
    assert ladder(opened(PROBE, DOWN), changes=(deploy,))[0] == "MysqlDown"


OUTSIDE = fires("FpmWaitsOutside", T + 5, severity="warning", **{"class": "slow", "layer": "php"})
SLOW = fires("MysqlSlowBurst", T + 5, severity="warning", **{"class": "slow", "layer": "database"})


@pytest.mark.parametrize(("kind", "title", "at", "first"), [
    ("deploy", "Release 42", T - 30, "change"),
    ("deploy", "Release 42", T + 60, "FpmPoolExhausted"),
    ("drupal.deploy", "composer.lock changed", T + 60, "change"),  # found by a look each minute
    ("service.restart", "php-fpm8.2 was restarted", T - 30, "change"),
    ("service.restart", "nginx was restarted", T - 30, "FpmPoolExhausted"),
    ("package.change", "Packages: libc6 upgraded", T - 300, "change"),
])  # fmt: skip
def test_a_change_comes_before_a_full_pool_only_if_the_pool_can_be_full_of_it(
    kind: str, title: str, at: float, first: str
) -> None:
    assert ladder(opened(POOL), changes=(Change(at, kind, title),))[0] == first


def test_a_deploy_does_not_outrank_what_lies_below_the_site() -> None:
    deploy = Change(T - 30, "deploy", "Release 42")
    waits = (sign("WaitsOutside"),)
    assert ladder(opened(POOL, OUTSIDE), changes=(deploy,), signs=waits) == [
        "FpmWaitsOutside",
        "FpmPoolExhausted",
        "change",
    ]
    assert ladder(opened(POOL, CPU), changes=(deploy,)) == ["CpuSaturated", "FpmPoolExhausted", "change"]
    assert ladder(opened(POOL, SLOW), changes=(deploy,)) == ["change", "MysqlSlowBurst", "FpmPoolExhausted"]


def test_a_pool_that_filled_before_the_deploy_is_not_full_of_it() -> None:
    filled_at = Mover("Busy workers", "q", "php", 0.1, 0.9, "ratio", T - 120, 9.0)
    deploy = Change(T - 30, "deploy", "Release 42")
    assert ladder(opened(POOL), changes=(deploy,), movers=(filled_at,)) == ["FpmPoolExhausted"]
    assert ladder(opened(POOL), changes=(deploy,), movers=(replace(filled_at, layer="web"),))[0] == "change"


def test_a_deploy_of_another_site_is_no_suspect() -> None:
    uses = {("web1", "shop"): frozenset({("phpfpm", "a")}), ("web1", "blog"): frozenset({("phpfpm", "b")})}
    full = fires("FpmPoolExhausted", T, job="phpfpm", instance="a", **{"class": "capacity", "layer": "php"})
    for site, first in (("shop", "change"), ("", "change"), ("blog", "FpmPoolExhausted")):
        found = Findings(changes=(Change(T - 30, "deploy", "Release 42", site),))
        causes = explained(opened(full), found, graph(Plan(uses=uses), ())).causes
        assert (causes[0].alert or causes[0].layer, len(causes)) == (first, 1 + (first == "change"))


def test_a_change_of_the_site_comes_before_those_of_the_host() -> None:
    errors = fires("SiteErrors", T, site="shop", **{"class": "outage", "layer": "web"})
    redis, deploy = Change(T - 60, "service.start", "redis-server was started"), Change(T, "deploy", "42", "shop")
    found = explained(opened(errors), Findings(changes=(deploy, redis)), GRAPH)
    assert [cause.words for cause in found.causes] == ["42", "redis-server was started"]


def test_what_says_that_something_else_is_down_comes_after_it() -> None:
    unit = fires("ServiceFailed", T, severity="warning", **{"class": "outage", "layer": "host"})
    assert ladder(opened(DOWN, unit)) == ["MysqlDown", "ServiceFailed"]


def test_series_that_moved_are_evidence_of_their_layer() -> None:
    moved = Mover("Queries", "q", "database", 100, 1, "per_second", T, 9.0)
    found = explained(opened(DOWN), Findings(movers=(moved,)), GRAPH)
    assert found.causes[0].evidence == ("Queries: 1 /s, before 100 /s",)


def moves(*values: float, candidate: Candidate = QUERIES, before: int = 40) -> Mover | None:
    times = [T + 15 * at for at in range(len(values))]
    return mover(candidate, {"instance": "db"}, times, values, T + 15 * before)


def test_a_series_that_left_its_usual_course_is_found_with_when() -> None:
    usual = [100.0, 104.0, 96.0, 102.0] * 10
    found = moves(*usual, 101, 99, 20, 22, 18)
    assert found is not None
    assert (found.title, found.before, found.now, found.moved_at) == ("Queries of db", 101, 20, T + 15 * 42)
    assert moves(*usual, 101, 99, 103, 97) is None
    assert moves(*usual, 101, 20, 99, 103) is None, "one outlier"
    assert moves(*usual, 300, 300, 300) is None, "the other way"
    assert moves(*usual, 20, 20, 100, 101, 99, 100, 101) is None, "it is back"


def test_a_series_that_stands_still_has_to_move_by_the_least() -> None:
    assert moves(*[50.0] * 40, 41, 41) is None
    assert moves(*[50.0] * 40, 39, 39) is not None


def test_of_little_before_nothing_is_known() -> None:
    assert moves(*[100.0] * (FEWEST - 1), 0, 0, before=FEWEST - 1) is None
    assert moves(*[100.0] * FEWEST, 0, 0, before=FEWEST) is not None
    assert moves(*[100.0] * 40) is None


def test_the_three_that_moved_most_the_first_to_move_first() -> None:
    def one(expr: str, score: float, at: float, layer: str = "php") -> Mover:
        return Mover(expr, expr, layer, 0, 1, "count", at, score)

    found = top([one("a", 5, 3), one("a", 9, 2), one("b", 4, 1), one("c", 8, 2, "host"), one("d", 3, 0)])
    assert [(each.expr, each.score) for each in found] == [("b", 4), ("c", 8), ("a", 9)]


def known() -> set[str]:
    found = [family for name in registry.MODULES for family in families(registry.collector(name))]
    found += [family for room in (outcomes, alerting, upkeep) for family in room.FAMILIES]
    return {family.name for family in found}


def captured() -> set[str]:
    texts = [path.read_text() for path in (Path(__file__).parents[2] / "data").glob("*/*/metrics.prom")]
    return {name for text in texts for name in re.findall(r"^[a-z_0-9A-Z]+", text, re.MULTILINE)}


def test_every_expression_asks_for_what_is_collected() -> None:
    exprs = [one.expr for one in candidates()] + [one.expr for one in symptoms()]
    exprs += [condition.expr for signature in signatures() for condition in signature.when]
    exprs += [one.expr for one in offenders()] + [impact.ALL, impact.FAILING, impact.SLOW]
    asked = {name for expr in exprs for name in metrics(expr)}
    assert asked - known() - captured() == set()


@pytest.mark.skipif(not shutil.which("ss"), reason="there is no ss")
def test_the_kernel_understands_what_is_to_be_asked_of_it() -> None:
    asked = [each.command.partition("|")[0] for each in signatures() if each.command.startswith("ss ")]
    assert asked
    for command in set(asked):
        assert subprocess.run(shlex.split(command), capture_output=True, check=False).returncode == 0, command


def test_words_take_labels() -> None:
    assert filled("{site} is slow: {now}", {"site": "shop"}, now="3 s") == "shop is slow: 3 s"
    assert filled("the pool {pool} is full", {}) == "the pool is full"
