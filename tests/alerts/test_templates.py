import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.templates import expand, go_float

LABELS = {"host": "web1", "mountpoint": "/var"}
# What promtool 2.42 answers.
EXPANDED = {
    "no action": "no action",
    "{{ $labels.host }}:{{$labels.mountpoint}}": "web1:/var",
    "{{ .Labels.host }} {{ .Value }}": "web1 1.234567e+06",
    "[{{ $labels.gone }}]": "[]",
    "{{ $labels }}": "map[host:web1 mountpoint:/var]",
    "{{ $value | humanize }}": "1.235M",
    "{{ humanize $value }}": "1.235M",
    '{{ humanize "12345" }}': "12.35k",
    "{{ 1e30 | humanize }}": "1e+06Y",
    "{{ 0.00123 | humanize }}": "1.23m",
    "{{ 0.0 | humanize }}": "0",
    "{{ 123456789.0 | humanize1024 }}": "117.7Mi",
    "{{ humanizePercentage 0.98765432 }}": "98.77%",
    "{{ 0.0 | humanizeDuration }}": "0s",
    "{{ -1.5 | humanizeDuration }}": "-1.5s",
    "{{ 0.0012 | humanizeDuration }}": "1.2ms",
    "{{ 61 | humanizeDuration }}": "1m 1s",
    "{{ 3661 | humanizeDuration }}": "1h 1m 1s",
    "{{ 90061 | humanizeDuration }}": "1d 1h 1m 1s",
    "{{ humanizeTimestamp 1e9 }}": "2001-09-09 01:46:40 +0000 UTC",
    "{{ humanizeTimestamp 1.5 }}": "1970-01-01 00:00:01.5 +0000 UTC",
    '{{ printf "%.2f" $value }}': "1234567.00",
    '{{ $value | printf "%.1f bytes" }}': "1234567.0 bytes",
    '{{ printf "%d" 3 }}': "3",
    '{{ printf "%d" $value }}': "%!d(float64=1.234567e+06)",
    '{{ printf "%s" $value }}': "%!s(float64=1.234567e+06)",
    '{{ printf "%s of %v, 5%%" $labels.host $value }}': "web1 of 1.234567e+06, 5%",
    '{{ "ab cd" | title }} {{ toUpper $labels.host }} {{ toLower "AB" }}': "Ab Cd WEB1 ab",
    '{{ printf "%s!" (humanize $value) | toLower }}': "1.235m!",
    "a {{- 12 -}} b": "a12b",
    "a {{/* why */}}b": "a b",
    "{{ `raw` }}{{ 1.5 }}{{ -3 }}": "raw1.5-3",
}
REFUSED = {
    '{{ range query "up" }}{{ end }}': "'range' is not supported",
    "{{ with $value }}{{ end }}": "'with' is not supported",
    "{{ if gt $value 1.0 }}{{ end }}": "'if' is not supported",
    '{{ query "up" | first | value }}': "'query' is not supported",
    "{{ $value | nope }}": "'nope' is not supported",
    "{{ $externalURL }}": "'$externalURL' is not supported",
    "{{ }}": "nothing is not supported",
    "{{ $value": "'{{' without its '}}'",
    "{{ $value | 3 }}": "expected a function after '|'",
    "{{ (humanize $value }}": "expected ')'",
    "{{ $value $value }}": "expected the end",
    "{{ humanize $labels.host }}": "humanize cannot take",
    "{{ humanize $labels }}": "humanize cannot take",
    "{{ humanize }}": "humanize cannot take",
    "{{ humanizeTimestamp 1e300 }}": "is no point in time",
}


@pytest.mark.parametrize(("text", "expected"), EXPANDED.items())
def test_expand(text: str, expected: str) -> None:
    assert expand(text, LABELS, 1234567.0) == expected


@pytest.mark.parametrize(("text", "why"), REFUSED.items())
def test_refused_by_name(text: str, why: str) -> None:
    expanded = expand(text, LABELS, 1.0)
    assert expanded.startswith("<error expanding template: ")
    assert why in expanded


@pytest.mark.parametrize("function", ["humanize", "humanize1024", "humanizeDuration", "humanizeTimestamp"])
@pytest.mark.parametrize(("value", "text"), [(math.inf, "+Inf"), (-math.inf, "-Inf"), (math.nan, "NaN")])
def test_what_is_no_number(function: str, value: float, text: str) -> None:
    assert expand(f"{{{{ {function} $value }}}}", {}, value) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_reads_back_the_same(value: float) -> None:
    text = go_float(value)
    assert float(text) == value
    assert not text.endswith(".0")
    assert ("e" in text) == (value != 0 and not 1e-4 <= abs(value) < 1e6)


@given(st.text(alphabet='{}$vlabe.| "()-/*` '))
def test_no_text_breaks_it(text: str) -> None:
    expand(text, LABELS, 1.0)
