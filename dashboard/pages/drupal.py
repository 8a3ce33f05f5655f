"""Drupal: every site in a line, what needs a look first."""

from dataclasses import dataclass

from flask import Blueprint, Response

from collectors.model import Finding
from dashboard import sites
from dashboard.asked import answer, remembering, view
from dashboard.services import Services
from dashboard.shell import Shell, View, shell
from dashboard.sites import Reading, Sign

blueprint = Blueprint("drupal", __name__)


@dataclass(frozen=True)
class SiteRow:
    name: str
    state: str
    facts: tuple[tuple[str, str], ...]
    signs: tuple[Sign, ...]


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
    found = sites.readings(services.source, asked.tick(services.interval))
    rows = sorted((_row(site) for site in found), key=lambda row: (row.state == "ok", row.name))
    around = shell(services, asked, "Drupal")
    return DrupalPage(
        shell=around,
        sites=tuple(rows),
        findings=tuple(finding for finding in services.watched.findings() if finding.collector == "drupal"),
        missing="" if rows else _missing(services, around),
    )


def _row(site: Reading) -> SiteRow:
    signs = sites.signs(site)
    return SiteRow(site.name, sites.worst(signs), sites.facts(site), signs)


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
