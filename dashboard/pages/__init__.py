"""The pages, a file each."""

from flask import Blueprint

from dashboard.pages import (
    act,
    alerts,
    appearance,
    drupal,
    explore,
    host,
    keys,
    overview,
    people,
    runbook,
    security,
    settings,
    site,
    slo,
    slowest,
    targets,
    trail,
    trends,
)

PAGES: tuple[Blueprint, ...] = (
    act.blueprint, overview.blueprint, trends.blueprint, host.blueprint, alerts.blueprint, targets.blueprint,
    drupal.blueprint,
    site.blueprint,
    explore.blueprint,
    runbook.blueprint,
    security.blueprint,
    slo.blueprint,
    slowest.blueprint,
    appearance.blueprint,
    settings.blueprint,
    people.blueprint,
    keys.blueprint,
    trail.blueprint,
)  # fmt: skip
