"""The status page of a pool, asked for over FastCGI.

Source: https://www.php.net/manual/en/fpm.status.php. Names, labels and types are php-fpm_exporter's; request durations
are microseconds. PHP-FPM cannot see the queue of a unix socket and says 0: here it is the kernel's.
"""

import json
import time
from collections.abc import Iterable
from typing import Any

from collectors.errors import CollectError, Denied, ParseError, Unreachable, Unsupported
from collectors.model import Counter, Gauge, Sample
from collectors.phpfpm.config import Phpfpm
from collectors.phpfpm.pool import is_full, look
from collectors.sources import fastcgi
from collectors.sources.sockets import NoAnswer, connect, queue

POOL = ("pool", "scrape_uri")
CHILD = ("child", "pool", "scrape_uri")
STATES = ("Idle", "Running", "Reading headers", "Getting request information", "Finishing", "Ending")

UP = Gauge("phpfpm_up", "1 when the pool answered, or is full.", POOL)
ACTIVE = Gauge("phpfpm_active_processes", "Workers that serve a request.", POOL)
IDLE = Gauge("phpfpm_idle_processes", "Workers that wait for a request.", POOL)
TOTAL = Gauge("phpfpm_total_processes", "Workers, idle and active.", POOL)
LISTEN_QUEUE = Gauge("phpfpm_listen_queue", "Requests that wait at the socket for a worker.", POOL)
LISTEN_QUEUE_LENGTH = Gauge("phpfpm_listen_queue_length", "Requests that may wait at the socket.", POOL)
MAX_LISTEN_QUEUE = Counter("phpfpm_max_listen_queue", "Most requests that waited since start; of TCP pools.", POOL)

COUNTED = {
    "accepted conn": Counter("phpfpm_accepted_connections", "Requests accepted since start.", POOL),
    "max active processes": Counter("phpfpm_max_active_processes", "Most workers active at once since start.", POOL),
    "max children reached": Counter("phpfpm_max_children_reached", "Times that pm.max_children was reached.", POOL),
    "slow requests": Counter("phpfpm_slow_requests", "Requests slower than request_slowlog_timeout.", POOL),
    "start since": Counter("phpfpm_start_since", "Seconds since the pool started.", POOL),
}
STATE = Gauge("phpfpm_process_state", "1 for the state that the worker is in, 0 for the others.", (*CHILD, "state"))
CHILDREN = {
    "requests": Counter("phpfpm_process_requests", "Requests that the worker served.", CHILD),
    "request duration": Gauge(
        "phpfpm_process_request_duration", "Microseconds that the present or last request took.", CHILD
    ),
    "last request cpu": Gauge("phpfpm_process_last_request_cpu", "Percent of a CPU that the last request used.", CHILD),
    "last request memory": Gauge("phpfpm_process_last_request_memory", "Bytes that the last request used.", CHILD),
}
FAMILIES = (
    ACTIVE, IDLE, TOTAL, LISTEN_QUEUE, LISTEN_QUEUE_LENGTH, MAX_LISTEN_QUEUE, *COUNTED.values(), STATE,
    *CHILDREN.values(),
)  # fmt: skip

MOST_BYTES = 4_000_000
PATIENCE = 0.5  # seconds that a full pool's queue may take to move before we give up to ask


def read(config: Phpfpm) -> dict[str, Any]:
    """`status` is None when the pool is full: `workers` are then all there are, and all are busy."""
    if not config.status_path:
        raise Unsupported(f"pool {config.pool} on {config.address}: expected a pm.status_path, found none")
    workers = status = None
    try:
        if not config.status_listen and _stays_full(config):
            raise NoAnswer(f"pool {config.pool} on {config.address} is full")
        status = _status(config)
    except NoAnswer:
        workers = _busy_workers(config)
        if workers is None:
            raise
    waits = queue(config.address)
    return {
        "pool": config.pool,
        "scrape_uri": config.scrape_uri,
        "tcp": not config.address.startswith("unix:"),
        "status": status,
        "workers": workers,
        "queue": [waits.waiting, waits.limit] if waits else None,
    }


def _busy_workers(config: Phpfpm) -> int | None:
    """How many; None when the pool is not full, or we cannot tell."""
    view = look(config)
    workers = len(view.workers) if view.workers is not None else None
    return workers if is_full(config.max_children, workers, view.queue.served if view.queue else None) else None


