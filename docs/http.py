"""What the two HTTP servers answer."""

from collections.abc import Iterator
from typing import Any

from dashboard.app import create_app
from dashboard.services import Services
from docs.markdown import code, table

EXPORTER_LEAD = """\
On `exporter.listen`. On an address that is not loopback, all but the last three need a token of
`raingauge token create --scope read`, sent as `Authorization: Bearer TOKEN` or as the password of basic authentication.
Metrics are Prometheus' text format 0.0.4, compressed if the client takes gzip.

"""
EXPORTER = {
    "/": "Links to everything that is here.",
    "/metrics": "The whole host, each series with the labels of its target: scrape it with `honor_labels: true`.",
    "/metrics/<job>/<slug>": "One target without target labels, exactly as the official exporter gives it.",
    "/sd": "Every target with its labels and its path, in the form of Prometheus' HTTP service discovery.",
    "/probe?target=<target>&module=<module>": "A check made now, as blackbox_exporter answers it; of targets that "
    "`exporter.probe_targets` lists. Modules are named as there: http_2xx, tcp_connect, icmp, ssh_banner, ...",
    "/events?after=<next>": "Events of this host in the order they came and changed, as JSON, at most 200; `next` is "
    "what the next question has as `after`, and `more` says whether it finds some. Without it from the first on.",
    "/ping/<key>": "A job of `heartbeats` tells success; by GET, POST or HEAD, and without a token. "
    "`/ping/<key>/start`: it begins, `/fail`: it failed, `/<exit code>`: 0 is success, another is not.",
    "/-/healthy": "200 as long as the process answers.",
    "/-/ready": "200 once the first tick has closed, 503 before.",
}
DASHBOARD_LEAD = """\
On `dashboard.listen`, for those who have logged in. `/api/v1` is Prometheus' HTTP API; it and all pages also take a
token of `raingauge token create --scope read` as `Authorization: Bearer TOKEN`. A page asked for with
`Accept: application/json` answers with its data. A viewer looks, a responder also acknowledges and silences, an admin
also opens Settings; a token of scope write does by the API what a responder does. `from` and `to` choose the span:
`?from=now-6h&to=now`.

`/api/v2` is Alertmanager's HTTP API, for amtool, karma and Grafana:
`amtool --alertmanager.url=http://127.0.0.1:9875 --http.config.file=FILE alert query`, where the file has
`authorization: {credentials: TOKEN}`. Silences have an additional `kind`: `silence`, `ack` or `maintenance`.

Grafana takes it as a data source of type Prometheus: the dashboard's address as URL, no authentication method, and the
HTTP header `Authorization` with the value `Bearer TOKEN`. It says that it is Prometheus 2.55, whose API this is.

"""
DASHBOARD = {
    "/": "Page: is anything wrong, where, since when; charts of what is there.",
    "/trends": "Page: charts of all layers over one span; with `cmp=1w`, and the same a week before.",
    "/host": "Page: processor, memory, disks and network of the host.",
    "/alerts": "Page: alerts with their first steps, and the rules.",
    "/incidents": "Page: what is wrong as a whole: open incidents, then the last ones.",
    "/incidents/<int:number>": "Page: one incident: why, what moved, what to do next, who was told, notes.",
    "/incidents/<int:number>/acknowledge": "Form: as below, for all of its alerts that fire.",
    "/incidents/<int:number>/silence": "Form: as below, for all of its alerts that fire.",
    "/incidents/<int:number>/notes": "Form: keeps `text` as a note.",
    "/targets": "Page: what is read, how each read went, and what cannot be read.",
    "/drupal": "Page: every Drupal site in a line, those that need a look first.",
    "/site/<name>": "Page: one site: cron, queues, errors, updates, users, sizes, requests, who asks, what happened.",
    "/slowest": "Page: routes, SQL and places in PHP that take most time; `by` is `time`, `calls` or `mean`.",
    "/security": "Page: what happened, how it is known, what happened around it; `site` shows one site only.",
    "/alerts/<key>/acknowledge": "Form: nobody is told of the alert for `hours`, or until it is over.",
    "/alerts/<key>/silence": "Form: alerts with the same name, host, instance, site and job are silent for `hours`.",
    "/silences/<key>/end": "Form: ends a silence.",
    "/api/v1/events": "Adds an event from JSON (`kind`, `title`, `site`, `severity`), for a token that may write.",
    "/events/close": "Form: closes the event `id`, and those of its kind about the same, with a `note`.",
    "/runbooks/<name>": "Page: what an alert means and what to do.",
    "/slo": "Page: each objective: what is left of its error budget, how fast it burns, when it is empty.",
    "/explore": "Page: any expression as chart and table: `q` is the expression.",
    "/explore.csv": "The lines of `q` as CSV, a column for each series.",
    "/boards": "Page: boards of panels that people made. POST: a form that makes one.",
    "/boards.yml": "All boards as YAML, as `raingauge boards import` and the page take them.",
    "/boards/import": "Form: boards from YAML, each in the place of the one with its name.",
    "/boards/panels": "Form: an expression of Explore as a panel of a board, or of a new one.",
    "/boards/<name>": "Page: one board. POST: a form that renames it, or removes it.",
    "/boards/<name>.yml": "One board as YAML.",
    "/boards/<name>/panels": "Form: one more panel.",
    "/boards/<name>/panels/<int:at>": "Form: changes the panel at that place, moves it, or removes it.",
    "/checks": "Page: every check with its phases, the last day and its certificate; heartbeats. POST: adds a check.",
    "/checks.yml": "Checks that were added on the page, as the configuration file has them.",
    "/checks/remove": "Form: removes a check that was added.",
    "/a/<token>": "Where a message's link leads, without a login: its form acknowledges or silences.",
    "/login": "The login form: name and password; with `key`, the link that logs in once.",
    "/wall/<token>": "A wall's link: a session that looks at pages, and can do nothing else.",
    "/settings": "Page: theme, time zone and shortcuts of this browser, and who you are.",
    "/settings/appearance": "Form: keeps them.",
    "/settings/configuration": "Page: channels, routes, silences, sites, retention, and what the file sets and where.",
    "/settings/channels/<name>/test": "Form: sends a test message and shows what the receiver answered.",
    "/settings/users": "Page: users with their roles, and sessions. POST: adds a user.",
    "/settings/users/<name>": "Form: another role or password, or removes the user.",
    "/settings/sessions/<key>/end": "Form: ends a session.",
    "/settings/tokens": "Page: tokens of programs and links of walls. POST: makes one, and shows its secret once.",
    "/settings/tokens/revoke": "Form: ends a token, or a wall with its sessions.",
    "/settings/audit": "Page: who did what, and who was refused.",
    "/logout": "Ends the session.",
    "/api/v1/query": "An expression at one `time`.",
    "/api/v1/query_range": "An expression from `start` to `end` every `step`.",
    "/api/v1/query_exemplars": "Always empty: exemplars are not kept.",
    "/api/v1/format_query": "The expression as people read it.",
    "/api/v1/series": "Series that `match[]`.",
    "/api/v1/labels": "Names of labels.",
    "/api/v1/label/<name>/values": "Values of a label.",
    "/api/v1/metadata": "Type, help and unit of metrics.",
    "/api/v1/rules": "Rules with their alerts; by `type`, `rule_name[]`, `rule_group[]`, `file[]` and `match[]`.",
    "/api/v1/alerts": "Alerts that fire or are pending.",
    "/api/v1/targets": "What is collected, and as dropped what cannot be; by `state` and `scrapePool`.",
    "/api/v1/targets/metadata": "Type, help and unit of the metrics of each target; by `match_target` and `metric`.",
    "/api/v1/scrape_pools": "The jobs.",
    "/api/v1/status/buildinfo": "Which Prometheus' API this is, and as `revision` which Raingauge.",
    "/api/v2/alerts": "Firing alerts as Alertmanager shows them, with what suppresses them; by `filter`, `receiver`, "
    "`active`, `silenced` and `inhibited`. POST: alerts of others, which take the same path; `--scope write`.",
    "/api/v2/alerts/groups": "The same by group, as the routes make them.",
    "/api/v2/silences": "Silences, those that have ended too; by `filter`. POST: a new one, or with its `id` a change; "
    "`--scope write`.",
    "/api/v2/silence/<silence_id>": "One silence. DELETE ends it; `--scope write`.",
    "/api/v2/receivers": "The channels.",
    "/api/v2/status": "Version, start and the routes, in the words of Alertmanager's configuration.",
    "/-/healthy": "200 as long as the process answers.",
    "/-/ready": "The same: it answers once it is ready.",
}


def exporter() -> str:
    rows = [(code(path), text) for path, text in EXPORTER.items()]
    return EXPORTER_LEAD + table(("Path", "What it gives"), rows)


def dashboard() -> str:
    """KeyError for a path of the application that DASHBOARD has no text for."""
    methods: dict[str, set[str]] = {path: set() for path in DASHBOARD}
    for path, method in routes():
        methods[path].add(method)
    rows = [(code(path), ", ".join(sorted(methods[path])), text) for path, text in DASHBOARD.items()]
    return DASHBOARD_LEAD + table(("Path", "Method", "What it gives"), rows)


def routes() -> Iterator[tuple[str, str]]:
    """(path, method) of the application, static files left out. Nobody asks it anything, so it is given nothing."""
    none: Any = None
    app = create_app(Services("", "", none, none, none, none, none, none, none, "", lambda: 0.0, 0.0))
    for rule in app.url_map.iter_rules():
        if not rule.rule.startswith("/static/"):
            yield from ((rule.rule, method) for method in (rule.methods or set()) - {"HEAD", "OPTIONS"})
