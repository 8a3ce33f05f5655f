"""The rules that come with Raingauge, from their files."""

from importlib import resources
from pathlib import Path

from alerts import rulefile
from alerts.model import Group, Rule
from docs.markdown import code, duration

LEAD = """\
Prometheus loads the files in `alerts/rules` unchanged. Severity: `critical` wakes someone, users suffer; `warning` can
wait for working hours; `info` is context. `class` says what kind of trouble it is, `layer` where. Each rule also has
first steps, which notifications and pages show, an `action`, which is the first of their commands, and a page to read
offline: `raingauge runbook DiskFull`. Those that see the end of something coming name the day.

"""
FOLDER = Path(str(resources.files("alerts.rules")))


def groups() -> list[Group]:
    found, errors = rulefile.load(sorted(FOLDER.glob("*.yml")))
    assert not errors, errors
    return found


def rules() -> str:
    return LEAD + "\n".join(_rule(rule, group) for group in groups() for rule in group.rules)


def _rule(rule: Rule, group: Group) -> str:
    times = [f"for {duration(rule.hold)}"] if rule.hold else ["at once"]
    times += [f"kept for {duration(rule.keep_firing_for)} after"] if rule.keep_firing_for else []
    times += [f"no data: {rule.no_data}"] if rule.no_data != "keep" else []
    times += [f"at least {rule.min_valid:.0%} of its samples"] if rule.min_valid else []
    times += [f"explained by {', '.join(rule.depends_on)}"] if rule.depends_on else []
    ends = f"\nOver only when:\n\n```promql\n{rule.resolve_expr.strip()}\n```\n" if rule.resolve_expr else ""
    kind = [rule.labels[name] for name in ("severity", "class", "layer") if name in rule.labels]
    return (
        f"### {rule.alert or rule.record}\n\n"
        f"{', '.join([*(kind or ['recorded']), *times])} ({Path(group.file).name}). "
        f"{rule.annotations.get('description', '')}\n\n"
        f"{code(rule.annotations.get('summary', ''))}\n\n```promql\n{rule.expr.strip()}\n```\n{ends}"
    )
