"""Standbys, replication slots, and what arrives at a standby.

Source: https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-PG-STAT-REPLICATION-VIEW
https://www.postgresql.org/docs/current/view-pg-replication-slots.html
"""

from collections.abc import Iterator

from collectors.model import Gauge, Part, Sample
from collectors.postgres.connection import Row, Session
from collectors.postgres.rows import (
    Columns,
    Payload,
    counter,
    counters,
    families,
    gauge,
    gauges,
    labels,
    lsn,
    number,
    read_all,
    rows_of,
    samples,
)

IS_REPLICA = Gauge("pg_replication_is_replica", "1 on a standby.")
LAG = Gauge(
    "pg_replication_lag_seconds",
    "Age of what a standby replayed last; 0 when nothing is left to replay, or on a primary.",
)
LAST_REPLAY = Gauge("pg_replication_last_replay_seconds", "Seconds since the last transaction that was replayed.")

STANDBY = ("application_name", "client_addr", "state", "slot_name", "pid")
POSITION = Gauge("pg_stat_replication_pg_current_wal_lsn_bytes", "Place in the log that is written now.", STANDBY)
BEHIND = Gauge("pg_stat_replication_pg_wal_lsn_diff", "Bytes of log that the standby has not replayed yet.", STANDBY)

SLOT = ("slot_name", "database")
ACTIVE = Gauge("pg_replication_slots_active", "1 while somebody reads from the slot.", SLOT)
RETAINED = Gauge("pg_replication_slots_pg_wal_lsn_diff", "Bytes of log from what the slot still needs until now.", SLOT)
TYPED_SLOT = ("slot_name", "slot_type")
SLOT_ACTIVE = Gauge("pg_replication_slots_slot_is_active", "1 while somebody reads from the slot.", TYPED_SLOT)
SLOT_POSITION = Gauge("pg_replication_slots_slot_current_wal_lsn", "Place in the log that is written now.", TYPED_SLOT)
SLOT_FLUSHED = Gauge(
    "pg_replication_slots_slot_confirmed_flush_lsn", "Place up to which a logical slot's reader has it.", TYPED_SLOT
)
SLOT_SAFE = Gauge(
    "pg_replication_slots_safe_wal_size_bytes", "Bytes that may be written before the slot is in danger.", TYPED_SLOT
)
SLOT_STATUS = Gauge(
    "pg_replication_slots_wal_status", "1; whether the log that the slot needs is there.", (*TYPED_SLOT, "wal_status")
)

UPSTREAM = ("upstream_host", "slot_name", "status")
PLACES: Columns = counters(
    "pg_stat_wal_receiver_*",
    UPSTREAM,
    receive_start_lsn="Place in the log at which receiving began.",
    flushed_lsn="Place in the log that is received and safe on disk.",
    latest_end_lsn="Place in the log that the primary was told of last.",
)
RECEIVER: Columns = {
    **counters(
        "pg_stat_wal_receiver_*",
        UPSTREAM,
        last_msg_send_time="When the last message was sent, in Unix time.",
        last_msg_receipt_time="When the last message came, in Unix time.",
        latest_end_time="When the primary was told of a place last, in Unix time.",
    ),
    **gauges(
        "pg_stat_wal_receiver_*",
        UPSTREAM,
        receive_start_tli="Timeline at which receiving began.",
        received_tli="Timeline of what was received last.",
    ),
}
ARCHIVER: Columns = {
    "archived_count": counter("pg_stat_archiver_archived_count", "Files of the log that were archived."),
    "failed_count": counter("pg_stat_archiver_failed_count", "Attempts to archive that failed."),
    "age": gauge("pg_stat_archiver_last_archive_age", "Seconds since a file was archived last."),
}

