"""What the two HTTP servers answer."""

from docs.markdown import code, table

LEAD = """\
On `exporter.listen`. On an address that is not loopback, all but the last two need a token of
`raingauge token create --scope read`, sent as `Authorization: Bearer TOKEN` or as the password of basic authentication.
Metrics are Prometheus' text format 0.0.4, compressed if the client takes gzip.

"""
EXPORTER = {
    "/": "Links to everything that is here.",
    "/metrics": "The whole host, each series with the labels of its target: scrape it with `honor_labels: true`.",
    "/metrics/<job>/<slug>": "One target without target labels, exactly as the official exporter gives it.",
    "/sd": "Every target with its labels and its path, in the form of Prometheus' HTTP service discovery.",
    "/-/healthy": "200 as long as the process answers.",
    "/-/ready": "200 once the first tick has closed, 503 before.",
}


def exporter() -> str:
    return LEAD + table(("Path", "What it gives"), [(code(path), text) for path, text in EXPORTER.items()])
