"""Error budgets from recorded series: what is left, how fast it goes, and what is not known."""

import math
from pathlib import Path

import pytest

from alerts.recording import RULES_TARGET, sample
from collectors.model import Sample
from dashboard.budgets import Budget, budgets
from dashboard.units import GAP
from tests.dashboard.world import NOW, World


def recorded(name: str, *, left: float, hour: float, six: float, days: float = math.nan) -> list[Sample]:
    labels = {"slo": name, "site": "shop.example"}
    found = [
        sample("slo_objective_ratio", labels, 0.995),
        sample("slo_budget_left_ratio", {**labels, "window": "30d"}, left),
        sample("slo_requests", {**labels, "window": "30d"}, 1_200_000),
        sample("slo_burn_rate", {**labels, "window": "1h"}, hour),
        sample("slo_burn_rate", {**labels, "window": "6h"}, six),
    ]
    return [*found, sample("slo_days_to_empty", labels, days)] if math.isfinite(days) else found


def told(folder: Path, *series: list[Sample]) -> list[Budget]:
    world = World(folder)
    world.store.append(RULES_TARGET, NOW - 10, [each for some in series for each in some])
    return list(budgets(world.services.source, NOW))


def test_the_one_that_ends_first_is_first(tmp_path: Path) -> None:
    found = told(
        tmp_path,
        recorded("calm", left=0.82, hour=0.2, six=0.3),
        recorded("slow", left=0.31, hour=1.2, six=2.5, days=3.7),
        recorded("gone", left=-0.4, hour=0, six=0),
    )
    assert [(each.name, each.state, each.empty) for each in found] == [
        ("gone", "crit", "used up"), ("slow", "warn", "in 3 d 16 h"), ("calm", "ok", "not at this rate"),
    ]  # fmt: skip
    assert [each.left_text for each in found] == [f"{share}{GAP}%" for share in (0, 31, 82)]
    assert found[1].burns == (("1h", "1.2×"), ("6h", "2.5×"), ("3d", "–"))


@pytest.mark.parametrize(("hour", "six", "state"), [(20, 20, "crit"), (20, 0.5, "ok"), (0.1, 7, "warn")])
def test_fast_burning_needs_both_windows(tmp_path: Path, hour: float, six: float, state: str) -> None:
    (found,) = told(tmp_path, recorded("shop", left=0.6, hour=hour, six=six))
    assert found.state == state


def test_without_requests_nothing_is_known(tmp_path: Path) -> None:
    labels = {"slo": "new", "site": "shop.example"}
    (found,) = told(tmp_path, [sample("slo_objective_ratio", labels, 0.999)])
    assert (found.state, found.left, found.left_text, found.empty) == ("none", None, "–", "not known")
