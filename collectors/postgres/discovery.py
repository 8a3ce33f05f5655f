"""Servers of this host, by the sockets that they listen on."""

import getpass
from collections.abc import Iterable
from string import Template

from collectors.inventory import Inventory, Listener
from collectors.inventory.servers import PROGRAMS, entrance, reachable
from collectors.model import Proposal
from collectors.postgres.config import SOCKET, Postgres

REMEDY = """\
psql -h $host -p $port -d postgres -c 'CREATE ROLE raingauge LOGIN' -c 'GRANT pg_monitor TO raingauge'
(as the server's administrator, such as by sudo -u postgres. $login)
For tables and indexes name the site's database in raingauge.yml: targets: {postgres: [{$place, database: NAME}]}"""
PEER = "Raingauge runs as the system user raingauge, and pg_hba.conf must let it in: `local all all peer`"
OVER_TCP = """\
With -c '\\password raingauge' it gets a password; in pg_hba.conf `host all raingauge $host/32 scram-sha-256`,
and in raingauge.yml beside the place: user: raingauge, password_file: /etc/raingauge/postgres"""


def discover(inventory: Inventory) -> Iterable[Proposal]:
    """Each server once, by its unix socket if we see one; as the role of our own user first, then as raingauge.

    A server's sockets share its port, so that also those are told apart whose process we may not see.
    """
    by_server: dict[tuple[int, int], list[Listener]] = {}
    for at in inventory.listeners:
        ours = SOCKET.fullmatch(at.path)
        port = int(ours["port"]) if ours else at.port
        if at.process in PROGRAMS["postgres"] and 0 < port < 65536:
            by_server.setdefault((at.pid, port), []).append(at)
    for (pid, _), listeners in by_server.items():
        at = entrance("postgres", listeners)
        address = reachable(at.address)
        found = f"{at.process} (pid {pid}) listens on {at.path or f'{at.address}:{at.port}'}"
        for user in dict.fromkeys((inventory.environment.get("USER") or getpass.getuser(), "raingauge")):
            config = (
                Postgres(user=user, socket=at.path) if at.path else Postgres(user=user, address=address, port=at.port)
            )
            yield Proposal(found, config, _remedy(config))


def _remedy(config: Postgres) -> str:
    host, port = config.place
    place = f"socket: {config.socket}" if config.socket else f"address: '{host}', port: {port}"
    text = REMEDY.replace("$login", PEER if config.socket else OVER_TCP)
    return Template(text).substitute(host=host, port=port, place=place)
