"""Appends until it is killed, printing each stamp once it is acknowledged. Run by test_kill.py as a process."""

import sys
from pathlib import Path

from collectors.model import Gauge, Target
from history.database import open_database
from history.store import Store

TARGETS = [Target("node", f"h{n}", f"h{n}") for n in range(3)]
VALUE = Gauge("v", "", ("n",))


def samples(t: int) -> list[tuple[str, float]]:
    """What the tick of that time holds; now and then a series that was never there."""
    return [(str(n), t * 1000.0 + n) for n in range(20)] + ([(f"new{t}", float(t))] if t % 7 == 0 else [])


def main() -> None:
    store = Store(open_database(Path(sys.argv[1])))
    start = int(sys.argv[2])
    for t in range(start, start + 1_000_000):
        tick = [VALUE(value, label) for label, value in samples(t)]
        if t % 3:
            store.append(TARGETS[0], t, tick)
        else:
            store.append_many([(target, t, tick) for target in TARGETS])
        sys.stdout.write(f"{t}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
