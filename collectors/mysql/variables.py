"""SHOW GLOBAL VARIABLES: one metric for each row that is a number or a switch; version, isolation, Galera's cache.

Source: https://mariadb.com/kb/en/server-system-variables/ https://dev.mysql.com/doc/refman/8.4/en/server-system-variables.html
"""

import re
from collections.abc import Iterable

from collectors.model import Gauge, Sample
from collectors.mysql.connection import Session, ask
from collectors.mysql.values import Rows, number, plain

VARIABLE = Gauge("mysql_global_variables_*", "The row * of SHOW GLOBAL VARIABLES.")
VERSION = Gauge(
    "mysql_version_info", "1; the server's version is its labels.", ("version", "version_comment", "innodb_version")
)
ISOLATION = Gauge("mysql_transaction_isolation", "1; the default isolation level is its label.", ("level",))
GALERA = Gauge("mysql_galera_variables_info", "1; the cluster's name is its label.", ("wsrep_cluster_name",))
CACHE = Gauge("mysql_galera_gcache_size_bytes", "Size of Galera's cache of write sets.")
FAMILIES = (VARIABLE, VERSION, ISOLATION, GALERA, CACHE)

CACHE_SIZE = re.compile(r"gcache\.size\s*=\s*(\d+)([KMGT]?)", re.ASCII)
UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


def read(session: Session) -> Rows:
    return ask(session, "SHOW GLOBAL VARIABLES")


def parse(rows: Rows) -> Iterable[Sample]:
    texts = {name.lower(): text for name, text in rows}
    yield VERSION(1, *(texts.get(name, "") for name in VERSION.labels))
    for name, text in texts.items():
        value = number(text)
        if value is not None and name not in VERSION.labels:
            yield VARIABLE.named(plain(name))(value)
    if level := texts.get("transaction_isolation") or texts.get("tx_isolation"):
        yield ISOLATION(1, level)
    if cluster := texts.get("wsrep_cluster_name"):
        yield GALERA(1, cluster)
    if size := CACHE_SIZE.search(texts.get("wsrep_provider_options", "")):
        yield CACHE(float(size[1]) * UNITS[size[2]])
