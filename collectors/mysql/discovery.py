"""Where a server is on this host, the ways into it, and the rights that let us read more."""

import getpass
from collections.abc import Iterable
from pathlib import Path

from collectors.inventory import Inventory, Listener
from collectors.inventory.servers import PROGRAMS, entrance, reachable
from collectors.model import Proposal
from collectors.mysql.config import Mysql

GRANTS = """\
USAGE alone: status, variables, Galera, deadlocks of MariaDB.
PROCESS ON *.*: processlist, innodb, locks, deadlocks, userstat.
REPLICATION CLIENT ON *.*: replica and binlog; MariaDB from 10.5: SLAVE MONITOR for replica, BINLOG MONITOR for binlog.
SELECT ON performance_schema.*: digests, waits, table_waits.
SHOW VIEW ON *.*: tables, and userstat's by table; it shows sizes and counts of every table, and no row of it.
SELECT ON database.table of heartbeat_table: heartbeat.
The right to read the file of slow_log, such as the group adm: slowlog."""
REMEDY = """\
MariaDB: CREATE USER IF NOT EXISTS 'raingauge'@'localhost' IDENTIFIED VIA unix_socket;
         GRANT PROCESS, BINLOG MONITOR, SLAVE MONITOR, SHOW VIEW ON *.* TO 'raingauge'@'localhost';
MySQL:   CREATE USER IF NOT EXISTS 'raingauge'@'localhost' IDENTIFIED WITH auth_socket;
         GRANT PROCESS, REPLICATION CLIENT, SHOW VIEW ON *.* TO 'raingauge'@'localhost';
both:    GRANT SELECT ON performance_schema.* TO 'raingauge'@'localhost';
(Raingauge runs as the user raingauge. No GRANT is needed for status and variables. PROCESS adds processlist, innodb,
locks and userstat, SLAVE MONITOR replica, BINLOG MONITOR binlog, REPLICATION CLIENT both, SHOW VIEW tables, SELECT on
performance_schema digests and waits. MariaDB before 10.5 has REPLICATION CLIENT as MySQL.
With a password: IDENTIFIED BY '...', and in raingauge.yml:
targets: {mysql: [{PLACE, user: raingauge, password_file: /etc/raingauge/mysql}]}
For an account that must use TLS: IDENTIFIED BY '...' REQUIRE SSL, and `tls: {ca: FILE}` beside address and port.)"""


def discover(inventory: Inventory) -> Iterable[Proposal]:
    """Each server once, by its unix socket if we see one; as our own user first, then as raingauge, then by a file."""
    by_server: dict[int, list[Listener]] = {}
    for at in inventory.listeners:
        if at.process in PROGRAMS["mysql"]:
            by_server.setdefault(at.pid, []).append(at)
    for listeners in by_server.values():
        at = entrance("mysql", listeners)
        address = reachable(at.address)
        where: dict[str, str | int] = {"socket": at.path} if at.path else {"address": address, "port": at.port}
        if len(by_server) == 1 and inventory.slow_logs:
            where["slow_log"] = inventory.slow_logs[0]
        remedy = REMEDY.replace("PLACE", f"socket: {at.path}" if at.path else f"address: '{address}', port: {at.port}")
        found = f"{at.process} (pid {at.pid}) listens on {at.path or f'{at.address}:{at.port}'}"
        for user in dict.fromkeys((inventory.environment.get("USER") or getpass.getuser(), "raingauge")):
            yield Proposal(found, Mysql.model_validate({**where, "user": user}), remedy)
        for file in inventory.client_files:
            yield Proposal(found, Mysql.model_validate({**where, "defaults_file": Path(file)}), remedy)
