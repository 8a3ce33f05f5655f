import os
from pathlib import Path

import pytest

from tests.history.promqltest import Case, run

OWN = sorted((Path(__file__).parent / "cases").glob("*.test"))
UPSTREAM = os.environ.get("RAINGAUGE_PROMQLTEST", "")

GAPS = Path(__file__).with_name("known_gaps.txt")


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.stem)
def test_own_cases(path: Path) -> None:
    found = list(run(path))
    assert len(found) > 10
    assert [describe(case, wrong) for case, wrong in found if wrong or case.skip] == []


def gaps() -> dict[str, str]:
    """File and line of each case of Prometheus' own that is answered otherwise -> why."""
    lines = [line for line in GAPS.read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.split(" ", 1) for line in lines)


def test_few_gaps_are_left() -> None:
    assert len(gaps()) <= 40
    assert all(gaps().values())


@pytest.mark.skipif(not UPSTREAM, reason="RAINGAUGE_PROMQLTEST names no folder with Prometheus' own cases")
def test_upstream_cases() -> None:
    failed: dict[str, str] = {}
    passed = 0
    for path in sorted(Path(UPSTREAM).glob("*.test")):
        for case, wrong in run(path):
            if wrong and not case.skip:
                failed[f"{path.name}:{case.line}"] = describe(case, wrong)
            passed += not wrong and not case.skip
    assert passed >= 1100
    known = gaps()
    assert {place: wrong for place, wrong in failed.items() if place not in known} == {}
    assert sorted(known.keys() - failed.keys()) == [], "these are gaps no more: take them out of the list"


def describe(case: Case, wrong: str) -> str:
    return f"line {case.line}: {case.query}: {wrong or case.skip}"
