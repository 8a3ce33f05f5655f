"""Charts of objectives: their series are recorded by rules and belong to no target."""

from dashboard.charts.model import Chart, Curve, Limit

BUDGET_LEFT = Chart(
    "budget-left", "Error budget", "left of 30 days", "ratio", "", "",
    (Curve("{slo}", "max by (slo) (slo_budget_left_ratio)"),),
)  # fmt: skip
BURN_RATE = Chart(
    "burn-rate", "Burn rate", "of the hour before; 1 uses a month's budget in a month", "count", "", "",
    (Curve("{slo}", 'max by (slo) (slo_burn_rate{window="1h"})'),),
    limits=(Limit("as allowed", "vector(1)"),),
)  # fmt: skip
GOOD = Chart(
    "errors", "Bad requests", "share of the hour before", "ratio", "", "",
    (Curve("{slo}", 'max by (slo) (slo_error_ratio{window="1h"})'),),
)  # fmt: skip