def _stays_full(config: Phpfpm) -> bool:
    """A request to a full pool only makes its queue longer, and stays there after we have given up."""
    end = time.monotonic() + PATIENCE
    while (waits := queue(config.address)) and waits.waiting and _busy_workers(config) is not None:
        if time.monotonic() >= end:
            return True
        time.sleep(PATIENCE / 10)
    return False


def _status(config: Phpfpm) -> dict[str, Any]:
    what = f"GET {config.status_path} from {config.status_address}"
    response = _ask(config, what)
    if response.status in (403, 404):
        raise Unsupported(f"{what}: expected the status page, found status {response.status}")
    try:
        status = json.loads(response.body)
        # Addresses, users and scripts of other people's requests stay where they are.
        children = [{key: child[key] for key in ("state", *CHILDREN)} for child in status.pop("processes")]
        return {**status, "processes": children}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ParseError(f"{what}: expected PHP-FPM's status as JSON, found {response.body[:80]!r}") from error


def _ask(config: Phpfpm, what: str) -> fastcgi.Response:
    question = fastcgi.request(
        {
            "REQUEST_METHOD": "GET",
            "SCRIPT_NAME": config.status_path,
            "SCRIPT_FILENAME": config.status_path,
            "REQUEST_URI": config.status_path,
            "QUERY_STRING": "full&json",
        }
    )
    response = fastcgi.Response()
    end = time.monotonic() + config.timeout
    try:
        with connect(config.status_address, config.timeout) as connection:
            connection.sendall(question)
            while not response.ended and len(response.output) < MOST_BYTES:
                connection.settimeout(max(0.001, end - time.monotonic()))
                data = connection.recv(1 << 16)
                if not data:
                    raise _closed(config, what)
                response.feed(data)
    except TimeoutError as error:
        raise NoAnswer(f"{what}: no answer within {config.timeout:g} s") from error
    except OSError as error:
        raise Unreachable(f"{what}: {error.strerror or error}") from error
    except ValueError as error:
        raise ParseError(f"{what}: {error}") from error
    return response


def _closed(config: Phpfpm, what: str) -> CollectError:
    if config.status_address.startswith("unix:"):
        return Unreachable(f"{what}: closed without an answer")
    return Denied(f"{what}: closed without an answer, as listen.allowed_clients does")


def parse(payload: dict[str, Any]) -> Iterable[Sample]:
    """Raise ParseError on what is no status page of PHP-FPM."""
    try:
        status, pool, uri = payload["status"], payload["pool"], payload["scrape_uri"]
        if status is None:
            return [*_full(payload["workers"], pool, uri), *_queue(payload, pool, uri)]
        return list(_samples(payload, status, str(status["pool"]), uri))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ParseError(f"expected PHP-FPM's status, found {payload!r:.80}: {error!r}") from error


def _full(workers: int, pool: str, uri: str) -> Iterable[Sample]:
    return ACTIVE(workers, pool, uri), IDLE(0, pool, uri), TOTAL(workers, pool, uri)


def _samples(payload: dict[str, Any], status: dict[str, Any], pool: str, uri: str) -> Iterable[Sample]:
    yield ACTIVE(float(status["active processes"]), pool, uri)
    yield IDLE(float(status["idle processes"]), pool, uri)
    yield TOTAL(float(status["total processes"]), pool, uri)
    yield from _queue(payload, pool, uri)
    for key, family in COUNTED.items():
        yield family(float(status[key]), pool, uri)
    for number, child in enumerate(status["processes"]):
        for state in STATES:
            yield STATE(float(child["state"] == state), str(number), pool, uri, state)
        for key, family in CHILDREN.items():
            yield family(float(child[key]), str(number), pool, uri)


def _queue(payload: dict[str, Any], pool: str, uri: str) -> Iterable[Sample]:
    """The kernel's word first; the pool's own only where it can know: on TCP."""
    status = payload["status"]
    own = status if status is not None and payload["tcp"] else None
    if payload["queue"] is not None:
        waiting, limit = payload["queue"]
    elif own is not None:
        waiting, limit = own["listen queue"], own["listen queue len"]
    else:
        return
    yield LISTEN_QUEUE(float(waiting), pool, uri)
    yield LISTEN_QUEUE_LENGTH(float(limit), pool, uri)
    if own is not None:
        yield MAX_LISTEN_QUEUE(float(own["max listen queue"]), pool, uri)
