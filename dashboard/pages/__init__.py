"""The pages, a file each."""

from flask import Blueprint

from dashboard.pages import act, alerts, drupal, explore, host, overview, site, slowest, targets, trends

PAGES: tuple[Blueprint, ...] = (
    act.blueprint, overview.blueprint, trends.blueprint, host.blueprint, alerts.blueprint, targets.blueprint,
    drupal.blueprint,
    site.blueprint,
    explore.blueprint,
    slowest.blueprint,
)  # fmt: skip
