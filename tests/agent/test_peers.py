"""Two agents that scrape each other: what one cannot say of itself, the other says."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from agent.ingest.scrape_config import ScrapeConfig
from agent.ingest.scraping import Loop, targets
from alerts.evaluator import Evaluator
from alerts.rulefile import load
from history.database import open_database
from history.embedded import Embedded
from history.store import Store
from tests.alerts.examples import T
from tests.alerts.kept import Kept
from tests.collectors.serving import serving
from tests.lab.ports import free_port

RULES = Path(__file__).parents[2] / "alerts" / "rules" / "raingauge.yml"


class Peer:
    def __init__(self, folder: Path, other: int) -> None:
        folder.mkdir()
        self.engine: Engine = open_database(folder)
        store = Store(self.engine)
        self.now = T
        address = f"127.0.0.1:{other}"
        config = ScrapeConfig.model_validate({"job_name": "raingauge", "static_configs": [{"targets": [address]}]})
        [target] = targets(config, [{"__address__": address}])
        self.loop = Loop(config, target, Kept(store), lambda: self.now)
        groups, _ = load([RULES])
        self.evaluator = Evaluator(Embedded(store), self.engine, groups, sink=Kept(store), clock=lambda: self.now)

    def tick(self) -> set[tuple[str, str]]:
        """What fires here, and of whom."""
        self.loop.scrape()
        self.evaluator.run_due(self.now)
        self.now += 30
        firing = [alert for alert in self.evaluator.alerts() if alert.state == "firing"]
        return {(alert.name, alert.labels.get("instance", "")) for alert in firing}


@pytest.mark.a3("Restart and clock", "An agent that falls silent is told of by the one that watches it.")
def test_a_peer_that_falls_silent_is_told_of_by_the_other(tmp_path: Path) -> None:
    nobody = free_port()
    watching = Peer(tmp_path / "watching", nobody)
    told = [watching.tick() for _ in range(6)]
    assert told[:4] == [set()] * 4  # it may be restarting
    assert told[-1] == {("HostSilent", f"127.0.0.1:{nobody}")}
    watching.engine.dispose()


PAGE = """# TYPE raingauge_progress_timestamp_seconds gauge
raingauge_progress_timestamp_seconds{{job="raingauge",instance="web2",host="web2",of="rules"}} {rules}
raingauge_progress_timestamp_seconds{{job="raingauge",instance="web2",host="web2",of="collecting"}} {collecting}
"""


@pytest.mark.a3(
    "Restart and clock", "An agent that answers but makes no progress is told of by the one that watches it."
)
def test_a_peer_that_answers_but_is_stuck_is_told_of_by_the_other(tmp_path: Path) -> None:
    pages: dict[str, str] = {}
    with serving(pages) as served:
        watching = Peer(tmp_path / "watching", int(served.url.rpartition(":")[2]))
        told = []
        for _ in range(12):
            pages["/metrics"] = PAGE.format(rules=T, collecting=watching.now)
            told.append({name for name, _ in watching.tick()})
        assert told[0] == set()
        assert told[-1] == {"NoProgress"}
    watching.engine.dispose()
