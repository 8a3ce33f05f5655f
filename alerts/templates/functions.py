"""The functions that templates call by name: Go's own and Prometheus'.

Source: https://prometheus.io/docs/prometheus/latest/configuration/template_reference/
"""

from collections.abc import Callable
from urllib.parse import quote_plus

from alerts.templates import collections, numbers, printing, texts, values
from alerts.templates.texts import text
from alerts.templates.values import Args, Sample, Span, TemplateError, Value, kind, show, true


def sample(value: Value) -> Sample:
    if not isinstance(value, Sample):
        raise TemplateError(f"expected an element of a result, found {kind(value)}")
    return value


FUNCTIONS: dict[str, Callable[..., Value]] = {
    "eq": values.equal,
    "ne": lambda one, other: not values.equal(one, other),
    "lt": values.less,
    "le": lambda one, other: values.less(one, other) or values.equal(one, other),
    "gt": lambda one, other: not values.less(one, other) and not values.equal(one, other),
    "ge": lambda one, other: not values.less(one, other),
    "not": lambda value: not true(value),
    "len": collections.length,
    "index": collections.index,
    "slice": collections.part,
    "print": printing.print_,
    "printf": printing.printf,
    "println": printing.println,
    "html": texts.escaped,
    "urlquery": lambda *parts: quote_plus("".join(show(each) for each in parts)),
    "first": collections.first,
    "value": lambda of: sample(of).value,
    "strvalue": lambda of: sample(of).labels.get("__value__", ""),
    "label": lambda name, of: sample(of).labels.get(text(name), ""),
    "sortByLabel": collections.sort_by_label,
    "args": Args,
    "humanize": numbers.humanize,
    "humanize1024": numbers.humanize1024,
    "humanizeDuration": numbers.humanize_duration,
    "humanizePercentage": numbers.humanize_percentage,
    "humanizeTimestamp": numbers.humanize_timestamp,
    "toTime": numbers.to_time,
    "toDuration": lambda value: Span(numbers.number(value)),
    "parseDuration": texts.parse_duration,
    "title": texts.title,
    "toUpper": lambda value: text(value).upper(),
    "toLower": lambda value: text(value).lower(),
    "match": texts.match,
    "reReplaceAll": texts.replace_all,
    "safeHtml": text,
    "urlQueryEscape": lambda value: quote_plus(text(value)),
    "graphLink": lambda expr: texts.link(0, expr),
    "tableLink": lambda expr: texts.link(1, expr),
    "stripPort": texts.strip_port,
    "stripDomain": texts.strip_domain,
}
RUNNING = ("and", "or", "query", "externalURL", "pathPrefix", "now", "tmpl")
"""Those that need more than their arguments."""
NAMES = frozenset((*FUNCTIONS, *RUNNING))
