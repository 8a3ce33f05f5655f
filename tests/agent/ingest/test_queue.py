"""The queue on disk as a state machine, and killed in the middle of a write."""

import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import mkdtemp

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from agent.ingest.queue import Queue

MOST = 4000


class Queueing(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.folder = Path(mkdtemp())
        self.queue = Queue(self.folder, MOST, segment_bytes=300)
        self.model: list[bytes] = []
        self.dropped = 0
        self.count = 0

    def teardown(self) -> None:
        if hasattr(self, "queue"):
            self.queue.close()
            shutil.rmtree(self.folder)

    @rule(size=st.integers(0, 400))
    def put(self, size: int) -> None:
        content = f"{self.count} ".encode() + bytes(size)
        self.count += 1
        self.queue.put(content)
        self.model.append(content)
        gone = self.queue.dropped - self.dropped
        self.dropped = self.queue.dropped
        self.model = self.model[gone:]

    @rule(most=st.integers(1, 1000), more=st.integers(0, 3))
    def take(self, most: int, more: int) -> None:
        batch, end = self.queue.batch(most)
        assert batch == self.model[: len(batch)]
        assert bool(batch) == bool(self.model)
        for _ in range(more):  # while it is under way
            self.put(200)
        self.queue.done(end)
        self.model = [content for content in self.model if content not in batch]

    @rule(torn=st.binary(max_size=20))
    def reopen(self, torn: bytes) -> None:
        """After the end of the process in the middle of a record."""
        self.queue.close()
        with max(self.folder.glob("*.seg")).open("ab") as file:
            file.write(torn)
        self.queue = Queue(self.folder, MOST, segment_bytes=300)
        self.dropped = 0

    @invariant()
    def it_is_all_there_and_not_too_much(self) -> None:
        if hasattr(self, "queue"):
            assert self.queue.batch(10**9)[0] == self.model
            assert self.queue.size <= MOST + 500


class TestQueueing(Queueing.TestCase):  # type: ignore[valid-type,misc]
    settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


PUT = """
import sys
from pathlib import Path
from agent.ingest.queue import Queue
queue = Queue(Path(sys.argv[1]), 10**9, 20_000)
number = int(sys.argv[2])
while True:
    queue.put(str(number).encode() * 50)
    print(number, flush=True)
    number += 1
"""


def test_kill_loses_nothing_that_was_put(tmp_path: Path) -> None:
    last = -1
    for _ in range(4):
        with subprocess.Popen(
            [sys.executable, "-c", PUT, tmp_path, str(last + 1)], stdout=subprocess.PIPE, text=True
        ) as child:
            assert child.stdout is not None
            lines = [child.stdout.readline() for _ in range(200)]
            child.kill()
            lines += child.stdout.read().splitlines()
        last = int([line for line in lines if line.strip()][-1])
        queue = Queue(tmp_path, 10**9, 20_000)
        found = [int(content[: len(content) // 50]) for content in queue.batch(10**9)[0]]
        queue.close()
        assert found[: last + 1] == list(range(last + 1))
        assert len(found) <= last + 2
        last = found[-1]
