"""Solr: what its documented answers become, over HTTP, and what is no Solr."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.exposition import render
from agent.reading import trial
from collectors.errors import ParseError
from collectors.inventory import Inventory, Listener, Process
from collectors.model import Part, Sample
from collectors.solr import COLLECTOR
from collectors.solr.config import Solr
from collectors.solr.metrics import parse as parse_metrics
from collectors.solr.state import parse_cores, parse_system
from tests.collectors.answering import answering
from tests.collectors.captures import DATA
from tests.collectors.serving import serving
from tests.collectors.test_garbage import anything, places, with_other
from tests.lab.ports import free_port

NINE = DATA / "solr" / "solr-9-documented"
PAGES = {"metrics": "/solr/admin/metrics", "system": "/solr/admin/info/system", "cores": "/solr/admin/cores"}


def payload(part: str, folder: Path = NINE) -> str:
    return (folder / f"payload.{part}.txt").read_text()


def pages(folder: Path = NINE) -> dict[str, str]:
    return {path: payload(part, folder) for part, path in PAGES.items()}


def values(samples: list[Sample]) -> dict[str, float]:
    return {",".join([sample.family.name, *sample.labels]): sample.value for sample in samples}


@pytest.mark.parametrize("folder", sorted((DATA / "solr").glob("*")), ids=lambda folder: folder.name)
def test_every_version_is_read_over_http(folder: Path) -> None:
    with serving(pages(folder)) as served:
        readings = trial(COLLECTOR, Solr(url=f"{served.url}/solr"))
    assert [reading.outcome for reading in readings] == ["ok", "ok", "ok"]
    found = values([sample for reading in readings for sample in reading.samples])
    assert found["solr_core_documents,drupal"] == 8784
    assert found["solr_core_requests_total,drupal,select"] == 9410
    assert found["solr_core_request_seconds_total,drupal,select"] == 48.211934112
    assert found["solr_core_cache_hits_total,drupal,filterCache"] == 17410
    assert found["solr_core_commits_total,drupal"] == 120
    assert found["solr_jvm_heap_max_bytes"] == 512 << 20
    assert "solr_core_requests_total,drupal,sql" not in found  # never used


def test_nothing_is_asked_that_changes_something() -> None:
    with serving(pages()) as served:
        trial(COLLECTOR, Solr(url=f"{served.url}/solr/"))
    assert sorted(path.partition("?")[0] for path in served.asked) == sorted(PAGES.values())
    assert [path for path in served.asked if "action=" in path and "action=STATUS&" not in path] == []
    assert served.accounts == {""}


def test_an_account_opens_it_and_is_never_shown(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("hunter2:ü\n")
    with serving(pages(), account="gauge:hunter2:ü") as served:
        url = f"{served.url}/solr"
        closed = trial(COLLECTOR, Solr(url=url))
        wrong = trial(COLLECTOR, Solr.model_validate({"url": url, "user": "gauge", "password": "hunter3"}))
        opened = trial(COLLECTOR, Solr(url=url, user="gauge", password_file=tmp_path / "password"))
        lost = trial(COLLECTOR, Solr(url=url, user="gauge", password_file=tmp_path / "gone"))
    assert {reading.outcome for reading in (*closed, *wrong, *lost)} == {"denied"}
    assert {reading.outcome for reading in opened} == {"ok"}
    assert "hunter" not in "".join(reading.error for reading in (*closed, *wrong, *lost))


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", "parse"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]", "parse"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n{", "parse"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n\xff\xfe{", "parse"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"[" * 200_000, "parse"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"[" * 5_000_000, "parse"),
        (b"HTTP/1.1 200 OK\r\n\r\n{\"metrics\": {\"solr.jvm\": {\"gc.x.time\": " + b"9" * 5000 + b"}}}", "parse"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\nOnly Prometheus", "unsupported"),
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", "denied"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "parse"),
        (b"", "unreachable"),
    ],
)  # fmt: skip
def test_what_is_no_solr_or_lets_us_not_in(text: bytes, outcome: str) -> None:
    with answering(text, before=False) as port:
        readings = trial(COLLECTOR, Solr(url=f"http://127.0.0.1:{port}/solr"))
    assert {reading.bug for reading in readings} == {None}
    assert {reading.outcome for reading in readings} == {outcome}


def test_what_is_down_is_unreachable() -> None:
    readings = trial(COLLECTOR, Solr(url=f"http://127.0.0.1:{free_port()}/solr"))
    assert {reading.outcome for reading in readings} == {"unreachable"}


@pytest.mark.parametrize("part", COLLECTOR.parts, ids=lambda part: part.name)
@given(data=st.data())
@settings(deadline=None)
def test_json_of_any_shape_is_parsed_or_refused(part: Part, data: st.DataObject) -> None:
    tree = json.loads(payload(part.name, DATA / "solr" / "solr-6-documented"))
    at = data.draw(st.sampled_from(list(places(tree))), "at")
    samples = read_as(part, with_other(tree, at, data.draw(anything, "other")))
    assert all(math.isfinite(sample.value) for sample in samples)


def read_as(part: Part, tree: Any) -> list[Sample]:
    try:
        samples = list(part.parse(json.dumps(tree)))
    except ParseError:
        return []
    render(samples).decode()
    return samples


def test_numbers_that_are_none_are_left_out() -> None:
    tree = json.loads(payload("metrics"))
    core = tree["metrics"]["solr.core.drupal"]
    core["QUERY./select.totalTime"] = "NaN"
    core["QUERY./select.timeouts"] = {"count": -1}
    core["QUERY./select.errors"] = {"count": 10**400}
    core["CORE.coreName"] = "dru\ud800pal"
    found = values(list(parse_metrics(json.dumps(tree))))
    assert [name for name in found if name.startswith("solr_core_re") and "dru\\ufffdpal,select" in ascii(name)] == [
        "solr_core_requests_total,dru\ufffdpal,select"
    ]
    assert not any("timeouts_total,dru\ufffd" in name and name.endswith("select") for name in found)


def test_a_core_that_was_never_committed_has_no_date_and_one_that_failed_is_counted() -> None:
    found = values(list(parse_cores(payload("cores", DATA / "solr" / "solr-8-documented"))))
    assert (found["solr_core_documents,empty"], found["solr_cores_failed"]) == (0, 1)
    assert "solr_core_last_modified_timestamp_seconds,empty" not in found


@pytest.mark.parametrize("start", ["0001-01-01T00:00:00Z", "soon", "2024-13-01T00:00:00Z", 7, None])
def test_a_start_that_is_no_date_is_left_out(start: object) -> None:
    text = json.dumps({"lucene": {"solr-spec-version": "9"}, "jvm": {"jmx": {"startTime": start}}})
    assert values(list(parse_system(text))) == {"solr_info,9,": 1}


TITLE = (
    "/usr/lib/jvm/java-17/bin/java -server -Xms512m -Xmx512m -Dsolr.log.dir=/var/solr/logs -Djetty.port={} "
    "-DSTOP.PORT=7983 -DSTOP.KEY=key -Dsolr.solr.home=/var/solr/data -jar start.jar --module=http"
)


def solr(port: int, pid: int = 7) -> Process:
    return Process(pid, "java", TITLE.format(port), "solr")


@pytest.mark.parametrize(
    ("processes", "listener", "url"),
    [
        ([solr(8983)], Listener("java", 7, "127.0.0.1", 8983), "http://127.0.0.1:8983/solr"),
        ([solr(8983)], Listener("java", 7, "::ffff:7f00:1", 8983), "http://127.0.0.1:8983/solr"),
        ([solr(9000)], Listener("java", 7, "::", 9000), "http://127.0.0.1:9000/solr"),
        ([solr(9000)], Listener("", 0, "10.0.0.5", 9000), "http://10.0.0.5:9000/solr"),
        ([solr(9000)], Listener("java", 7, "fd00::5", 9000), "http://[fd00::5]:9000/solr"),
        ([], Listener("", 0, "127.0.0.1", 8983), "http://127.0.0.1:8983/solr"),
        ([], Listener("java", 0, "127.0.0.1", 8983), "http://127.0.0.1:8983/solr"),
        ([solr(8983)], Listener("java", 7, "127.0.0.1", 7983), ""),
        ([Process(7, "java", "java -jar other.jar", "x")], Listener("java", 7, "127.0.0.1", 8080), ""),
        ([], Listener("nginx", 3, "127.0.0.1", 8983), ""),
    ],
)
def test_discovered_by_title_and_port(processes: list[Process], listener: Listener, url: str) -> None:
    proposals = list(COLLECTOR.discover(Inventory("h", tuple(processes), (listener,))))
    assert [each.config for each in proposals] == ([Solr(url=url)] if url else [])
    assert all(url in each.remedy and "metrics-read" in each.remedy for each in proposals)


def test_two_servers_are_two() -> None:
    listeners = [Listener("java", pid, "::", port) for pid, port in ((7, 8983), (7, 7983), (9, 8984), (9, 8984))]
    found = COLLECTOR.discover(Inventory("h", (solr(8983), solr(8984, 9)), tuple(listeners)))
    assert [each.found for each in found] == [
        "Solr (pid 7) listens on 127.0.0.1:8983", "Solr (pid 9) listens on 127.0.0.1:8984",
    ]  # fmt: skip
