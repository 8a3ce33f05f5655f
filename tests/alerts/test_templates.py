import math
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.templates import Around, check, expand, go_float
from history.model import Point, QueryError

LABELS = {"__name__": "x", "host": "web1", "mountpoint": "/var", "instance": "web1.example.org:9100"}
VALUE = 1234567.0
AROUND = Around(
    {"region": "eu"},
    "https://rain.example.org/app",
    1_700_000_000.5,
    lambda expr: {"other": [Point({"__name__": "other", "host": "b"}, 0, 2.5), Point({"host": "a"}, 0, 3.0)]}[expr],
)
# What promtool 2.42 answers too.
EXPANDED = {
    "no action": "no action",
    "{{ $labels.host }}:{{$labels.mountpoint}}": "web1:/var",
    "{{ .Labels.host }} {{ .Value }}": "web1 1.234567e+06",
    "[{{ $labels.gone }}]": "[]",
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
    '{{ printf "%f" 3 }}': "%!f(int=3)",
    '{{ printf "%s of %v, 5%%" $labels.host $value }}': "web1 of 1.234567e+06, 5%",
    '{{ printf "%5d|%-5d|%05d|%+d|%x|%o|%b|%c|%U|%q" 42 42 42 42 42 42 42 42 42 42 }}':
        "   42|42   |00042|+42|2a|52|101010|*|U+002A|'*'",
    '{{ printf "%6.2f|%-8.1f|%08.3f|%+.1f|%e|%g|%G|%v" 3.14159 3.14159 3.14159 3.14159 3.14159 3.14159 1e-7 1e21 }}':
        "  3.14|3.1     |0003.142|+3.1|3.141590e+00|3.14159|1E-07|1e+21",
    '{{ printf "%q %5s|%-5s|%.2s|%x" "a\\"b" "ab" "ab" "abc" "ab" }}': '"a\\"b"    ab|ab   |ab|6162',
    '{{ printf "%t %v %s" true false true }}': "true false %!s(bool=true)",
    '{{ printf "%d" }}{{ printf "%d" 1 2 }}{{ printf "%" }}{{ printf "%z" 1 }}':
        "%!d(MISSING)1%!(EXTRA int=2)%!(NOVERB)%!z(int=1)",
    '{{ print 1 2 "a" "b" 3 }}|{{ println "a" 1 }}': "1 2ab3|a 1\n",
    '{{ "ab cd-ef" | title }} {{ toUpper $labels.host }} {{ toLower "AB" }}': "Ab Cd-Ef WEB1 ab",
    '{{ printf "%s!" (humanize $value) | toLower }}': "1.235m!",
    "a {{- 12 -}} b": "a12b",
    "a {{/* why */}}b {{- /* } */ -}} c": "a bc",
    "{{ `raw` }}{{ 1.5 }}{{ -3 }}{{-3}}{{ 0x1f }}{{ 'a' }}{{ 1e3 }}{{ 007 }}": "raw1.5-3-3319710007",
    '{{ "a}}b" }}{{ "\\u00e9\\x41\\101\\n" }}': "a}}béAA\n",
    "{{ $externalLabels.region }} {{ .ExternalLabels.region }}": "eu eu",
    "{{ $externalURL }} {{ externalURL }} {{ pathPrefix }}":
        "https://rain.example.org/app https://rain.example.org/app /app",
    "{{ if gt $value 1.0 }}much{{ else }}little{{ end }}": "much",
    '{{ if eq $labels.host "a" "web1" }}one{{ end }}{{ if ne $labels.host "web1" }}two{{ end }}': "one",
    "{{ if lt 1 2 }}a{{ end }}{{ if le 2 2 }}b{{ end }}": "ab",
    "{{ if ge 2 3 }}c{{ else if gt 3 2 }}d{{ else }}e{{ end }}": "d",
    "{{ if and true $labels.host (not false) }}a{{ end }}{{ or 0 \"\" $labels.host }}{{ and 1 0 2 }}": "aweb10",
    '{{ if or true (index "" 9) }}short{{ end }}': "short",
    "{{ with $labels.host }}{{ . }}{{ end }}{{ with $labels.gone }}x{{ else }}none{{ end }}": "web1none",
    "{{ with $x := 3 }}{{ $x }}{{ end }}{{ $y := 1 }}{{ if true }}{{ $y = 2 }}{{ $y := 3 }}{{ end }}{{ $y }}": "32",
    '{{ range query "other" }}{{ .Labels.host }}={{ .Value }};{{ end }}': "b=2.5;a=3;",
    '{{ range $i, $s := query "other" | sortByLabel "host" }}{{ $i }}{{ label "host" $s }}{{ value $s }}{{ end }}':
        "0a31b2.5",
    '{{ with query "other" }}{{ . | first | value | humanize }} of {{ len . }}{{ end }}': "2.5 of 2",
    '{{ query "other" | first | label "host" }}{{ (index (query "other") 1).Labels.host }}': "ba",
    '{{ range query "other" }}{{ if eq .Labels.host "b" }}{{ continue }}{{ end }}{{ .Value }}{{ break }}{{ end }}': "3",
    "{{ range $k, $v := .Labels }}{{ $k }}:{{ $v }} {{ end }}":
        "__name__:x host:web1 instance:web1.example.org:9100 mountpoint:/var ",
    '{{ define "a" }}<{{ . }}>{{ end }}{{ template "a" $value }}{{ template "a" "x" }}': "<1.234567e+06><x>",
    '{{ define "l" }}{{ .arg0 }}-{{ .arg1 }}{{ end }}{{ template "l" (args 1 "two") }}': "1-two",
    '{{ block "b" 5 }}[{{ . }}]{{ end }}': "[5]",
    '{{ index $labels "host" }} {{ len $labels.host }} {{ slice "abcdef" 1 3 }} {{ len .Labels }}': "web1 4 bc 4",
    '{{ index "abc" 1 }} {{ slice "abc" 1 }} {{ slice "abc" }}': "98 bc abc",
    "{{ stripPort $labels.instance }} {{ stripDomain $labels.instance }}": "web1.example.org web1:9100",
    '{{ stripPort "a" }} {{ stripDomain "10.1.2.3:8" }} {{ stripDomain "[::1]:80" }}': "a 10.1.2.3:8 [::1]:80",
    '{{ match "^we" $labels.host }} {{ match "b$" $labels.host }}': "true false",
    '{{ reReplaceAll "([a-z]+)(\\\\d)" "$2-${1}x$$" $labels.host }}': "1-webx$",
    '{{ graphLink "up == 0" }} {{ tableLink "a+b" }}':
        "/graph?g0.expr=up+%3D%3D+0&g0.tab=0 /graph?g0.expr=a%2Bb&g0.tab=1",
    '{{ parseDuration "1h30m" }} {{ toTime 1e9 }} {{ (toTime 1e9).Unix }} {{ (toTime 1e9).Year }}':
        "5400 2001-09-09 01:46:40 +0000 UTC 1000000000 2001",
    '{{ safeHtml "<b>" }}{{ html "<a href=\\"x\\">" }} {{ urlquery "a b&c" }}': "<b>&lt;a href=&#34;x&#34;&gt; a+b%26c",
    '{{ query "other" | first | strvalue }}': "",
    '{{ printf "%+v %+d %5.1f|%-6v" 0.1 3 1 nil }}{{ (args 1).other }}': "0.1 +3 %!f(int=    1)|<nil> <no value>",
    "{{ . }}": "{map[__name__:x host:web1 instance:web1.example.org:9100 mountpoint:/var] map[region:eu] "
        "https://rain.example.org/app 1.234567e+06}",
    "{{ $labels | len }} {{ $.Value }}": "4 1.234567e+06",
    '{{ tmpl "t" 1 }}{{ define "t" }}T{{ . }}{{ end }}': "T1",
}  # fmt: skip
NEWER = {
    "{{ now }}": "1.7000000005e+09",
    "{{ toDuration 3601.5 }} {{ toDuration 0.0015 }} {{ toDuration -61 }}": "1h0m1.5s 1.5ms -1m1s",
    '{{ urlQueryEscape "a b&c" }}': "a+b%26c",
    "{{ with $labels.gone }}a{{ else with $labels.host }}{{ . }}{{ end }}": "web1",
    "{{ range 3 }}{{ . }}{{ end }}": "012",
    '{{ (toTime 1e9).Format "Mon Jan _2 15:04:05 2006, 02.01.06 03:04PM" }}':
        "Sun Sep  9 01:46:40 2001, 09.09.01 01:46AM",
    "{{ humanize (toDuration 90) }}": "90",
}  # fmt: skip
"""Of newer versions, or in other words there."""
UNREADABLE = {
    "{{ $value | nope }}": "'nope' is not known",
    "{{ $nope }}": "'$nope' is not known",
    "{{ }}": "expected a value, found nothing",
    "{{ $value": "'{{' without its '}}'",
    "{{ $value | 3 }}": "expected a function after '|'",
    "{{ (humanize $value }}": "expected ')'",
    "{{ if true }}": "{{end}} is missing",
    "{{ end }}": "unexpected {{ end }}",
    "{{ else }}": "unexpected {{ else }}",
    "{{ break }}": "outside of a range",
    "{{ if true }}{{ else }}{{ else }}{{ end }}": "unexpected {{ else }}",
    '{{ define "a" }}{{ $labels.x }}{{ end }}': "'$labels' is not known",
    "{{ if true }}{{ $x := 1 }}{{ end }}{{ $x }}": "'$x' is not known",
    '{{ if true }}{{ define "a" }}{{ end }}{{ end }}': "inside of a block",
    '{{ define "a" }}{{ end }}{{ define "a" }}{{ end }}': "multiple definition",
    "{{ $x = 1 }}": "'$x' is not known",
    "{{ $a, $b := $labels }}": "too many declarations",
    '{{ "a" "b }}': "unexpected '\"'",
    '{{ "\\q" }}': "invalid escape",
    '{{ "\\ud800" }}': "invalid escape",
    "{{ 3x }}": "unexpected '3'",
    "{{ 'ab' }}": "one character in quotes",
    "{{ 99999999999999999999 }}": "a number of 64 bits",
    '{{ humanize"1" }}': "expected a space",
    "{{ template }}": "a name in quotes",
    "{{ js 1 }}": "'js' is not known",
    "{{ call 1 }}": "'call' is not known",
    "{{ " + "(" * 60 + "1" + ")" * 60 + " }}": "expected a value, found '('",
    "{{ if 1 }}" * 60 + "{{ end }}" * 60: "nest deeper",
    "{{ 1 }}" + " " * 70_000: "characters",
}
FAILING = {
    "{{ $value $value }}": "can't give argument to non-function",
    "{{ humanize $labels.host }}": "'web1' is no number",
    '{{ humanize " 1" }}': "is no number",
    "{{ humanize $labels }}": "can't convert map",
    "{{ humanize }}": "humanize cannot take nothing",
    "{{ humanizeTimestamp 1e300 }}": "is no point in time",
    "{{ if gt $value 1 }}{{ end }}": "incompatible types for comparison: float64 and int",
    '{{ eq $value "a" }}': "incompatible types",
    "{{ lt $labels $labels }}": "invalid type for comparison: map",
    '{{ query "other{" | first }}': "no such query",
    '{{ query "empty" | first }}': "no elements",
    "{{ $value.x }}": "can't evaluate field x in type float64",
    "{{ .Nope }}": "can't evaluate field Nope",
    '{{ template "gone" }}': "template 'gone' not defined",
    '{{ define "a" }}{{ template "a" }}{{ end }}{{ template "a" }}': "nest deeper",
    '{{ index "abc" 3 }}': "out of range",
    '{{ slice "abc" 2 1 }}': "invalid positions",
    '{{ match "(" "a" }}': "invalid regular expression",
    '{{ parseDuration "x" }}': "not a valid duration",
    "{{ range $value }}{{ end }}": "can't iterate over float64",
    "{{ range 1000000 }}{{ end }}": "steps",
    '{{ $x := "aaaaaaaa" }}{{ range 100 }}{{ $x = print $x $x }}{{ end }}': "characters",
    '{{ $x := printf "%1000d" 1 }}{{ range 100 }}{{ $x }}{{ end }}': "characters",
    '{{ range 100 }}{{ query "other" }}{{ end }}': "more than 20 queries",
    '{{ reReplaceAll "" "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" (printf "%1000d%1000d%1000d" 1 2 3) }}': "characters",
    '{{ define "a" }}{{ ' + "(" * 30 + 'tmpl "a" 1' + ")" * 30 + ' }}{{ end }}{{ template "a" }}': "nest deeper",
    "{{ $x := args 1 }}{{ range 40 }}{{ $x = args $x $x }}{{ end }}{{ $x }}": "args of args",
    "{{ $x := args 1 }}{{ range 900 }}{{ $x = args $x }}{{ end }}{{ $x }}": "args of args",
    '{{ $x := printf "%1000d" 1 }}{{ range 5000 }}{{ $y := match "a" $x }}{{ end }}': "steps",
    "{{ nil }}": "nil is not a command",
}


