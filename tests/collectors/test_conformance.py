"""What every collector promises, checked for each that is registered."""

import importlib
import re

import pytest
from pydantic import ValidationError

from collectors import registry
from collectors.config import Secret
from collectors.inventory import Inventory
from collectors.model import Collector, Family
from tests.collectors.captures import captures
from tests.collectors.official import OFFICIAL

COLLECTORS = registry.collectors()
OWN = ("drupal_", "web_", "php_", "sql_", "host_", "solr_", "mail_", "heartbeat_", "security_", "slo_", "raingauge_")
"""architecture: own families have one of these prefixes and no other."""
NOT_CAPTURED = {
    "node_network_speed_bytes": "virtual network cards have no speed",
    "node_pressure_irq_stalled_seconds_total": "the kernel counts it only with CONFIG_IRQ_TIME_ACCOUNTING",
    "mysql_info_schema_user_statistics_rows_fetched_total": "a column of Percona Server",
    "mysql_info_schema_user_statistics_table_rows_read_total": "a column of Percona Server",
    "mysql_info_schema_client_statistics_rows_fetched_total": "a column of Percona Server",
    "mysql_info_schema_client_statistics_table_rows_read_total": "a column of Percona Server",
    "redis_rdb_current_bgsave_duration_sec": "only while a save runs",
    "redis_aof_current_rewrite_duration_sec": "only while a rewrite runs",
    "redis_aof_rewrite_buffer_length": "gone in Redis 7, and before only with an append-only file",
    "redis_expired_subkeys_total": "since Redis 7.4",
    "security_intrusions_total": "made of the host's own events, which are no capture",
    "redis_second_repl_offset": "only of a replica that became the primary",
} | {
    f"mysql_info_schema_{kind}_query_response_time_seconds_{end}": "a table of Percona Server and of newer MariaDBs"
    for kind in ("read", "write")
    for end in ("bucket", "sum", "count")
}


OF_A_FILE = {"backup_last_success_timestamp_seconds"}
"""What a script of the host has left in a file: any name."""


def ids(collector: Collector) -> str:
    return collector.name


@pytest.mark.parametrize("collector", COLLECTORS, ids=ids)
def test_settings_survive_a_round_trip_and_unknown_keys_are_refused(collector: Collector) -> None:
    config = collector.config()
    assert collector.config.model_validate_json(config.model_dump_json()) == config
    with pytest.raises(ValidationError, match="nonsense"):
        collector.config.model_validate({"nonsense": 1})


@pytest.mark.parametrize("collector", COLLECTORS, ids=ids)
def test_settings_that_no_socket_would_take_are_refused(collector: Collector) -> None:
    wrong: dict[str, list[object]] = {
        "port": [0, -1, 65536, "http"],
        "timeout": [0, -1, "soon"],
        "url": [
            "",
            "/status",
            "ftp://h/",
            "http://",
            "http://h:99999/",
            "http://h:port/",
            "http://[::1/",
            "http://h:0/",
        ],
    }
    for name in wrong.keys() & collector.config.model_fields.keys():
        for value in wrong[name]:
            with pytest.raises(ValidationError, match=name):
                collector.config.model_validate({name: value})


@pytest.mark.parametrize(
    ("name", "settings", "instance"),
    [
        ("mysql", {"address": "localhost"}, "h:3306"),
        ("mysql", {"address": "db.internal"}, "db.internal:3306"),
        ("mysql", {"socket": "/run/mysqld/mysqld.sock"}, "h:/run/mysqld/mysqld.sock"),
        ("postgres", {"address": "db.internal"}, "db.internal:5432"),
        ("postgres", {"socket": "/run/postgresql/.s.PGSQL.5433"}, "h:/run/postgresql/.s.PGSQL.5433"),
        ("redis", {"address": "::1", "port": 6380}, "h:6380"),
        ("redis", {"address": "fd00::5"}, "[fd00::5]:6379"),
        ("redis", {"socket": "/run/redis.sock"}, "h:/run/redis.sock"),
        ("phpfpm", {"address": "127.0.0.1:9000"}, "h:9000"),
        ("phpfpm", {"address": "10.0.0.9:9000"}, "10.0.0.9:9000"),
        ("nginx", {"url": "http://10.0.0.9/status"}, "10.0.0.9:80"),
        ("apache", {"url": "https://10.0.0.9/server-status?auto"}, "10.0.0.9:443"),
        ("memcached", {"address": "fd00::5"}, "[fd00::5]:11211"),
        ("memcached", {"socket": "/run/m.sock"}, "h:/run/m.sock"),
        ("varnish", {"directory": "second"}, "h:second"),
    ],
)
def test_what_is_elsewhere_is_not_called_ours(name: str, settings: dict[str, object], instance: str) -> None:
    collector = registry.collector(name)
    assert collector.target(collector.config.model_validate(settings), "h").instance == instance


