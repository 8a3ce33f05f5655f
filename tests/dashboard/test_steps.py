"""First steps: what is a command can be copied, what is a sentence cannot."""

import re

import pytest

from dashboard.steps import steps
from tests.dashboard.situations import rules

SHIPPED = [rule.annotations["first_steps"] for group in rules() for rule in group.rules if rule.alert]


def spelt(text: str) -> list[str]:
    """Commands in backticks."""
    return [f"`{piece.text}`" if piece.command else piece.text for step in steps(text) for piece in step.pieces]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Running: systemctl status nginx; ss -ltnp | grep nginx",
         ["Running:", "`systemctl status nginx`", "`ss -ltnp | grep nginx`"]),
        ("Confirm: vmstat 1 5 (column st)", ["Confirm:", "`vmstat 1 5`", "(column st)"]),
        ("Who: SELECT user, COUNT(*) FROM x WHERE a IN (1)", ["Who:", "`SELECT user, COUNT(*) FROM x WHERE a IN (1)`"]),
        ("Quick room: apt-get clean; old dumps and logs.", ["Quick room:", "`apt-get clean`", "old dumps and logs."]),
        ("It may be slow: uptime; the log: journalctl -n 5",
         ["It may be slow:", "`uptime`", "the log:", "`journalctl -n 5`"]),
        ("By hand: curl -H 'a; b' http://x/", ["By hand:", "`curl -H 'a; b' http://x/`"]),
        ("Why: a log; in SQL: SHOW STATUS", ["Why: a log;", "in SQL:", "`SHOW STATUS`"]),
        ("Ask the provider, or move to another host.", ["Ask the provider, or move to another host."]),
        ("Check: php-fpm8.2 -t (with your version)", ["Check:", "`php-fpm8.2 -t`", "(with your version)"]),
    ],
)  # fmt: skip
def test_a_line_is_split_into_words_and_commands(line: str, expected: list[str]) -> None:
    assert spelt(line) == expected


def test_every_line_is_a_step_and_nothing_is_lost() -> None:
    for text in SHIPPED:
        lines = [line for line in text.splitlines() if line.strip()]
        assert len(steps(text)) == len(lines)
        for line, step in zip(lines, steps(text), strict=True):
            kept = "".join(piece.text for piece in step.pieces)
            assert re.sub(r"[ ;]", "", kept) == re.sub(r"[ ;]", "", line)


def test_no_sentence_of_the_shipped_rules_is_taken_for_a_command() -> None:
    commands = [piece.text for text in SHIPPED for step in steps(text) for piece in step.pieces if piece.command]
    assert len(commands) > 40
    assert [command for command in commands if command.endswith(".") or " the " in command] == []