NOW = "CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() ELSE pg_current_wal_lsn() END AS position"
STATEMENTS = {
    "recovery": """
        SELECT pg_is_in_recovery() AS replica, pg_last_wal_receive_lsn() AS received,
            pg_last_wal_replay_lsn() AS replayed,
            CASE WHEN pg_last_xact_replay_timestamp() IS NOT NULL
                THEN greatest(0, extract(epoch FROM now() - pg_last_xact_replay_timestamp())::float8) END AS age""",
    "slots": "SELECT *, {position} FROM pg_replication_slots",
    "archiver": """
        SELECT archived_count, failed_count, extract(epoch FROM now() - last_archived_time)::float8 AS age
        FROM pg_stat_archiver""",
}
FOR_MONITORS = {
    "standbys": """
        SELECT application_name, client_addr::text AS client_addr, state, slot_name, pid, replay_lsn, {position}
        FROM pg_stat_replication LEFT JOIN pg_replication_slots ON active_pid = pid""",
    "receivers": """
        SELECT sender_host AS upstream_host, slot_name, status, receive_start_lsn, {flushed} AS flushed_lsn,
            latest_end_lsn, receive_start_tli, received_tli,
            extract(epoch FROM last_msg_send_time)::float8 AS last_msg_send_time,
            extract(epoch FROM last_msg_receipt_time)::float8 AS last_msg_receipt_time,
            extract(epoch FROM latest_end_time)::float8 AS latest_end_time
        FROM pg_stat_wal_receiver WHERE status IS NOT NULL""",
}
"""For others these rows are there, but empty."""


def read(session: Session) -> Payload:
    statements = {**STATEMENTS, **(FOR_MONITORS if session.monitors else {})}
    flushed = "flushed_lsn" if session.version >= 130000 else "NULL"
    return read_all(session, {name: text.format(position=NOW, flushed=flushed) for name, text in statements.items()})


def parse(payload: Payload) -> Iterator[Sample]:
    for row in rows_of(payload, "recovery")[:1]:
        yield from _recovery(row)
    for row in rows_of(payload, "standbys"):
        own = labels(row, STANDBY)
        position, replayed = lsn(row.get("position")), lsn(row.get("replay_lsn"))
        if position is not None:
            yield POSITION(position, *own)
            if replayed is not None:
                yield BEHIND(position - replayed, *own)
    for row in rows_of(payload, "slots"):
        yield from _slot(row)
    for row in rows_of(payload, "receivers"):
        own = labels(row, UPSTREAM)
        yield from samples(row, RECEIVER, *own)
        for column, (family, _) in PLACES.items():
            if (place := lsn(row.get(column))) is not None:
                yield family(place, *own)
    for row in rows_of(payload, "archiver")[:1]:
        yield from samples(row, ARCHIVER)


def _recovery(row: Row) -> Iterator[Sample]:
    replica = row.get("replica")
    if not isinstance(replica, bool):
        return
    yield IS_REPLICA(int(replica))
    age = number(row.get("age"))
    done = row.get("received") is not None and row.get("received") == row.get("replayed")
    if not replica or done:
        yield LAG(0)
    elif age is not None:
        yield LAG(age)
    if age is not None:
        yield LAST_REPLAY(age)


def _slot(row: Row) -> Iterator[Sample]:
    own, typed = labels(row, SLOT), labels(row, TYPED_SLOT)
    yield from samples(row, {"active": (ACTIVE, 1)}, *own)
    yield from samples(row, {"active": (SLOT_ACTIVE, 1), "safe_wal_size": (SLOT_SAFE, 1)}, *typed)
    position, needed = lsn(row.get("position")), lsn(row.get("restart_lsn"))
    if position is not None:
        yield SLOT_POSITION(position, *typed)
        if needed is not None:
            yield RETAINED(position - needed, *own)
    flushed = lsn(row.get("confirmed_flush_lsn"))
    if flushed is not None and row.get("active") is True:
        yield SLOT_FLUSHED(flushed, *typed)
    if row.get("wal_status"):
        yield SLOT_STATUS(1, *typed, str(row["wal_status"]))


SLOTS = (ACTIVE, RETAINED, SLOT_ACTIVE, SLOT_POSITION, SLOT_FLUSHED, SLOT_SAFE, SLOT_STATUS)
PART = Part(
    "replication",
    (IS_REPLICA, LAG, LAST_REPLAY, POSITION, BEHIND, *SLOTS, *families(PLACES, RECEIVER, ARCHIVER)),
    read,
    parse,
)
