import shutil
import subprocess
from pathlib import Path

import pytest

from alerts import templates
from alerts.expression import metrics
from alerts.model import Rule
from alerts.rulefile import load
from alerts.ruletest import file
from alerts.ruletest.run import run

RULES = sorted((Path(__file__).parents[2] / "alerts" / "rules").glob("*.yml"))
TESTS = Path(__file__).parents[1] / "data" / "alerts" / "rules"
SHIPPED, ERRORS = load(RULES)
ALERTING = [rule for group in SHIPPED for rule in group.rules if rule.alert]


@pytest.mark.parametrize("rules", RULES, ids=lambda path: path.stem)
def test_behaviour(rules: Path) -> None:
    assert [str(difference) for difference in run(file.load(TESTS / rules.name))] == []


def test_all_load() -> None:
    assert ERRORS == []
    assert len(ALERTING) >= 24


@pytest.mark.parametrize("rule", ALERTING, ids=lambda rule: rule.alert)
def test_each_says_what_is_wrong_and_what_to_do(rule: Rule) -> None:
    assert rule.labels["severity"] in ("critical", "warning", "info")
    assert set(rule.annotations) == {"summary", "description", "first_steps"}
    for text in rule.annotations.values():
        assert "<error" not in templates.expand(text, {"host": "web1"}, 0.5)
    assert len(templates.expand(rule.annotations["summary"], {"host": "web1", "instance": "web1:80"}, 0.5)) < 120
    assert metrics(rule.expr)


@pytest.mark.parametrize("rule", ALERTING, ids=lambda rule: rule.alert)
def test_each_is_tested(rule: Rule) -> None:
    assert any(f'alertname="{rule.alert}",alertstate="firing"' in path.read_text() for path in TESTS.glob("*.yml"))


@pytest.mark.servers
def test_promtool_agrees() -> None:
    promtool = shutil.which("promtool")
    assert promtool, "promtool is not installed: apt-get install prometheus"
    for command in (["check", "rules", *map(str, RULES)], ["test", "rules", *map(str, TESTS.glob("*.yml"))]):
        done = subprocess.run([promtool, *command], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
