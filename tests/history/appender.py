"""Appends until it is killed, printing each stamp once it is acknowledged; seals, rolls up and merges beside it.

Run by test_kill.py and test_faults.py as a process. Blocks are small and their times short, so that in a second all of
it happens many times.
"""

import resource
import sys
import threading
import time
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from collectors.model import Gauge, Target
from history.database import open_database
from history.retention import Retention
from history.store import Store, head, tiers

TARGETS = [Target("node", f"h{n}", f"h{n}") for n in range(3)]
VALUE = Gauge("v", "", ("n",))
STEP = 60
"""Seconds between ticks, for a number of them that is counted from 1."""
FOREVER = Retention(raw=1e12, fine=1e12, hour=1e12)


def small() -> None:
    """A block each twenty ticks, a roll-up each hour and each six."""
    head.SCRAPES, head.SPARE = 20, 4
    tiers.SPANS.update({tiers.FIVE_MINUTES: tiers.HOUR, tiers.HOUR: 6 * tiers.HOUR})


def samples(number: int) -> list[tuple[str, float]]:
    """What that tick holds; now and then a series that was never there."""
    common = [(str(n), number * 1000.0 + n) for n in range(20)]
    return common + ([(f"new{number}", float(number))] if number % 7 == 0 else [])


def append(store: Store, number: int) -> None:
    tick = [VALUE(value, label) for label, value in samples(number)]
    targets = TARGETS if number % 3 == 0 else TARGETS[:1]
    store.append_many([(target, number * STEP, tick) for target in targets])


def maintain(store: Store) -> None:
    pause = threading.Event()
    while True:
        try:
            more = store.maintain(time.time())
        except (SQLAlchemyError, OSError):
            more = False
        if not more:
            pause.wait(0.001)


def no_more_room(folder: Path, bytes_more: int) -> None:
    """No file grows beyond that."""
    largest = max(path.stat().st_size for path in folder.iterdir())
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest + bytes_more, resource.RLIM_INFINITY))


def main() -> None:
    """FOLDER START [ROOM]: with ROOM, each 40 ticks files cannot grow by more than that for as many tries."""
    small()
    folder, start = Path(sys.argv[1]), int(sys.argv[2])
    room = int(sys.argv[3]) if len(sys.argv) > 3 else None
    store = Store(open_database(folder), FOREVER)
    threading.Thread(target=maintain, args=(store,), daemon=True).start()
    number, tries = start, 0
    while True:
        if room is not None and tries % 40 == 0:
            if tries % 80 == 0:
                resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            else:
                no_more_room(folder, room)
        tries += 1
        try:
            append(store, number)
        except (SQLAlchemyError, OSError):
            sys.stdout.write("full\n")
            sys.stdout.flush()
            continue
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()
        number += 1


if __name__ == "__main__":
    main()
