"""Charts of sites: what the access log says of them, and Drupal itself; of all of them, and of one (`$site`)."""

from dataclasses import replace

from dashboard.charts.model import Chart, Curve

_STATUSES = (("2xx", 3), ("3xx", 1), ("4xx", 2), ("5xx", 4))


def _answers(id: str, site: str) -> Chart:  # noqa: A002
    curves = (
        Curve(name, f'sum(rate(web_requests_total{{status="{name}"{site}}}[$__rate_interval]))', tone=tone)
        for name, tone in _STATUSES
    )
    return Chart(id, "Requests", "per second, by status", "per_second", "web", "requests", tuple(curves), kind="stack")


def _quantile(share: float, by: str, site: str) -> str:
    buckets = f"sum by ({by}) (rate(web_request_duration_seconds_bucket{site}[$__rate_interval]))"
    return f"histogram_quantile({share}, {buckets})"


_ERRORS = 'severity=~"emergency|alert|critical|error"'
_OF_SITE = '{site="$site"}'
_OF_DRUPAL = '{job="drupal",instance="$site"}'

ANSWERS = _answers("answers", "")
TIMES = Chart(
    "times", "Response time", "95th percentile, by site", "seconds", "web", "requests",
    (Curve("{site}", _quantile(0.95, "site, le", "")),),
)  # fmt: skip
DRUPAL_CRON = Chart(
    "drupal-cron", "Since cron", "by site", "seconds", "drupal", "state",
    (Curve("{instance}", "time() - max by (instance) (drupal_cron_last_run_timestamp_seconds)"),),
)  # fmt: skip
DRUPAL_QUEUES = Chart(
    "drupal-queues", "Queues", "items that wait, by site", "count", "drupal", "queues",
    (Curve("{instance}", "sum by (instance) (drupal_queue_items)"),),
)  # fmt: skip
DRUPAL_ERRORS = Chart(
    "drupal-errors", "Errors in the log", "in the hour before, by site", "count", "drupal", "watchdog",
    (Curve("{instance}", "sum by (instance) (increase(drupal_watchdog_errors_total[1h]))"),),
)  # fmt: skip

SITE_REQUESTS = Chart(
    "site-requests", "Requests", "per second, by class", "per_second", "web", "requests",
    (Curve("{class}", f"sum by (class) (rate(web_requests_total{_OF_SITE}[$__rate_interval]))"),),
)  # fmt: skip
SITE_ANSWERS = _answers("site-answers", ',site="$site"')
SITE_TIMES = Chart(
    "site-times", "Response time", "median and 95th percentile", "seconds", "web", "requests",
    (
        Curve("p95", _quantile(0.95, "le", _OF_SITE), tone=2),
        Curve("p50", _quantile(0.5, "le", _OF_SITE), tone=1),
    ),
)  # fmt: skip
SITE_CRON = Chart(
    "site-cron", "Since cron", "", "seconds", "drupal", "state",
    (Curve("since the last run", f"time() - max(drupal_cron_last_run_timestamp_seconds{_OF_DRUPAL})"),), kind="area",
)  # fmt: skip
SITE_QUEUES = Chart(
    "site-queues", "Queues", "items that wait", "count", "drupal", "queues",
    (Curve("{queue}", f"max by (queue) (drupal_queue_items{_OF_DRUPAL})"),),
)  # fmt: skip
SITE_ERRORS = Chart(
    "site-errors", "Errors in the log", "in the hour before, by type", "count", "drupal", "watchdog",
    (
        Curve(
            "{type}",
            "sum by (type) (increase(drupal_watchdog_total"
            f'{{job="drupal",instance="$site",{_ERRORS}}}[1h]))',
        ),
    ),
)  # fmt: skip


def of_site(chart: Chart, site: str) -> Chart:
    """With its name in the place of `$site`."""
    quoted = site.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    curves = tuple(replace(curve, expr=curve.expr.replace("$site", quoted)) for curve in chart.curves)
    return replace(chart, curves=curves)
