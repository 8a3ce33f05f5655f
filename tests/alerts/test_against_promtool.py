"""Random rule files over random series: every alert, label and text as promtool has it at every minute."""

import random
import shutil
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import create_engine

from alerts.rulefile import load
from alerts.ruletest import file, run
from alerts.ruletest.notation import shown
from history.database import METADATA
from history.embedded import Embedded
from history.model import Vector

MINUTES = 30
TIMES = ["0s", "30s", "1m", "2m", "5m"]
TEXT = '{{ $value }} {{ $labels.h }}{{ with query "sum(r0)" }}{{ . | first | value }}{{ end }}'
LEVEL = "{{ if gt $value 6.0 }}high{{ else }}low{{ end }}"
pytestmark = pytest.mark.servers


def _values(dice: random.Random) -> Iterator[str]:
    for _ in range(dice.randint(2, 8)):
        yield dice.choice([
            f"_x{dice.randint(1, 9)}", "stale", f"{dice.randint(0, 9)}x{dice.randint(0, 5)}",
            f"{dice.randint(0, 9)}+{dice.randint(0, 2)}x{dice.randint(0, 5)}",
        ])  # fmt: skip


def _rules(dice: random.Random, first: int) -> Iterator[dict[str, Any]]:
    for at in range(first, first + 6):
        other = f"r{dice.randint(0, 11)}"
        if dice.random() < 0.35:
            exprs = ["x * 2", "sum(x)", "count by (h) (x > 3)", f"{other} + 1", "max_over_time(r0[4m])"]
            yield {"record": f"r{at}", "expr": dice.choice(exprs)}
            continue
        exprs = ["x > 4", "sum by (h) (x) > 5", "absent(x)", f"{other} > 3", "x < 2 or x > 7", "changes(x[5m]) > 1",
                 "count(ALERTS{alertstate='firing'}) > 1"]  # fmt: skip
        yield {
            "alert": f"A{at}", "expr": dice.choice(exprs), "for": dice.choice(TIMES),
            "keep_firing_for": dice.choice(TIMES), "labels": {"s": dice.choice([LEVEL, "a"])},
            "annotations": {"v": TEXT},
        }  # fmt: skip


@pytest.mark.parametrize("seed", range(12))
def test_random_rules(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    promtool = shutil.which("promtool")
    assert promtool, "promtool is not installed: apt-get install prometheus"
    monkeypatch.setattr(run, "Embedded", partial(Embedded, promql_2x=True))  # as the promtool of Debian
    dice = random.Random(seed)
    groups: list[Any] = [{"name": name, "rules": list(_rules(dice, first))} for name, first in (("one", 0), ("two", 6))]
    (tmp_path / "rules.yml").write_text(yaml.safe_dump({"groups": groups}))
    names = [rule["alert"] for group in groups for rule in group["rules"] if "alert" in rule]
    test: dict[str, Any] = {
        "interval": "1m",
        "input_series": [
            {"series": f'x{{h="{h}",k="{k}"}}', "values": " ".join(_values(dice))} for h in "ab" for k in "12"
        ],
    }
    whole = {"rule_files": ["rules.yml"], "evaluation_interval": "1m", "group_eval_order": ["one", "two"]}
    path = tmp_path / "tests.yml"
    path.write_text(yaml.safe_dump({**whole, "tests": [test]}))
    test["alert_rule_test"], test["promql_expr_test"] = _answers(file.load(path), names)
    path.write_text(yaml.safe_dump({**whole, "tests": [test]}))
    done = subprocess.run([promtool, "test", "rules", path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [str(difference) for difference in run.run(file.load(path))] == []


def _answers(tests: file.File, names: list[str]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What we make of the rules at each minute, as expectations."""
    groups, errors = load(tests.rule_files)
    assert errors == []
    engine = create_engine("sqlite://")
    METADATA.create_all(engine)
    stepping = run.Stepping(tests, tests.tests[0], run.ordered(tests, groups), engine)
    alerts, exprs = [], []
    for minute in range(MINUTES):
        stepping.step(minute * 60.0)
        for name in names:
            firing = [
                {
                    "exp_labels": {key: value for key, value in each.labels.items() if key != "alertname"},
                    "exp_annotations": dict(each.annotations),
                }
                for each in stepping.firing(name)
            ]
            alerts.append({"eval_time": f"{minute}m", "alertname": name, "exp_alerts": firing})
        for expr in ("ALERTS", "ALERTS_FOR_STATE", '{__name__=~"r.*"}'):
            result = stepping.source.query(expr, minute * 60.0)
            assert isinstance(result, Vector)
            samples = [{"labels": shown(point.labels), "value": float(point.value)} for point in result.points]
            exprs.append({"expr": expr, "eval_time": f"{minute}m", "exp_samples": samples})
    engine.dispose()
    return alerts, exprs
