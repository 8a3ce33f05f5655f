"""Drupal: every site in a line, what needs a look first."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from flask import Blueprint, Response

from alerts.model import Alert
from collectors.model import Finding
from dashboard import sites
from dashboard.alert_cards import AlertCard, cards
from dashboard.asked import answer, remembering, view
from dashboard.services import Services
from dashboard.shell import Shell, View, shell
from dashboard.site_grid import Key, concerns, uses
from dashboard.sites import Reading, Sign

LOOKS = ("crit", "warn", "none", "info", "ok")
"""The worst first: what is not known needs a look before what is well."""

blueprint = Blueprint("drupal", __name__)


@dataclass(frozen=True)
class SiteRow:
    name: str
    state: str
    facts: tuple[tuple[str, str], ...]
    signs: tuple[Sign, ...]
    alerts: tuple[AlertCard, ...]
    """Of the site and of what it stands on, that fire."""


@dataclass(frozen=True)
class DrupalPage:
    """What drupal.html may use, and what the page returns as JSON."""

    shell: Shell
    sites: tuple[SiteRow, ...]
    """Those that need a look first."""
    findings: tuple[Finding, ...]
    """Sites that cannot be read, and what allows it."""
    missing: str
    """Why there is no site, and what to do; "" where there is one."""


def build(services: Services, asked: View) -> DrupalPage:
    source, now = services.source, asked.tick(services.interval)
    found = sites.readings(source, now)
    used_by = uses(source, services.watched.targets(), [site.name for site in found], now)
    rows = [_row(site, services.alerting.alerts(), used_by[site.name]) for site in found]
    rows.sort(key=lambda row: (LOOKS.index(row.state), row.name))
    around = shell(services, asked, "Drupal")
    return DrupalPage(
        shell=around,
        sites=tuple(rows),
        findings=tuple(finding for finding in services.watched.findings() if finding.collector == "drupal"),
        missing="" if rows else _missing(services, around),
    )


def _row(site: Reading, alerts: Sequence[Alert], used: Collection[Key]) -> SiteRow:
    signs = sites.signs(site)
    firing = cards((alert for alert in alerts if concerns(alert, site.name, used)), "firing")
    state = min([sites.worst(signs), *(card.look for card in firing)], key=LOOKS.index)
    return SiteRow(site.name, state, sites.facts(site), signs, firing)


def _missing(services: Services, around: Shell) -> str:
    if around.unreachable:
        return around.silent
    if any(status.target.job == "drupal" for status in services.watched.targets()):
        soon = "A site was found; its first values are here within a minute."
        return around.silent if around.freshness == "stale" else soon
    return (
        "No Drupal site is read. Raingauge finds sites by the settings.php of what the web server serves; others are"
        " named in the configuration, under targets: drupal."
    )


@blueprint.get("/drupal")
def drupal() -> Response:
    return answer("drupal.html", build(remembering(), view()))
