"""`raingauge history compact` over the small blocks of appender.py, until it is killed or done. Run by test_kill.py."""

import sys
from pathlib import Path

from agent.cli.history import compacted
from history.database import open_database
from history.store import Store
from tests.history.appender import FOREVER, small


def main() -> None:
    small()
    store = Store(open_database(Path(sys.argv[1])), FOREVER)
    sys.stdout.write("begins\n")
    sys.stdout.flush()
    for _ in compacted(store):
        pass


if __name__ == "__main__":
    main()
