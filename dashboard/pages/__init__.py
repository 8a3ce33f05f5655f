"""The pages, a file each."""

from flask import Blueprint

from dashboard.pages import alerts, explore, host, overview, slowest, targets, trends

PAGES: tuple[Blueprint, ...] = (
    overview.blueprint, trends.blueprint, host.blueprint, alerts.blueprint, targets.blueprint,
    explore.blueprint,
    slowest.blueprint,
)  # fmt: skip
