"""Notices of every kind that a notifier meets, and settings of every notifier with a secret in each place for one."""

from dataclasses import replace
from typing import Any

from alerts.incidents.model import Cause, Change, Incident, Member, Mover, Note
from alerts.message.context import Context, Link
from alerts.message.incident import context
from alerts.model import Alert
from alerts.notices import Notice
from alerts.notifier import Channel
from alerts.registry import notifier
from tests.alerts.examples import T, alert

NOW = T + 300
DISK = replace(
    alert("DiskFull", mountpoint="/srv", job="node"),
    labels={"alertname": "DiskFull", "host": "web1", "severity": "critical", "mountpoint": "/srv", "job": "node"},
    annotations={
        "summary": "web1: /srv has 2.1% of its space left",
        "description": "Writes start to fail. Databases, sessions and uploads stop first.",
        "first_steps": "What grew: du -xh /srv --max-depth=2 | sort -h | tail -20\nQuick room: apt-get clean\n",
        "runbook_url": "https://wiki.example.org/disk?page=3",
    },
    value=0.021,
)
CONTEXT = Context(
    number="2.1%, usual 40%",
    impact="12 requests a second, 30% fail",
    causes=("/srv/backup grew by 80 GB in 2 h", "deploy of shop 10 min before"),
    changes=("22:01 deploy of shop", "22:05 cron backup began"),
    offenders=("Pages node/{id} of shop.example: 3.5 /s answer 5xx",),
    evidence=("ERROR 1114 (HY000): The table 'cache_render' is full", "GET /user?pass=hunter2 from ops@example.org"),
    series=(40, 38, 30, float("nan"), 22, 9, 2.1),
    links=(Link("Graph", "https://gauge.example.org/graph?g0=1"), Link("Bad", "javascript:alert(1)")),
    chart_png=b"\x89PNG\r\n\x1a\nnot really",
)
HOSTILE = (
    "<!channel> @here *x* [a](javascript:b) <script>alert('1')</script> & \"q\"\r\nBcc: x@example.org\x00\u202e```|"
)
LINES = (HOSTILE, f"\n\nFirst steps:\n{HOSTILE}")
"""What somebody writes into a log who knows how messages look."""
HOSTILE_LOG = Context(
    symptom=HOSTILE, impact=HOSTILE, command=HOSTILE, causes=LINES, changes=LINES, offenders=LINES, evidence=LINES,
    movers=LINES,
)  # fmt: skip
MEASURED: dict[str, Any] = {
    "impact": "12 of 40 requests a second to shop.example fail, 9 take longer than 2 s",
    "offenders": ("Pages node/{id} of shop.example: 11 /s answer 5xx", "Statement SELECT * FROM cache: 7 at once"),
    "evidence": (
        "22:13:20 UTC php: PDOException: SQLSTATE[HY000]: disk full (path /user/reset/9; 41 times)",
        "22:13:18 UTC sqli on shop.example from 192.0.2.7: attempt (request GET /x?pass=hunter2&mail=x@example.org)",
        "22:13:02 UTC New PHP warning: session SESS49960de5880e8c687434170f6476605b=hunter2 of ops@example.org",
    ),
}
HIDDEN = "hunter2", "ops@example.org", "x@example.org"
"""What no message may show."""

INCIDENT = Incident(
    12, "web1", "shop.example", "critical",
    "Pages of shop.example answer 5xx: 34 % of requests against 0.1 % normal", T, None,
    (Member("DiskFull", DISK.labels, "critical", T, None, "web1: /srv has 2.1% of its space left"),),
    (
        Cause("host", "web1: /srv has 2.1% of its space left", ("2.1 % of /srv is left",), T, "DiskFull"),
        Cause("database", "Statements take long", ("oldest statement runs for 41 s", "follows from DiskFull"), T + 60,
              "MysqlSlowBurst"),
    ),
    (Mover("Space left on /srv", "x", "host", 0.4, 0.021, "ratio", T - 120, 61.0),),
    (Change(T - 600, "drupal.deploy", "Deployed 4.2 with password=hunter2"),),
    "df -h; du -xh /srv --max-depth=2 | sort -h | tail -20", (Note(T + 120, "jo", "on it"),),
)  # fmt: skip


def notice(*alerts: Alert, **options: Any) -> Notice:
    group = {name: alerts[0].labels[name] for name in ("alertname", "host") if name in alerts[0].labels}
    return Notice("ops", group, alerts, "https://gauge.example.org", at=NOW, id="7.1.1700000000", **options)


def over(alert: Alert) -> Alert:
    return replace(alert, state="resolved", resolved_at=T + 240)


NOTICES = {
    "one": notice(DISK),
    "resolved": notice(over(DISK)),
    "several": notice(DISK, over(alert("DiskFull", mountpoint="/var")), alert("DiskFull", mountpoint="/tmp")),
    "rich": notice(DISK, context=CONTEXT),
    "incident": notice(DISK, context=replace(context(INCIDENT, "https://gauge.example.org"), **MEASURED)),
    "hostile_log": notice(DISK, context=HOSTILE_LOG),
    "bare": notice(replace(alert(), annotations={})),
    "nameless": replace(notice(Alert({}, {}, "firing", 1e9, T, T)), external_url=""),
    "hostile": notice(
        replace(alert(path=HOSTILE), annotations=dict.fromkeys(("summary", "description", "first_steps"), HOSTILE))
    ),
    "many": notice(*(alert(disk=f"sd{number}") for number in range(500))),
}

SETTINGS: dict[str, dict[str, Any]] = {
    "webhook": {"url": "https://hook.example.org/s3cret", "token": "s3cret-token"},
    "alertmanager": {"url": "https://am.example.org/prefix/", "username": "rg", "password": "s3cret"},
    "email": {
        "server": "mail.example.org", "username": "rg", "password": "s3cret", "sender": "raingauge@example.org",
        "to": ["oncall@example.org", "boss@example.org"],
    },
    "slack": {"url": "https://hooks.slack.example/services/T0/B0/s3cret"},
    "mattermost": {"url": "https://chat.example.org/hooks/s3cret"},
    "teams": {"url": "https://teams.example.org/workflows/1/invoke?sig=s3cret"},
    "pagerduty": {"routing_key": "s3cret"},
    "opsgenie": {"api_key": "s3cret"},
    "ntfy": {"topic": "s3cret-topic", "token": "s3cret-token"},
    "apprise": {"url": "json://user:s3cret@example.org/path"},
}  # fmt: skip


def channel(kind: str, name: str = "ops", **options: Any) -> Channel:
    found = notifier(kind)
    settings: Any = found.config.model_validate(SETTINGS[kind] | options)
    return Channel(name, found, settings)
