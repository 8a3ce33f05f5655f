"""The pages, a file each."""

from flask import Blueprint

from dashboard.pages import alerts, drupal, explore, host, overview, site, slowest, targets, trends

PAGES: tuple[Blueprint, ...] = (
    overview.blueprint, trends.blueprint, host.blueprint, alerts.blueprint, targets.blueprint,
    drupal.blueprint,
    site.blueprint,
    explore.blueprint,
    slowest.blueprint,
)  # fmt: skip
