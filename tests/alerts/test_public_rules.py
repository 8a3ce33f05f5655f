"""The public rule files, where they are: each loads, evaluates over exporters' own answers, and its texts expand."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine, create_engine

from alerts.evaluator import Evaluator
from alerts.model import Rule
from alerts.rulefile import load
from alerts.ruletest.memory import Memory
from alerts.templates import expand
from history.database import METADATA
from history.embedded import Embedded

SHARED = Path(__file__).parents[3] / "shared"
FILES = sorted((SHARED / "compat" / "dashboards").glob("*/*.y*ml"))
VALUE = 1234.5678
pytestmark = pytest.mark.skipif(not FILES, reason="the public rule files are not here")


@pytest.fixture(scope="module")
def peers() -> Memory:
    """Two reads of every exporter, half a minute apart."""
    memory = Memory()
    for path in sorted((SHARED / "peers").glob("*_exporter*.prom")):
        for family in text_string_to_metric_families(path.read_text()):
            for sample in family.samples:
                labels = {**sample.labels, "__name__": sample.name, "instance": path.stem, "job": "peer"}
                memory.add(labels, {0: sample.value, 30_000: sample.value * 2})
    return memory


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = create_engine("sqlite://")
    METADATA.create_all(engine)
    yield engine
    engine.dispose()


def alerting() -> list[Rule]:
    groups, _ = load(FILES)
    return [rule for group in groups for rule in group.rules if rule.alert]


@pytest.mark.parametrize("file", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_each_file_loads_and_evaluates(file: Path, peers: Memory, engine: Engine) -> None:
    groups, errors = load([file])
    assert errors == []
    assert groups
    evaluator = Evaluator(Embedded(peers), engine, groups, clock=lambda: 0.0)
    for now in (30.0, 60.0):
        evaluator.evaluate(now)
    assert [health.last_error for health in evaluator.health() if health.last_error] == []
    assert "<error" not in str([(alert.labels, alert.annotations) for alert in evaluator.alerts()])


@pytest.mark.servers
def test_every_text_expands_as_promtool_has_it(tmp_path: Path) -> None:
    rules = alerting()
    texts = [text for rule in rules for text in (*rule.annotations.values(), *rule.labels.values())]
    names = set(re.findall(r"\$labels\.(\w+)", str(texts))) - {"alertname"}
    labels = {name: f"some {name}" for name in sorted(names)}
    wanted = {f"t{at}": expand(text, {**labels, "__name__": "x"}, VALUE) for at, text in enumerate(texts)}
    assert len(wanted) > 300
    assert [text for text in wanted.values() if "<error" in text] == []
    annotations = {f"t{at}": text for at, text in enumerate(texts)}
    rule = {"alert": "A", "expr": "x", "annotations": annotations}
    (tmp_path / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "g", "rules": [rule]}]}))
    pairs = ",".join(f'{name}="{value}"' for name, value in labels.items())
    test = {
        "interval": "1m", "input_series": [{"series": f"x{{{pairs}}}", "values": f"{VALUE}x1"}],
        "alert_rule_test": [{
            "eval_time": "1m", "alertname": "A", "exp_alerts": [{"exp_labels": labels, "exp_annotations": wanted}],
        }],
    }  # fmt: skip
    whole = {"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": [test]}
    (tmp_path / "test.yml").write_text(yaml.safe_dump(whole))
    done = subprocess.run(
        ["promtool", "test", "rules", tmp_path / "test.yml"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
