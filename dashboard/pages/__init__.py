"""The pages, a file each."""

from flask import Blueprint

from dashboard.pages import alerts, host, overview, targets

PAGES: tuple[Blueprint, ...] = (overview.blueprint, host.blueprint, alerts.blueprint, targets.blueprint)
