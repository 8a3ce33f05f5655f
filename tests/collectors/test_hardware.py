"""What a test machine may lack (sensors, RAID, bonds, services of systemd), read from a tree of files."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from collectors.errors import Absent
from collectors.host import COLLECTOR, systemd, tcpstat, timex
from collectors.host.config import Host
from collectors.model import Part
from collectors.sources.files import read_text
from tests.collectors.captures import DATA
from tests.collectors.trees import planted

PARTS = ("schedstat", "cpufreq", "hwmon", "thermal", "mdadm", "edac", "bonding", "power", "cgroups", "textfile")
FOLDER = DATA / "host" / "hardware-documented"


def part(name: str) -> Part:
    (found,) = (part for part in COLLECTOR.parts if part.name == name)
    return found


def read(name: str, config: Host) -> Any:
    found = part(name).read(config)
    if name == "textfile":
        found = [{**file, "changed": 1.79e9} for file in found]
    return found


@pytest.mark.parametrize("name", PARTS)
def test_what_is_read_of_the_tree_is_the_capture(name: str, tmp_path: Path) -> None:
    found = read(name, planted("hardware", tmp_path))
    text = found if isinstance(found, str) else json.dumps(found, indent=1) + "\n"
    file = FOLDER / f"payload.{name}.{'txt' if isinstance(found, str) else 'json'}"
    if os.environ.get("RAINGAUGE_GOLDEN") == "rewrite":
        file.write_text(text)
    assert text == file.read_text()


@pytest.mark.parametrize("name", [*PARTS, "netstat", "vmstat", "sockstat", "softnet", "arp", "udp_queues", "limits"])
def test_a_bare_machine_has_none_of_it(name: str, tmp_path: Path) -> None:
    empty = str(tmp_path)
    with pytest.raises(Absent):
        part(name).read(Host(procfs=empty, sysfs=empty, textfile=f"{empty}/gone"))


def test_a_file_of_a_script_that_is_broken_is_told_and_the_others_are_kept(tmp_path: Path) -> None:
    config = planted("hardware", tmp_path)
    found = {s.family.name: s.value for s in part("textfile").parse(part("textfile").read(config))}
    assert found["node_textfile_scrape_error"] == 1
    assert found["backup_last_success_timestamp_seconds"] == 1.79e9
    (tmp_path / "textfile/broken.prom").unlink()
    found = {s.family.name: s.value for s in part("textfile").parse(part("textfile").read(config))}
    assert found["node_textfile_scrape_error"] == 0


def test_without_systemd_there_are_no_units(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(systemd, "SYSTEMD", tmp_path / "gone")
    with pytest.raises(Absent):
        systemd.read(Host())


def test_listening_sockets_are_counted() -> None:
    counts = tcpstat.read(Host())
    rows = [line.split() for file in ("tcp", "tcp6") for line in read_text(f"/proc/net/{file}").splitlines()[1:]]
    assert abs(counts.get("listen", 0) - sum(row[3] == "0A" for row in rows)) <= 2


def test_the_clock_is_asked_and_not_changed() -> None:
    facts = timex.read(Host())
    assert facts["tick"] > 0
    assert facts["modes"] == 0