def around(expr: str) -> list[Point]:
    if expr == "empty":
        return []
    if expr != "other":
        raise QueryError("bad_data", "no such query")
    return list(AROUND.query(expr))


@pytest.mark.parametrize(("text", "expected"), [*EXPANDED.items(), *NEWER.items()])
def test_expand(text: str, expected: str) -> None:
    assert expand(text, LABELS, VALUE, AROUND) == expected
    assert check(text) == ""


@pytest.mark.parametrize(("text", "why"), UNREADABLE.items(), ids=range(len(UNREADABLE)))
def test_what_cannot_be_read_is_known_before(text: str, why: str) -> None:
    assert why in check(text)
    assert expand(text, LABELS, 1.0, AROUND) == f"<error expanding template: {check(text)}>"


@pytest.mark.parametrize(("text", "why"), FAILING.items(), ids=range(len(FAILING)))
def test_what_fails_gives_the_form_of_prometheus(text: str, why: str) -> None:
    expanded = expand(text, LABELS, VALUE, Around(query=around))
    assert expanded.startswith("<error expanding template: ")
    assert why in expanded
    assert check(text) == ""


def test_without_history_a_query_is_an_error_in_the_text() -> None:
    assert "there is no history" in expand('a{{ query "up" }}', {}, 1)


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


