"""What is wrong with a target's reads, in words; used by the verdict, the layers and the targets page."""

from collections.abc import Sequence

from collectors.model import PartStatus, TargetStatus

FINE = ("ok", "absent")
WORDS = {
    "waiting": "not read yet",
    "ok": "reads well",
    "absent": "not there",
    "unreachable": "does not answer",
    "timeout": "does not answer in time",
    "denied": "does not let us in",
    "unsupported": "does not offer what we ask for",
    "parse": "answers what we do not understand",
    "bug": "cannot be read because of an error in Raingauge",
    "failed": "cannot be read",
}
DOWN = ("unreachable", "timeout")
NAMES = {
    "node": "Host", "nginx": "nginx", "apache": "Apache", "phpfpm": "PHP-FPM", "mysql": "Database", "redis": "Redis",
    "postgres": "PostgreSQL", "memcached": "Memcached", "varnish": "Varnish", "blackbox": "Check", "solr": "Solr",
    "mail": "Mail queue", "web": "Access logs", "drupal": "Drupal", "security": "Security", "heartbeat": "Heartbeat",
    "raingauge": "Raingauge",
}  # fmt: skip


def failing(status: TargetStatus) -> list[PartStatus]:
    return [part for part in status.parts if part.outcome not in (*FINE, "waiting")]


def state(status: TargetStatus) -> str:
    """crit: it does not answer; none: we cannot tell; warn: some parts only; ok: all that was read answers."""
    bad = failing(status)
    if bad and bad[0] is status.parts[0] and bad[0].outcome in DOWN:
        return "crit"
    if not any(part.outcome in FINE for part in status.parts):
        return "none"
    return "warn" if bad else "ok"


def words(status: TargetStatus) -> str:
    """`does not answer`; for some parts `pool: does not let us in`."""
    bad = failing(status)
    if not bad:
        return WORDS["waiting"] if state(status) == "none" else WORDS["ok"]
    said = WORDS.get(bad[0].outcome, WORDS["failed"])
    return said if len(bad) == len(status.parts) else f"{bad[0].part} {said}"


def name(status: TargetStatus) -> str:
    """`nginx :80`: what it is and which; `nginx :80 on web-02` of another host."""
    target = status.target
    where = f" on {target.host}" if status.elsewhere and target.host else ""
    return f"{NAMES.get(target.job, target.job)} {instance(target.instance, target.host)}".strip() + where


def instance(text: str, host: str) -> str:
    """Which one, in short: `:80`, the socket's name, an address; "" for the host itself."""
    rest = "" if text == host else text.removeprefix(f"{host}:")
    if rest.startswith("/"):
        return rest.rpartition("/")[2].removesuffix(".sock")
    return f":{rest}" if rest.isdecimal() else rest.partition("://")[2].rstrip("/") or rest


def origin(status: TargetStatus) -> str:
    """Who asked for it, or where it was found."""
    return {"configuration": "the configuration file"}.get(status.found, status.found)


def ordered(statuses: Sequence[TargetStatus]) -> list[TargetStatus]:
    """The worst first."""
    return sorted(statuses, key=lambda status: ("crit", "none", "warn", "ok").index(state(status)))
