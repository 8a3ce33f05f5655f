from pathlib import Path

import pytest

from alerts.model import Group, Rule
from alerts.rulefile import RuleFileError, load, parse

WHOLE = """\
groups:
  - name: web
    interval: 30s
    query_offset: 1m30s
    limit: 5
    labels: {team: ops, severity: info}
    rules:
      - record: job:errors:rate5m
        expr: sum by (job) (rate(errors[5m]))
        labels: {a: b}
      - alert: Broken
        expr: up == 0
        for: 1h5m
        keep_firing_for: 500ms
        labels: {severity: critical}
        annotations: {summary: "{{ $value }}"}
  - name: bare
    rules:
"""
RULES = "groups:\n- name: a\n  rules:\n"
BAD = {
    "unknown key": ("groups:\n- name: a\n  colour: red\n", 3, "colour", "an unknown key"),
    "unknown key of a rule": (RULES + "  - alert: B\n    expr: up\n    fo: 1m\n", 6, "fo", "an unknown key"),
    "unknown key at the top": ("rules: []\n", 1, "rules", "an unknown key"),
    "duration": ("groups:\n- name: a\n  interval: 10 s\n", 3, "interval", "'10 s'"),
    "number as duration": ("groups:\n- name: a\n  interval: 10\n", 3, "interval", "'10'"),
    "empty duration": ("groups:\n- name: a\n  interval: ''\n", 3, "interval", "''"),
    "for": (RULES + "  - alert: B\n    expr: up\n    for: 1.5m\n", 6, "for", "'1.5m'"),
    "expression": (RULES + "  - alert: B\n    expr: rate(up[5m]\n", 5, "expr", "unclosed left parenthesis"),
    "expression of no type": (RULES + "  - alert: B\n    expr: rate(up)\n", 5, "expr", "rate(up)"),
    "no expression": (RULES + "  - alert: B\n", 4, "expr", "no expression"),
    "both": (RULES + "  - alert: B\n    record: c\n    expr: up\n", 4, "rules", "both"),
    "neither": (RULES + "  - expr: up\n", 4, "rules", "neither"),
    "for in a recording": (RULES + "  - record: c\n    expr: up\n    for: 1m\n", 4, "for", "recording"),
    "record": (RULES + "  - record: c d\n    expr: up\n", 4, "record", "'c d'"),
    "label": ("groups:\n- name: a\n  labels:\n    a-b: c\n", 4, "labels", "'a-b'"),
    "limit": ("groups:\n- name: a\n  limit: many\n", 3, "limit", "'many'"),
    "no name": ("groups:\n- interval: 1m\n", 2, "name", "no name"),
    "two groups": ("groups:\n- name: a\n- name: a\n", 3, "name", "group 'a' a second time"),
    "two keys": ("groups:\n- name: a\n  name: b\n", 3, "name", "a second time"),
    "groups are no list": ("groups:\n  name: a\n", 2, "groups", "a mapping"),
    "a list of text": ("groups:\n- a\n", 2, "groups", "'a'"),
    "no mapping": ("- a\n", 1, "file", "a list"),
    "no YAML": ("groups:\n  - name: [a\n", 3, "file", "expected ',' or ']'"),
    "tab": ("groups:\n\t- name: a\n", 2, "file", "cannot start any token"),
}  # fmt: skip


def test_everything_a_file_may_say() -> None:
    rules = (
        Rule("sum by (job) (rate(errors[5m]))", record="job:errors:rate5m",
             labels={"team": "ops", "severity": "info", "a": "b"}),
        Rule("up == 0", alert="Broken", hold=3900, keep_firing_for=0.5,
             labels={"team": "ops", "severity": "critical"}, annotations={"summary": "{{ $value }}"}),
    )  # fmt: skip
    labels = {"team": "ops", "severity": "info"}
    assert parse(WHOLE, "a.yml", default_interval=15) == [
        Group("web", "a.yml", 30, rules, limit=5, query_offset=90, labels=labels),
        Group("bare", "a.yml", 15, ()),
    ]


@pytest.mark.a3("Rules", "An unknown key or a wrong value of a rule file is refused with file and line.")
@pytest.mark.parametrize(("text", "line", "key", "found"), BAD.values(), ids=BAD.keys())
def test_what_is_wrong_is_said_with_its_place(text: str, line: int, key: str, found: str) -> None:
    with pytest.raises(RuleFileError) as caught:
        parse(text, "bad.yml")
    error = caught.value
    assert (error.file, error.line, error.key) == ("bad.yml", line, key)
    assert found in error.found + error.expected
    assert str(error) == f"bad.yml:{line}: {key}: expected {error.expected}, found {error.found}"


@pytest.mark.parametrize("text", ["", "# nothing\n", "groups:\n", "groups: []\n"])
def test_an_empty_file_has_no_groups(text: str) -> None:
    assert parse(text, "a.yml") == []


@pytest.mark.a3("Rules", "A bad file never replaces the good running set.")
def test_a_bad_file_never_replaces_the_good_running_set(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.yml", tmp_path / "bad.yml"
    for path in (good, bad):
        path.write_text(WHOLE)
    running, errors = load([good, bad])
    assert errors == []
    good.write_text("groups: [{name: new}]")
    bad.write_text("groups: [{nam: new}]")
    groups, errors = load([good, bad, tmp_path / "gone.yml"], running)
    assert [(Path(group.file).name, group.name) for group in groups] == [
        ("good.yml", "new"), ("bad.yml", "web"), ("bad.yml", "bare"),
    ]  # fmt: skip
    assert [(Path(error.file).name, error.key) for error in errors] == [("bad.yml", "nam"), ("gone.yml", "file")]


def test_the_same_group_of_two_files_of_one_name_is_refused(tmp_path: Path) -> None:
    paths = [tmp_path / folder / "a.yml" for folder in ("x", "y")]
    for path in paths:
        path.parent.mkdir()
        path.write_text("groups: [{name: a}]")
    groups, errors = load(paths)
    assert [group.file for group in groups] == [str(paths[0])]
    assert "again" in errors[0].found