PIECES = st.sampled_from([
    "{{", "}}", "{{ ", " }}", "{{- ", " -}}", "if ", "else", "end", "range ", "with ", "define ", "template ", "break",
    "$x", "$x := ", "$i, $x := ", "$x = ", "$labels", "$value", ".", ".host", "(", ")", " | ", " ", ",", '"a"', "`b`",
    "1", "-2.5", "1e3", "'c'", "printf ", '"%s%d%v%-9q"', "query ", "first ", "humanize ", "eq ", "and ", "index ",
    "reReplaceAll ", "print ", "tmpl ", "args ", "nil", "true", "/* c */", "é", "\n", "\\",
])  # fmt: skip
ACTIONS = st.lists(PIECES, max_size=8).map(lambda words: "{{ " + " ".join(words) + " }}")
WRITTEN = st.lists(st.one_of(PIECES, ACTIONS), max_size=40).map("".join)


@settings(max_examples=400)
@given(st.one_of(st.text(alphabet='{}$vlabe.| "()-/*` '), st.text(), WRITTEN), st.floats())
def test_no_text_breaks_it(text: str, value: float) -> None:
    expanded = expand(text, LABELS, value, Around(query=around))
    assert isinstance(expanded, str)
    assert len(expanded) < 2 * 65_536
    if why := check(text):
        assert expanded == f"<error expanding template: {why}>"


