"""Scrapes other agents and any exporter, as Prometheus does with the same scrape_configs."""

import logging
import threading
import time
import zlib
from collections.abc import Callable, Sequence
from functools import partial
from urllib.parse import urlencode

from agent.ingest.agent_address import Place, beside
from agent.ingest.discovery import DiscoveryError, flat, from_files, from_http
from agent.ingest.fetching import Scraped, ScrapeError, fetch
from agent.ingest.grouping import by_target
from agent.ingest.relabel import Labels, relabelled
from agent.ingest.scrape_config import ScrapeConfig
from agent.ingest.text import Page, Parser, TextError
from agent.outcomes import BUILD
from collectors.model import PartStatus, Sample, Target, TargetStatus
from history.model import Sink

log = logging.getLogger("raingauge.scraping")

LOOK_SECONDS = 5.0
PART = "scrape"
"""What a target of a scrape consists of."""


def targets(config: ScrapeConfig, found: Sequence[Labels]) -> list[Scraped]:
    """Of the discovered label sets, those that relabelling keeps, each once."""
    kept: dict[Scraped, None] = {}
    for labels in found:
        defaults = {
            "job": config.job_name,
            "__scheme__": config.scheme,
            "__metrics_path__": config.metrics_path,
            **{f"__param_{name}": values[0] for name, values in config.params.items() if values},
        }
        after = relabelled({**defaults, **labels}, config.relabel_configs)
        if after is None or not after.get("__address__"):
            continue
        after.setdefault("instance", after["__address__"])
        asked = {name: list(values) for name, values in config.params.items()}
        asked |= {name[8:]: [value] for name, value in after.items() if name.startswith("__param_")}
        path = after.get("__metrics_path__", "/metrics") + (f"?{urlencode(asked, doseq=True)}" if asked else "")
        own = tuple(sorted((name, value) for name, value in after.items() if not name.startswith("__")))
        kept[Scraped(config.job_name, after["__address__"], after.get("__scheme__", "http"), path, own)] = None
    return list(kept)


def labelled(config: ScrapeConfig, target: Scraped, page: Page) -> list[tuple[Labels, float]]:
    """The samples as they are stored: the target's labels on each, and what metric_relabel_configs make of it."""
    found = []
    for own, value in page.samples:
        labels = dict(own)
        for name, text in target.labels:
            if name in own and config.honor_labels:
                continue
            if name in own:
                kept = f"exported_{name}"
                while kept in labels:
                    kept = f"exported_{kept}"
                labels[kept] = own[name]
            labels[name] = text
        after = relabelled(labels, config.metric_relabel_configs)
        if after is not None and after.get("__name__"):
            found.append((after, value))
    if 0 < config.sample_limit < len(found):
        raise ScrapeError(f"{len(found)} samples, at most {config.sample_limit} are taken (sample_limit)")
    return found