@pytest.mark.parametrize("collector", COLLECTORS, ids=ids)
def test_no_secret_shows(collector: Collector) -> None:
    secrets = [name for name, field in collector.config.model_fields.items() if "Secret" in str(field.annotation)]
    config = collector.config.model_validate(dict.fromkeys(secrets, "hunter2"))
    texts = [repr(config), str(config), str(config.model_dump()), config.model_dump_json(),
             collector.instance(config, "h"), str(collector.extra(config))]  # fmt: skip
    assert "hunter2" not in "".join(texts)
    named = [name for name in collector.config.model_fields if "password" in name or "token" in name]
    assert [name for name in named if "file" not in name] == secrets
    for name in secrets:
        with pytest.raises(ValidationError) as refused:
            collector.config.model_validate({name: ["hunter2"]})
        assert "hunter2" not in str(refused.value.errors()[0]["msg"])


def test_a_secret_is_compared_and_revealed_only_on_purpose() -> None:
    assert Secret("a") == Secret("a") != Secret("b")
    assert Secret("a").reveal() == "a"
    assert (f"{Secret('a')}", Secret("a") == "a") == ("Secret(***)", False)


@pytest.mark.parametrize("collector", COLLECTORS, ids=ids)
def test_every_family_is_declared_and_captured(collector: Collector) -> None:
    declared = {family.name: family for family in collector.families}
    emitted = {
        sample.family
        for capture in captures()
        if capture.collector.name == collector.name
        for sample in capture.samples()
    }
    assert {family.name for family in emitted if not known(family, declared)} <= OF_A_FILE
    names = {family.name for family in emitted}
    missing = {name for name in declared if not any(fits(name, each) for each in names)}
    missing -= {family.name for family in collector.read_families}  # made by the agent
    assert missing - NOT_CAPTURED.keys() == set()
    assert len(collector.families) == len(declared)


def fits(name: str, emitted: str) -> bool:
    return emitted.startswith(name[:-1]) if name.endswith("*") else emitted == name


def known(family: Family, declared: dict[str, Family]) -> bool:
    return any(fits(name, family.name) and family.labels == of.labels for name, of in declared.items())


def test_what_is_not_captured_is_still_declared() -> None:
    declared = {family.name for collector in COLLECTORS for family in collector.families}
    emitted = {sample.family.name for capture in captures() for sample in capture.samples()}
    assert NOT_CAPTURED.keys() <= declared
    assert NOT_CAPTURED.keys() & emitted == set()


@pytest.mark.parametrize("collector", COLLECTORS, ids=ids)
def test_names_are_the_exporters_or_ours_by_our_rules(collector: Collector) -> None:
    for family in collector.families:
        assert family.name.startswith((*OFFICIAL, *OWN)), family.name
        assert re.fullmatch(r"[a-z][A-Za-z0-9_]*\*?", family.name)
        assert family.help.endswith("."), f"{family.name}: a help text is a sentence"
        assert all(re.fullmatch(r"[a-z_][a-z0-9_]*", label) for label in family.labels)
        assert family.bounds.keys() <= set(family.labels)
        if family.name.startswith(OWN):
            assert family.name.endswith("_total") == (family.kind == "counter"), family.name
            assert family.kind != "untyped"


@pytest.mark.parametrize("collector", COLLECTORS, ids=ids)
def test_an_empty_host_has_nothing_but_itself(collector: Collector) -> None:
    assert [each.found for each in collector.discover(Inventory("h"))] == (
        ["this host"] if collector.name == "host" else []
    )


@pytest.mark.parametrize("collector", COLLECTORS, ids=ids)
def test_its_files_say_where_the_definition_is(collector: Collector) -> None:
    assert re.search(r"https?://", importlib.import_module(registry.MODULES[collector.name]).__doc__ or "")
    assert collector.grants or collector.name == "host"
