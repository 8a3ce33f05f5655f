"""The pages, a file each."""

from flask import Blueprint

from dashboard.pages import (
    act,
    alerts,
    board,
    boards,
    checks,
    drupal,
    explore,
    host,
    incident,
    incidents,
    overview,
    runbook,
    security,
    site,
    slo,
    slowest,
    targets,
    trends,
)

PAGES: tuple[Blueprint, ...] = (
    act.blueprint, overview.blueprint, trends.blueprint, host.blueprint, alerts.blueprint, targets.blueprint,
    drupal.blueprint,
    incident.blueprint,
    incidents.blueprint,
    board.blueprint,
    boards.blueprint,
    checks.blueprint,
    site.blueprint,
    explore.blueprint,
    runbook.blueprint,
    security.blueprint,
    slo.blueprint,
    slowest.blueprint,
)  # fmt: skip
