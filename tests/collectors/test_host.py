"""The host: what its own tools say, what an old or bare kernel lacks, and file systems that hang."""

import os
import re
import shutil
import subprocess
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.reading import Reading, read_part, trial
from agent.ticking import Ticking, Watch
from collectors.errors import Absent, ParseError
from collectors.host import COLLECTOR, cpu, filesystem, netclass, netdev, pressure, processes
from collectors.host.config import Host
from collectors.host.filesystem import Asker, mounts


def values() -> dict[str, float]:
    readings = trial(COLLECTOR, Host())
    assert {reading.part.name: reading.error for reading in readings if not reading.answered} == {}
    return {
        ",".join([sample.family.name, *sample.labels]): sample.value
        for reading in readings
        for sample in reading.samples
    }


def said(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_values_are_those_of_the_hosts_own_tools() -> None:
    found = values()
    memory = dict(line.split(":")[0:2] for line in Path("/proc/meminfo").read_text().splitlines())
    assert found["node_memory_MemTotal_bytes"] == int(memory["MemTotal"].split()[0]) * 1024
    size, mount = said("df", "--output=size,target", "-B1", "/").splitlines()[1].split()
    (root,) = [value for name, value in found.items() if re.match(rf"node_filesystem_size_bytes,[^,]+,{mount},", name)]
    assert root == int(size)
    assert len({name for name in found if re.match(r"node_cpu_seconds_total,\d+,idle", name)}) == os.cpu_count()
    release = said("uname", "-r").strip()
    assert [name for name in found if name.startswith("node_uname_info,") and f",{release}," in name]
    assert abs(found["node_boot_time_seconds"] - float(said("date", "-d", said("uptime", "-s").strip(), "+%s"))) <= 2


def test_counters_of_disks_and_networks_do_not_go_back() -> None:
    before, after = values(), values()
    counters = [name for name in before if name.startswith(("node_disk", "node_network")) and "_total" in name]
    assert counters
    assert [name for name in counters if after.get(name, before[name]) < before[name]] == []


def tree(folder: Path, **files: str) -> Host:
    """A /proc that has only these files."""
    for name, text in files.items():
        (folder / name).write_text(text)
    return Host(procfs=str(folder), sysfs=str(folder))


def test_a_kernel_without_pressure_has_none(tmp_path: Path) -> None:
    with pytest.raises(Absent):
        pressure.read(tree(tmp_path))
    (reading,) = [read_part(part, tree(tmp_path)) for part in COLLECTOR.parts if part.name == "pressure"]
    assert (reading.outcome, reading.samples) == ("absent", ())


def test_pressure_that_is_switched_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(pressure, "read_text", refuse)
    with pytest.raises((Absent, OSError)):
        pressure.read(tree(tmp_path))


def test_a_part_without_its_file_is_absent_and_the_others_go_on(tmp_path: Path) -> None:
    config = tree(tmp_path, loadavg="0.5 0.4 0.3 1/99 7\n")
    outcomes = {reading.part.name: reading.outcome for reading in trial(COLLECTOR, config)}
    assert outcomes["loadavg"] == "ok"
    assert outcomes["cpu"] == outcomes["meminfo"] == "absent"
    assert "bug" not in outcomes.values()


def test_interfaces_that_come_and_go_while_they_are_read(tmp_path: Path) -> None:
    (tmp_path / "net").mkdir()
    (tmp_path / "net/dev").write_text("Inter-|\n face |bytes\n eth0: 1 2 0 0 0 0 0 0 3 4 0 0 0 0 0 0\n")
    (tmp_path / "1").mkdir()
    shutil.copytree(tmp_path / "net", tmp_path / "1" / "net")
    samples = list(netdev.parse(netdev.read(Host(procfs=str(tmp_path), sysfs=str(tmp_path)))))
    assert {(sample.family.name, sample.value) for sample in samples if "bytes" in sample.family.name} == {
        ("node_network_receive_bytes_total", 1), ("node_network_transmit_bytes_total", 3),
    }  # fmt: skip


def test_a_file_system_that_hangs_loses_only_itself(tmp_path: Path) -> None:
    over, asked = threading.Event(), []

    def statvfs(path: str) -> os.statvfs_result:
        asked.append(path)
        if path == "/mnt/dead":
            over.wait(30)
        return os.statvfs("/")

    (tmp_path / "self").mkdir()
    (tmp_path / "self/mounts").write_text("/dev/sda1 / ext4 rw 0 0\nserver:/x /mnt/dead nfs4 rw 0 0\n")
    asker = Asker(statvfs)
    config = Host(procfs=str(tmp_path))
    try:
        for _ in range(3):
            found = {mount["mountpoint"]: mount["error"] for mount in filesystem.read(config, asker, patience=0.05)}
            assert found == {"/": "", "/mnt/dead": "mountpoint timeout"}
        assert asked.count("/mnt/dead") == 1  # it is not asked again while it hangs
        samples = list(filesystem.parse(filesystem.read(config, asker, patience=0.05)))
        assert {sample.labels[1] for sample in samples if sample.family is filesystem.SIZE} == {"/"}
    finally:
        over.set()


def escaped(text: str) -> str:
    """As the kernel writes it in /proc/mounts."""
    return "".join(f"\\{ord(letter):03o}" if letter in " \t\n\\#" else letter for letter in text)


LETTERS = st.characters(codec="utf-8", exclude_characters="\0") | st.sampled_from(" \t\n\\\u2028\x0b")


@given(st.lists(st.text(LETTERS, min_size=1), unique=True, max_size=4))
def test_mount_points_are_read_as_they_are(places: list[str]) -> None:
    text = "".join(f"/dev/sda1 /x/{escaped(place)} ext4 rw 0 0\n" for place in places)
    assert [mount["mountpoint"] for mount in mounts(text)] == [f"/x/{place}" for place in places]


def test_the_last_mount_at_a_place_counts_and_pseudo_ones_do_not() -> None:
    text = "a /srv ext4 rw 0 0\nproc /proc proc rw 0 0\noverlay / overlay rw 0 0\nb /srv xfs ro,noatime 0 0\n"
    assert [(mount["device"], mount["readonly"]) for mount in mounts(text)] == [("b", True)]
    with pytest.raises(ParseError, match="expected 'device place type options'"):
        mounts("nonsense\n")


def test_a_computer_with_many_processors_keeps_them_apart() -> None:
    text = "".join(f"cpu{number} 1 2 3 4 5 6 7 8 9 10\n" for number in range(1024))
    ticking = Ticking(Watch(COLLECTOR, Host()), "h")
    samples = tuple(cpu.parse(text))
    state = next(state for state in ticking.begin(0) if state.part.name == "cpu")
    ticking.answer(state, Reading(state.part, "ok", "", samples), 0)
    published = [sample for sample in ticking.close(0)[0] if sample.family in cpu.FAMILIES]
    assert len(published) == len(samples) == 1024 * 10


def test_each_read_is_told_as_node_exporter_does() -> None:
    ticking = Ticking(Watch(COLLECTOR, Host()), "h")
    states = {state.part.name: state for state in ticking.begin(0)}
    for name, outcome in (("cpu", "ok"), ("loadavg", "denied"), ("hwmon", "absent")):
        ticking.answer(states[name], Reading(states[name].part, outcome, "", (), read_seconds=0.25), 0)
    found = {(sample.family.name, *sample.labels): sample.value for sample in ticking.close(0)[0]}
    assert found == {
        ("node_scrape_collector_success", "cpu"): 1, ("node_scrape_collector_duration_seconds", "cpu"): 0.25,
        ("node_scrape_collector_success", "loadavg"): 0, ("node_scrape_collector_duration_seconds", "loadavg"): 0.25,
    }  # fmt: skip


@pytest.mark.parametrize(
    "line", [" eth0: 1 2 3\n", " eth0: " + "1 " * 15 + "x\n", " eth0 " + "1 " * 16 + "\n"]
)  # fmt: skip
def test_a_table_of_interfaces_that_is_none_is_refused(line: str) -> None:
    with pytest.raises(ParseError, match="/proc/net/dev, found"):
        list(netdev.parse({"dev": f"a\nb\n{line}", "devices": {}}))


def test_an_interface_that_says_little_or_nonsense() -> None:
    facts = {"speed": "-1", "statistics/rx_nohandler": "7"}
    found = {sample.family.name: sample.value for sample in netclass.parse({"eth0": facts})}
    assert found == {"node_network_receive_nohandler_total": 7, "node_network_info": 1}
    with pytest.raises(ParseError, match="flags of eth0, found 'up'"):
        list(netclass.parse({"eth0": {"flags": "up"}}))
    payload = netdev.Payload(dev="", devices={"eth0": {"carrier": ""}, "eth1": {"carrier": "1", "operstate": "up"}})
    assert [(sample.family.name, *sample.labels, sample.value) for sample in netdev.parse(payload)] == [
        ("node_network_up", "eth0", 0), ("node_network_up", "eth1", 1), ("node_network_carrier", "eth1", 1),
    ]  # fmt: skip


def process(folder: Path, pid: int, name: str, ticks: int, start: int = 5) -> None:
    (folder / str(pid)).mkdir(exist_ok=True)
    fields = ["S", "1"] + ["0"] * 9 + [str(ticks), "0"] + ["0"] * 6 + [str(start), "0", "10"]
    (folder / str(pid) / "stat").write_text(f"{pid} ({name}) {' '.join(fields)}\n")


def test_cpu_time_of_a_service_keeps_what_its_ended_processes_used(tmp_path: Path) -> None:
    ended = processes.Ended()
    config = Host(procfs=str(tmp_path))
    process(tmp_path, 10, "nginx", 100)
    process(tmp_path, 11, "php-fpm8.2", 50)
    process(tmp_path, 12, "weird) name (", 7)
    assert processes.read(config, ended)["groups"]["php-fpm"]["cpu_ticks"] == 50
    shutil.rmtree(tmp_path / "11")
    process(tmp_path, 13, "php-fpm8.2", 4)
    found = processes.read(config, ended)["groups"]
    assert (found["php-fpm"]["cpu_ticks"], found["php-fpm"]["processes"]) == (54, 1)
    assert (found["nginx"]["cpu_ticks"], found["other"]["cpu_ticks"]) == (100, 7)


def test_io_is_asked_again_once_a_process_has_used_more_cpu_time(tmp_path: Path) -> None:
    ended = processes.Ended()
    config = Host(procfs=str(tmp_path))
    told = []
    for ticks, written in ((100, 7), (100, 8), (101, 9)):
        process(tmp_path, 10, "nginx", ticks)
        (tmp_path / "10/io").write_text(f"rchar: 1\nread_bytes: 1\nwrite_bytes: {written}\n")
        told.append(processes.read(config, ended)["groups"]["nginx"]["io_bytes"])
    assert told == [[1, 7], [1, 7], [1, 9]]
