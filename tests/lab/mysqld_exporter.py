"""Debian's prometheus-mysqld-exporter beside a MariaDB, with every collector switched on that we have a part for."""

import urllib.request
from collections.abc import Sequence
from pathlib import Path

from tests.lab.ports import free_port
from tests.lab.servers import MariaDb, Server, binary

COLLECTORS = (
    "global_status", "global_variables", "slave_status", "slave_hosts", "binlog_size", "heartbeat",
    "info_schema.processlist", "info_schema.innodb_metrics", "info_schema.innodb_cmp", "info_schema.innodb_cmpmem",
    "info_schema.tables", "info_schema.userstats", "info_schema.clientstats", "info_schema.tablestats",
    "info_schema.schemastats", "info_schema.query_response_time", "auto_increment.columns", "engine_innodb_status",
    "perf_schema.eventsstatements", "perf_schema.eventswaits", "perf_schema.file_events", "perf_schema.indexiowaits",
    "perf_schema.tableiowaits", "perf_schema.tablelocks", "perf_schema.memory_events",
)  # fmt: skip


class MysqldExporter(Server):
    """`collectors`: beside those that are on without being asked for."""

    def __init__(self, directory: Path, server: MariaDb, collectors: Sequence[str] = COLLECTORS) -> None:
        super().__init__(directory)
        self.collectors = collectors
        self.port = free_port()
        self.address = ("127.0.0.1", self.port)
        self.environment = {"DATA_SOURCE_NAME": f"{server.user}@unix({server.socket})/"}

    def command(self) -> Sequence[str]:
        chosen = (f"--collect.{name}" for name in self.collectors)
        listen = f"--web.listen-address=127.0.0.1:{self.port}"
        return [binary("prometheus-mysqld-exporter"), listen, "--config.my-cnf=/dev/null", *chosen]

    def page(self) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=60) as answer:
            text: bytes = answer.read()
        return text.decode()