class Loop:
    """One target, in a thread of its own: whatever it does, no other waits for it."""

    def __init__(
        self, config: ScrapeConfig, target: Scraped, sink: Sink, clock: Callable[[], float] = time.time
    ) -> None:
        self._config = config
        self._target = target
        self._sink = sink
        self._clock = clock
        self._parser = Parser()
        self._before: set[Target] = set()
        self._said = ""
        self.part = PartStatus(PART, config.scrape_interval, "waiting")
        """How the last scrape went."""
        self.of_agent = False
        """Its last page was of a Raingauge."""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"scrape-{target.address}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Its series end."""
        self._stopping.set()

    def _run(self) -> None:
        interval = self._config.scrape_interval
        # Each target at its own moment of the interval, and always the same one.
        shift = zlib.crc32(repr(self._target).encode()) / 2**32 * interval
        pause = 0.0
        while not self._stopping.wait(pause):
            self.scrape()
            pause = interval - (self._clock() - shift) % interval
        for target in self._before:
            self._append(target, self._clock(), [])

    def scrape(self) -> None:
        now, began = self._clock(), time.perf_counter()
        page, samples, outcome, error = self._read()
        if error and error != self._said:  # once, not at each scrape
            log.warning("scrape=failed job=%s address=%s error=%s", self._target.job, self._target.address, error)
        self._said = error
        report = {
            "up": float(not error),
            "scrape_duration_seconds": (took := time.perf_counter() - began),
            "scrape_samples_scraped": float(len(page.samples)),
            "scrape_samples_post_metric_relabeling": float(len(samples)),
        }
        own = dict(self._target.labels)
        rows = [*samples, *(({**own, "__name__": name}, value) for name, value in report.items())]
        found = by_target(rows, f"{self._target.job} {self._target.address}{self._target.path}", page.types, page.help)
        for gone in self._before - found.keys():
            self._append(gone, now, [])
        for target, ticked in found.items():
            self._append(target, now, ticked)
        self._before = set(found)
        last = self.part.last_success if error else now
        self.part = PartStatus(PART, self._config.scrape_interval, outcome, error, took, last, len(page.samples))
        if not error:
            self.of_agent = any(labels["__name__"] == BUILD.name for labels, _ in page.samples)

    def _read(self) -> tuple[Page, list[tuple[Labels, float]], str, str]:
        """The page, its samples, the outcome, and why it failed."""
        page = Page([], {}, {})
        try:
            page = self._parser.parse(fetch(self._config, self._target))
            return page, labelled(self._config, self._target, page), "ok", ""
        except ScrapeError as error:
            return page, [], error.outcome, str(error)
        except TextError as error:
            return page, [], "parse", str(error)

    @property
    def status(self) -> TargetStatus:
        labels = dict(self._target.labels)
        job, instance, host = (labels.pop(name, "") for name in ("job", "instance", "host"))
        slug = f"scrape-{zlib.crc32(repr(self._target).encode()):08x}"
        target = Target(job, instance, host, tuple(sorted(labels.items())))
        return TargetStatus(target, slug, "scrape", f"scrape_configs, {self._target.job}", (self.part,), elsewhere=True)

    @property
    def events_at(self) -> Place | None:
        return beside(self._config, self._target) if self.of_agent else None

    def _append(self, target: Target, t: float, samples: Sequence[Sample]) -> None:
        try:
            self._sink.append(target, t, samples)
        except Exception:  # the boundary to history: the next scrape is tried again
            log.exception("append=failed address=%s", self._target.address)


class Scraping:
    """All scrape configurations: looks for targets and keeps a loop for each."""

    def __init__(self, configs: Sequence[ScrapeConfig], sink: Sink) -> None:
        self._configs = configs
        self._sink = sink
        self._loops: dict[Scraped, Loop] = {}
        self._found: dict[tuple[str, int], list[Labels]] = {}
        self._read: dict[tuple[str, int], float] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="scrape-discovery", daemon=True)

    def start(self) -> None:
        if self._configs:
            self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        for loop in self._loops.values():
            loop.stop()

    def statuses(self) -> list[TargetStatus]:
        return [loop.status for loop in list(self._loops.values())]

    def agents(self) -> list[Place]:
        """Where those of the targets that are Raingauges have their events."""
        return [place for loop in list(self._loops.values()) if (place := loop.events_at)]

    def _run(self) -> None:
        while not self._stopping.is_set():
            self.look(time.monotonic())
            self._stopping.wait(LOOK_SECONDS)

    def look(self, now: float) -> None:
        """Start what is new, end what has gone. `now`: seconds of a clock that only goes forward."""
        wanted = {
            target: config for config in self._configs for target in targets(config, self._discovered(config, now))
        }
        for target in self._loops.keys() - wanted.keys():
            self._loops.pop(target).stop()
        for target in wanted.keys() - self._loops.keys():
            self._loops[target] = Loop(wanted[target], target, self._sink)
            self._loops[target].start()

    def _discovered(self, config: ScrapeConfig, now: float) -> list[Labels]:
        """What cannot be read leaves the targets as they were."""
        found = flat(config.static_configs)
        sources: list[tuple[float, Callable[[], list[Labels]]]] = [
            *((each.refresh_interval, partial(from_files, each)) for each in config.file_sd_configs),
            *((each.refresh_interval, partial(from_http, each)) for each in config.http_sd_configs),
        ]
        for number, (every, read) in enumerate(sources):
            key = (config.job_name, number)
            if key not in self._read or now - self._read[key] >= every:
                self._read[key] = now
                try:
                    self._found[key] = read()
                except DiscoveryError as error:
                    log.warning("scrape_discovery=failed job=%s error=%s", config.job_name, error)
            found += self._found.get(key, [])
        return found
