"""The first sentence of the overview, in every situation."""

from dataclasses import replace

from alerts.model import Alert
from dashboard.layers import Cell, Layer
from dashboard.moments import Zone
from dashboard.verdict import Known, verdict
from tests.dashboard import scene
from tests.dashboard.situations import DENIED, alert, alerts, status
from tests.dashboard.world import NOW

CALM = Known((), [status(target) for target in scene.TARGETS], (), "live", NOW - 4, NOW, Zone(0, "UTC"))


def test_nothing_wrong_says_how_much_is_watched_and_when_it_was_checked() -> None:
    found = verdict(CALM)
    assert (found.state, found.lead) == ("ok", "Everything that is watched is healthy")
    assert found.why == "Last check 4 s ago. 8 targets watched, no alert is firing."


def test_the_worst_alert_is_the_sentence_and_the_oldest_of_equals() -> None:
    later = alert("RedisDown", scene.REDIS, "firing", 0, 30)
    old_warning = alert("FpmMaxChildren", scene.SHOP, "firing", 17, 9000, pool="shop")
    older = alert("MysqlDown", scene.MYSQL, "firing", 0, 300)
    found = verdict(replace(CALM, alerts=(later, old_warning, *alerts()[:1], older)))
    assert (found.state, found.alert) == ("crit", "FpmPoolExhausted")
    assert found.lead == "All workers of PHP-FPM pool shop are busy"
    assert found.why.startswith("web-01:/run/php/shop.sock, for 16 min. Requests wait for a free one.")
    assert found.since == NOW - 990
    assert found.steps[0].pieces[-1].text == "SHOW FULL PROCESSLIST"
    assert found.also[0] == "Also: The database does not answer."
    assert found.also[-1] == "1 more alert on the alerts page."


def test_what_is_only_information_is_said_and_is_no_trouble() -> None:
    found = verdict(replace(CALM, alerts=(alert("Rebooted", scene.NODE, "firing", 120, 60),)))
    assert (found.state, found.also) == ("ok", ("The host started 2m 0s ago.",))


def test_what_is_pending_is_said_as_that_and_not_as_an_unhealthy_target() -> None:
    pending = alert("MysqlQueriesPiledUp", scene.MYSQL, "pending", 25, 60)
    shown = layer("Database", ("warn", "24 running", "mysql"))
    shown = replace(shown, cells=(replace(shown.cells[0], pending=True),))
    found = verdict(replace(CALM, alerts=(pending,), layers=[shown]))
    assert (found.state, found.lead, found.alert) == (
        "warn", "No alert is firing, 1 is pending", "MysqlQueriesPiledUp",
    )  # fmt: skip
    assert found.also == ("Pending: 25 queries run at once, over 3 for each processor.",)
    failing = layer("Checks", ("warn", "fails", "b"))
    found = verdict(replace(CALM, alerts=(pending,), layers=[shown, failing]))
    assert found.lead == "No alert is firing, but 1 target is not healthy"


def test_an_alert_whose_data_is_missing_says_so() -> None:
    missing = replace(alerts()[0], missing_since=NOW - 180)
    assert verdict(replace(CALM, alerts=(missing,))).also[0] == "Its data has been missing for 3 min: it may be over."


def test_a_target_that_cannot_be_read_is_never_healthy() -> None:
    targets = [*CALM.targets[:-1], status(scene.MYSQL, "denied", "no")]
    found = verdict(replace(CALM, targets=targets))
    assert (found.state, found.lead) == ("warn", "1 target cannot be read; everything else is healthy")
    assert found.also == ("Database mysqld does not let us in.",)


def layer(name: str, *cells: tuple[str, str, str]) -> Layer:
    made = tuple(Cell(state, "7", note, "", (), slug) for state, note, slug in cells)
    return Layer(name, "", made[0].state, made, 0, "")


def test_what_the_layers_show_as_degraded_is_not_called_healthy() -> None:
    shown = [layer("Web", ("ok", "", "a")), layer("Checks", ("warn", "fails", "b"), ("none", "", "c"))]
    found = verdict(replace(CALM, layers=shown))
    assert (found.state, found.lead) == ("warn", "No alert is firing, but 2 targets are not healthy")
    assert found.also == ("Checks: 7, fails.", "Checks: 7.")
    found = verdict(replace(CALM, layers=[layer("Web", ("none", "", "a"))]))
    assert (found.state, found.lead) == ("none", "No alert is firing, but 1 target is without data")


def test_what_cannot_be_read_is_said_once() -> None:
    refused = status(scene.MYSQL, "denied", "no")
    shown = [layer("Database", ("none", "", refused.slug)), layer("Checks", ("warn", "fails", "b"))]
    found = verdict(replace(CALM, targets=[*CALM.targets[:-1], refused], layers=shown))
    assert found.lead == "1 target cannot be read; 1 more is not healthy"
    assert found.also == ("Checks: 7, fails.", "Database mysqld does not let us in.")


def test_what_was_found_and_cannot_be_read_is_announced() -> None:
    found = verdict(replace(CALM, findings=(DENIED,)))
    assert found.state == "ok"
    assert found.also == ("1 thing on this host cannot be read yet; below is the line that allows it.",)


def test_data_that_is_old_makes_nothing_healthy_and_no_alert_current() -> None:
    found = verdict(replace(CALM, alerts=alerts(), freshness="stale", last_sample=NOW - 720))
    assert (found.state, found.lead) == ("none", "Nothing has been measured for 12 min")
    assert found.also == ("2 alerts fired when the last sample came.",)
    assert found.steps[0].pieces[-1].text == "systemctl status raingauge"
    assert verdict(replace(CALM, freshness="stale", last_sample=None)).lead == "Nothing has been measured for a day"


def test_the_first_seconds() -> None:
    found = verdict(replace(CALM, freshness="starting", last_sample=None, findings=(DENIED,)))
    assert (found.state, found.lead) == ("none", "Starting: this host is being read for the first time")


def test_a_summary_without_the_instance_before_it_stays_as_it_is() -> None:
    own = Alert({"alertname": "Mine", "severity": "warning"}, {"summary": "web-01: odd"}, "firing", 1, NOW, NOW)
    assert verdict(replace(CALM, alerts=(own,))).lead == "web-01: odd"