@pytest.mark.servers
def test_promtool_agrees(tmp_path: Path) -> None:
    """What a query gives comes in no set order there, so there it is sorted by value, which is the order here."""
    promtool = shutil.which("promtool")
    assert promtool, "promtool is not installed: apt-get install prometheus"
    skipped = ("tmpl", "continue", "break", "externalURL")  # newer, or a crash in promtool
    texts = {f"t{at}": text for at, text in enumerate(EXPANDED) if not any(f"{{{{ {word} " in text for word in skipped)}
    expected = {name: EXPANDED[text] for name, text in texts.items()}
    labels = "{" + ",".join(f'{name}="{value}"' for name, value in LABELS.items() if name != "__name__") + "}"
    sorted_there = {name: text.replace('query "other"', 'query "sort(other)"') for name, text in texts.items()}
    rule = {"alert": "A", "expr": "x", "annotations": sorted_there}
    (tmp_path / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "g", "rules": [rule]}]}))
    exp = [{"exp_labels": {n: v for n, v in LABELS.items() if n != "__name__"}, "exp_annotations": expected}]
    test = {
        "interval": "1m", "external_labels": {"region": "eu"}, "external_url": AROUND.external_url,
        "input_series": [{"series": f"x{labels}", "values": f"{VALUE}x1"},
                         {"series": 'other{host="b"}', "values": "2.5x1"},
                         {"series": 'other{host="a"}', "values": "3x1"}],
        "alert_rule_test": [{"eval_time": "1m", "alertname": "A", "exp_alerts": exp}],
    }  # fmt: skip
    (tmp_path / "test.yml").write_text(
        yaml.safe_dump({"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": [test]})
    )
    done = subprocess.run(
        [promtool, "test", "rules", tmp_path / "test.yml"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
