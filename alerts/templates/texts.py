"""Prometheus' functions of text, addresses and times."""

import html
import ipaddress
import re
from datetime import datetime
from urllib.parse import quote_plus, urlsplit

from alerts.templates.values import TemplateError, Value, kind, show
from history import numbers
from history.model import QueryError
from history.regex import compile_regex

LONGEST = 65_536  # characters that a function makes
EXPANDED = re.compile(r"\$(?:\$|\{(\w+)\}|(\w+))")
LAYOUT = {
    "2006": "%Y", "January": "%B", "Jan": "%b", "Monday": "%A", "Mon": "%a", "MST": "UTC", "Z07:00": "Z",
    "-07:00": "+00:00", "-0700": "+0000", "01": "%m", "02": "%d", "03": "%I", "04": "%M", "05": "%S", "06": "%y",
    "15": "%H", "PM": "%p", ".000": ".", "_2": "%e",
}  # fmt: skip
LAYOUTS = re.compile("|".join(re.escape(each) for each in sorted(LAYOUT, key=len, reverse=True)))


def text(value: Value) -> str:
    if not isinstance(value, str):
        raise TemplateError(f"expected a text, found {kind(value)}")
    return value


def title(value: Value) -> str:
    """Each letter after what is none in capitals."""
    return re.sub(r"(?<![\w])[^\W\d_]", lambda first: first[0].upper(), text(value))


def match(pattern: Value, value: Value) -> bool:
    return _regex(pattern).search(text(value)) is not None


def replace_all(pattern: Value, replacement: Value, value: Value) -> str:
    """Go's ReplaceAllString: $1, ${1} and ${name} in the replacement."""
    given, made, at, by = text(value), "", 0, text(replacement)
    for found in _regex(pattern).finditer(given):
        made += given[at : found.start()] + _expanded(by, found)
        at = found.end()
        if len(made) > LONGEST:
            raise TemplateError(f"reReplaceAll makes more than {LONGEST:,} characters")
    return made + given[at:]


def _expanded(replacement: str, found: re.Match[str]) -> str:
    def group(name: re.Match[str]) -> str:
        chosen = name[1] or name[2]
        if not chosen:
            return "$"
        try:
            return found[int(chosen) if chosen.isdecimal() else chosen] or ""
        except (IndexError, KeyError, ValueError):
            return ""

    return EXPANDED.sub(group, replacement)


def _regex(pattern: Value) -> re.Pattern[str]:
    try:
        compiled: re.Pattern[str] = compile_regex(text(pattern))
    except QueryError as error:
        raise TemplateError(str(error)) from error
    return compiled


def link(tab: int, expr: Value) -> str:
    return f"/graph?g0.expr={quote_plus(text(expr))}&g0.tab={tab}"


def path_prefix(url: str) -> str:
    return urlsplit(url).path


def strip_port(value: Value) -> str:
    return _split(text(value))[0]


def strip_domain(value: Value) -> str:
    host, port = _split(text(value))
    try:
        ipaddress.ip_address(host)
    except ValueError:
        host = host.partition(".")[0]
    return f"{f'[{host}]' if ':' in host else host}:{port}" if port else host


def _split(address: str) -> tuple[str, str]:
    """Host and port; what is no such pair is a host."""
    found = re.fullmatch(r"(?:\[([^\[\]]*)\]|([^:\[\]]*)):([^:\[\]]*)", address)
    return (found[1] or found[2] or "", found[3]) if found else (address, "")


def parse_duration(value: Value) -> float:
    found = numbers.DURATION.fullmatch(text(value))
    if not value or found is None:
        raise TemplateError(f"not a valid duration: {value!r}")
    return numbers.duration(text(value))


def escaped(*values: Value) -> str:
    return html.escape("".join(show(each) for each in values)).replace("&quot;", "&#34;").replace("&#x27;", "&#39;")


def format_time(at: datetime, layout: Value) -> str:
    """Go's layout, by its reference time of 2 January 2006."""
    return LAYOUTS.sub(lambda found: _formatted(at, found[0]), text(layout))


def _formatted(at: datetime, part: str) -> str:
    if part == ".000":
        return f".{at.microsecond // 1000:03d}"
    form = LAYOUT[part]
    if form == "%Y":
        return f"{at.year:04d}"
    return at.strftime(form) if form.startswith("%") else form
