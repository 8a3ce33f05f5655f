import shutil
import subprocess
from pathlib import Path
from textwrap import dedent

import pytest

from alerts.rulefile import RuleFileError
from alerts.ruletest import file
from alerts.ruletest.notation import STALE, NotSeries, series, shown, values
from alerts.ruletest.run import run, span

RULES = """\
groups:
- name: second
  rules:
  - alert: Many
    expr: doubled > 5
    labels: {severity: page, dc: '{{ $externalLabels.dc }}'}
    annotations:
      summary: '{{ $labels.host }} has {{ $value }} at {{ $externalURL }}'
      raingauge_no_data: ok
- name: first
  interval: 10m
  rules:
  - {record: doubled, expr: x * 2}
  - {alert: Held, expr: x > 1, for: 2m, keep_firing_for: 2m}
  - {alert: Gone, expr: absent(x)}
"""
TESTS = """\
rule_files: ['rules*.yml']
evaluation_interval: 1m
group_eval_order: [first, second]
tests:
- name: the first
  interval: 1m
  external_labels: {dc: one}
  external_url: http://rain.example.org
  input_series:
  - {series: 'x{host="a"}', values: '0+1x4 _x2 stale'}
  - {series: 'x{host="b"}', values: '1 -2x2'}
  alert_rule_test:
  - {eval_time: 2m, alertname: Many}
  - eval_time: 3m
    alertname: Many
    exp_alerts:
    - exp_labels: {severity: page, host: a, dc: one}
      exp_annotations: {summary: a has 6 at http://rain.example.org, raingauge_no_data: ok}
  - {eval_time: 1m, alertname: Held}
  - eval_time: 4m30s
    alertname: Held
    exp_alerts: [exp_labels: {host: a}]
  - {eval_time: 8m, alertname: Held, exp_alerts: [exp_labels: {host: a}]}
  - {eval_time: 9m, alertname: Held, exp_alerts: []}
  - {eval_time: 6m, alertname: Gone}
  - {eval_time: 9m, alertname: Gone, exp_alerts: [{}]}
  promql_expr_test:
  - expr: doubled
    eval_time: 4m
    exp_samples:
    - {labels: 'doubled{host="a"}', value: 8}
    - {labels: 'doubled{host="b"}', value: -4}
  - expr: x
    eval_time: 6m
    exp_samples:
    - {labels: 'x{host="a"}', value: 4}
    - {labels: 'x{host="b"}', value: -2}
  - expr: count(x)
    eval_time: 9m
    exp_samples: []
  - expr: scalar(x{host="a"}) / 3
    eval_time: 1m
    exp_samples: [{labels: '{}', value: 0.3333333333333333}]
- input_series: []
  promql_expr_test:
  - {expr: time(), eval_time: 90s, exp_samples: [{value: 90}]}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rules.yml").write_text(RULES)
    (tmp_path / "tests.yml").write_text(TESTS)
    return tmp_path


def differences(path: Path) -> list[str]:
    return [str(difference) for difference in run(file.load(path))]


def promtool(path: Path) -> tuple[int, str]:
    found = shutil.which("promtool")
    assert found, "promtool is not installed: apt-get install prometheus"
    done = subprocess.run([found, "test", "rules", path], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_all_that_a_file_may_say(folder: Path) -> None:
    assert differences(folder / "tests.yml") == []


@pytest.mark.servers
def test_promtool_agrees(folder: Path) -> None:
    assert promtool(folder / "tests.yml") == (0, f"Unit Testing:  {folder / 'tests.yml'}\n  SUCCESS\n\n")


def test_a_difference_says_what_was_expected_and_found(folder: Path) -> None:
    path = folder / "tests.yml"
    path.write_text(TESTS.replace("a has 6 at", "a has 7 at").replace("value: 8}", "value: 8.5}"))
    alerts, samples = differences(path)
    assert alerts == dedent("""\
            name: the first,
            alertname: Many, time: 3m,
                exp: [
                    0:
                      Labels:{alertname="Many", dc="one", host="a", severity="page"}
                      Annotations:{summary="a has 7 at http://rain.example.org"}
                ]
                got: [
                    0:
                      Labels:{alertname="Many", dc="one", host="a", severity="page"}
                      Annotations:{summary="a has 6 at http://rain.example.org"}
                ]""").replace("\n", "\n    ").join(("    ", ""))  # fmt: skip
    assert samples == (
        '    name: the first,\n    expr: "doubled", time: 4m,\n'
        '        exp: doubled{host="a"} 8.5E+00, doubled{host="b"} -4E+00\n'
        '        got: doubled{host="a"} 8E+00, doubled{host="b"} -4E+00'
    )


def test_values_are_exact_unless_said_otherwise(folder: Path) -> None:
    path = folder / "tests.yml"
    near = TESTS.replace("0.3333333333333333", "0.3333333333")
    path.write_text(near)
    assert len(differences(path)) == 1
    path.write_text(f"fuzzy_compare: true\n{near}")
    assert differences(path) == []


@pytest.mark.parametrize("start", ["2026-01-31T00:00:00Z", "1769817600"])
def test_a_start_of_ones_own(folder: Path, start: str) -> None:
    path = folder / "tests.yml"
    path.write_text(
        "rule_files: [rules.yml]\ntests:\n- interval: 1m\n  start_timestamp: " + start + "\n"
        "  input_series: [{series: x, values: '1x9'}]\n  promql_expr_test:\n"
        "  - {expr: time() + x, eval_time: 90s, exp_samples: [{labels: '{}', value: 1769817691}]}\n"
    )
    assert differences(path) == []


def test_a_rule_that_fails_is_a_difference_once(folder: Path) -> None:
    (folder / "rules.yml").write_text("groups: [{name: a, rules: [{record: y, expr: x > on () x}]}]")
    path = folder / "tests.yml"
    path.write_text(
        "rule_files: [rules.yml]\ntests:\n- input_series:\n  - {series: 'x{host=\"a\"}', values: 1x5}\n"
        "  - {series: 'x{host=\"b\"}', values: 1x5}\n"
        "  promql_expr_test: [{expr: '1', eval_time: 5m, exp_samples: [{value: 1}]}]\n"
    )
    (difference,) = differences(path)
    assert difference.startswith("    rule: y, time: 0s,\n        exp: no error\n        got: ")


@pytest.mark.parametrize(("old", "new", "line", "key", "found"), [
    ("interval: 1m\n  external", "intervall: 1m\n  external", 6, "intervall", "an unknown key"),
    ("'0+1x4 _x2 stale'", "'1 2 oops'", 10, "values", "not a run of values: 'oops'"),
    ("'0+1x4 _x2 stale'", "'{{schema:1 sum:1}}'", 10, "values", "native histograms are not supported"),
    ("'0+1x4 _x2 stale'", "'1x999999999'", 10, "values", "more than 100,000 values"),
    ("'x{host=\"a\"}'", "'x{host=}'", 10, "series", "not labels"),
    ("expr: count(x)", "expr: count(x", 38, "expr", "unclosed"),
    ("value: 8}", "value: many}", 31, "value", "'many'"),
    ("value: 8}", "histogram: '{{}}'}", 31, "histogram", "a native histogram"),
    ("evaluation_interval: 1m", "evaluation_interval: 1ms", 1, "evaluation_interval", "540,000 evaluations"),
    ("eval_time: 2m,", "eval_time: 2 m,", 13, "eval_time", "'2 m'"),
    ("alertname: Many}", "alertnam: Many}", 13, "alertnam", "an unknown key"),
    ("[first, second]", "[first, first]", 1, "group_eval_order", "a second time"),
    ("'rules*.yml'", "none.yml", 0, "file", "No such file"),
])  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(
    folder: Path, old: str, new: str, line: int, key: str, found: str
) -> None:
    assert old in TESTS
    path = folder / "tests.yml"
    path.write_text(TESTS.replace(old, new, 1))
    with pytest.raises(RuleFileError) as caught:
        differences(path)
    assert found in caught.value.found
    assert (caught.value.line, caught.value.key) == (line, key)


@pytest.mark.parametrize(("text", "expected"), [
    ("1 2 3", [1, 2, 3]), ("1+2x3", [1, 3, 5, 7]), ("10-5x2", [10, 5, 0]), ("1x2", [1, 1, 1]), ("-1-1x1", [-1, -2]),
    ("_ _x2 1", [None, None, None, 1]), ("1 stale", [1, STALE]), ("", []), ("0x3", [0, 0, 0, 0]),
    ("1e3 .5 Inf", [1000, 0.5, float("inf")]),
])  # fmt: skip
def test_values(text: str, expected: list[object]) -> None:
    assert values(text) == expected


@pytest.mark.parametrize(("text", "labels"), [
    ("up", {"__name__": "up"}), ('up{a="b", c="d",}', {"__name__": "up", "a": "b", "c": "d"}), ('{a="b"}', {"a": "b"}),
    ('{"with.dots", a="b\\"c,}"}', {"__name__": "with.dots", "a": 'b"c,}'}), ('x{a=""}', {"__name__": "x"}),
])  # fmt: skip
def test_series(text: str, labels: dict[str, str]) -> None:
    assert series(text) == (labels, "")


@pytest.mark.parametrize("text", ["", "{a}", "x{a=b}", 'x{a="b" c="d"}', "1x", 'x{"a", "b"}'])
def test_what_is_no_series(text: str) -> None:
    with pytest.raises(NotSeries):
        series(text)


def test_words() -> None:
    assert shown({"__name__": "up", "b": 'x"y', "a": "1"}) == 'up{a="1", b="x\\"y"}'
    assert (shown({}), shown({"__name__": "up"})) == ("{}", "up")
    assert [span(each) for each in (0, 0.5, 90, 3600, 90061)] == ["0s", "500ms", "1m30s", "1h", "1d1h1m1s"]
