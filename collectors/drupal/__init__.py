"""Drupal 7 to 12, from outside of PHP: what a site's settings.php, its files and its database say.

Every answer comes from text and tables; no code of the site runs. Tested versions: tests/data/drupal.
Source: https://www.drupal.org/docs/drupal-apis/database-api https://api.drupal.org/api/drupal/core%21core.api.php/11
"""

from collections.abc import Iterable

from collectors.drupal import (
    cachetags,
    claims,
    content,
    drift,
    facts,
    grants,
    logins,
    queues,
    schema,
    sizes,
    snapshots,
    state,
    update_data,
    updates,
    users,
    visitors,
    watchdog,
)
from collectors.drupal.account import Account, account
from collectors.drupal.config import Drupal
from collectors.drupal.site import connect
from collectors.errors import CollectError
from collectors.inventory import Inventory, Site
from collectors.model import Collector, Follower, Gauge, Part, Proposal

UP = Gauge("drupal_up", "1 when the site's database answered.")
MINUTE, QUARTER, HOUR = 60.0, 900.0, 3600.0

SHUT = """\
setfacl -m u:raingauge:r FILE
Until then requests, PHP and the files of the site are watched, and nothing that its database knows.
Or say where the database is, in raingauge.yml:
targets: {drupal: [{site: NAME, driver: mysql, database: DATABASE, user: raingauge,
                    password_file: /etc/raingauge/drupal}]}"""
ACCOUNT = """\
The site's own account is used, for reading only. An account that sees less:
GRANTS
and in raingauge.yml:
targets: {drupal: [{site: NAME, docroot: DOCROOT, directory: DIRECTORY, user: raingauge,
                    password_file: /etc/raingauge/drupal}]}"""
UNCLEAR = """\
{why}
targets: {{drupal: [{{site: {name}, docroot: {docroot}, directory: {directory},
                    driver: mysql, database: DATABASE, user: raingauge, password_file: /etc/raingauge/drupal}}]}}"""


def discover(inventory: Inventory) -> Iterable[Proposal]:
    """Each Drupal site once, by its settings.php."""
    for site in inventory.sites:
        if site.directory:
            yield _proposal(site)


def _proposal(site: Site) -> Proposal:
    version = f"Drupal {site.version}" if site.version else "Drupal"
    found = f"{version} in {site.docroot} (sites/{site.directory})"
    if site.settings is None:
        remedy = SHUT.replace("FILE", site.file).replace("NAME", site.name)
        return Proposal(f"{found}: {site.file} cannot be read", None, remedy)
    config = Drupal(site=site.name, docroot=site.docroot, directory=site.directory, environment_file=site.pool or None)
    return Proposal(found, config, _remedy(site, config))


def _remedy(site: Site, config: Drupal) -> str:
    assert site.settings is not None
    try:
        where = account(config, site.settings)
    except CollectError as error:
        return UNCLEAR.format(why=error, name=site.name, docroot=site.docroot, directory=site.directory)
    if where.driver == "sqlite":
        return f"setfacl -m u:raingauge:r {where.database}     # and x for every folder on the way to it"
    names = {"NAME": site.name, "DOCROOT": site.docroot, "DIRECTORY": site.directory, "GRANTS": _grants(where, site)}
    text = ACCOUNT
    for word, instead in names.items():
        text = text.replace(word, instead)
    return text


def _grants(where: Account, site: Site) -> str:
    return grants.statements(where, site.version.startswith("7."))


COLLECTOR = Collector(
    "drupal",
    "drupal",
    Drupal,
    parts=(
        Part("state", state.FAMILIES, state.read, state.parse, interval=MINUTE),
        Part("queues", queues.FAMILIES, queues.read, queues.parse, interval=MINUTE),
        Part("flood", visitors.FLOOD_FAMILIES, visitors.read_flood, visitors.parse_flood, interval=MINUTE),
        Part("active", visitors.ACTIVE_FAMILIES, visitors.read_active, visitors.parse_active, interval=MINUTE),
        Part("facts", facts.FAMILIES, facts.read, facts.parse, interval=QUARTER),
        Part("users", users.FAMILIES, users.read, users.parse, interval=QUARTER),
        Part("sessions", visitors.SESSION_FAMILIES, visitors.read_sessions, visitors.parse_sessions, interval=QUARTER),
        Part("sizes", sizes.FAMILIES, sizes.read, sizes.parse, interval=QUARTER),
        Part("updates", updates.FAMILIES, update_data.read, updates.parse, interval=QUARTER),
        Part("drift", drift.FAMILIES, drift.read, drift.parse, interval=QUARTER),
        Part("schema", schema.FAMILIES, schema.read, schema.parse, interval=HOUR),
        Part("content", content.FAMILIES, content.read, content.parse, interval=HOUR),
    ),
    followers=(
        Follower("watchdog", watchdog.FAMILIES, watchdog.read, watchdog.step, watchdog.samples, interval=MINUTE),
        Follower("logins", logins.FAMILIES, logins.read, logins.step, logins.samples, interval=MINUTE),
        Follower("claims", claims.FAMILIES, claims.read, claims.step, claims.samples, interval=MINUTE),
        Follower("cachetags", cachetags.FAMILIES, cachetags.read, cachetags.step, cachetags.samples, interval=MINUTE),
        Follower("changes", (), snapshots.read, snapshots.step, snapshots.samples, interval=MINUTE),
    ),
    instance=lambda config, _host: config.site,
    discover=discover,
    up=lambda _config, value: UP(value),
    connect=connect,
    grants="The right to read settings.php, best with an account that sees few columns: discovery prints its GRANTs.",
)
