"""What varnishstat prints, of several versions and of none, and where it is found."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.reading import Reading, trial
from collectors.errors import ParseError
from collectors.inventory import Inventory, Process
from collectors.varnish import COLLECTOR, JOIN_GROUP, Varnish, discover
from collectors.varnish.counters import parse
from tests.collectors.captures import captures


def counter(value: Any, flag: str = "c") -> dict[str, Any]:
    return {"description": "", "flag": flag, "format": "i", "value": value}


def values(counters: dict[str, Any], version: str = "", old: bool = False) -> dict[str, float]:
    counters = {"MAIN.uptime": counter(7), **counters}
    printed = {"timestamp": "now", **counters} if old else {"version": 1, "timestamp": "now", "counters": counters}
    found = list(parse({"counters": json.dumps(printed), "version": version}))
    names = {",".join([sample.family.name, *sample.labels]): sample.value for sample in found}
    assert len(names) == len(found), "a series twice"
    return names


def test_both_shapes_of_json_say_the_same() -> None:
    (capture,) = (each for each in captures() if each.collector.name == "varnish")
    ((part, payload),) = capture.parts()
    printed = json.loads(payload["counters"])
    flat = json.dumps({"timestamp": printed["timestamp"], **printed["counters"]})
    assert list(part.parse({**payload, "counters": flat})) == capture.samples()


@pytest.mark.parametrize("old", [False, True])
def test_names_are_made_as_the_exporter_makes_them(old: bool) -> None:
    counters = {
        "MAIN.s_sess": counter(1), "MAIN.sess_conn": counter(2), "MAIN.s_fetch": counter(3),
        "MAIN.fetch_304": counter(4), "LCK.ban.creat": counter(5), "LCK.ban.dbg_busy": counter(6),
        "SMA.Transient.g_bytes": counter(7, "g"), "SMA.s0.c_req": counter(8), "SMF.s1.g_smf_frag": counter(9, "g"),
        "MEMPOOL.req0.live": counter(10, "g"), "MGT.child_start": counter(11), "MAIN.new_one": counter(12),
    }  # fmt: skip
    assert values(counters, old=old) == {
        "varnish_main_uptime": 7, "varnish_main_sessions_total": 1, "varnish_main_sessions,conn": 2,
        "varnish_main_fetch_total": 3, "varnish_main_fetch,304": 4, "varnish_lock_created,ban": 5,
        "varnish_lck_dbg_busy,ban": 6, "varnish_sma_g_bytes,transient": 7, "varnish_sma_c_req,s0": 8,
        "varnish_smf_g_smf_frag,s1": 9, "varnish_mempool_live,req0": 10, "varnish_mgt_child_start": 11,
        "varnish_main_new_one": 12,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("ident", "backend", "server"),
    [
        ("boot.default", "default", "unknown"),
        ("mine.default", "mine.default", "unknown"),
        ("root:default(10.0.0.1,,8080)", "default", "10.0.0.1:8080"),
        ("boot.udo.goto.00000000.(10.0.0.7).(http://x:80)", "udo.goto.00000000.(10.0.0.7)", "http://x:80"),
        ("11111111-2222-3333-8444-555555555555.web", "web", "11111111-2222-3333-8444-555555555555"),
    ],
)
def test_backends(ident: str, backend: str, server: str) -> None:
    assert values({f"VBE.{ident}.req": counter(1)})[f"varnish_backend_req,{backend},{server}"] == 1


@pytest.mark.parametrize(("happy", "up"), [(0, 0), (1, 1), (2, 0), (2**64 - 1, 1), (2**64 - 2, 0)])
def test_a_backend_is_up_when_its_last_probe_was_good(happy: int, up: int) -> None:
    found = values({"VBE.boot.web.happy": counter(happy, "b")})
    assert found["varnish_backend_up,web,unknown"] == up
    assert found["varnish_backend_happy,web,unknown"] == happy


def test_of_several_loaded_configurations_the_newest_counts() -> None:
    names = ("boot.a", "boot.gone", "reload_20260102_000000_9.a", "reload_20260103_000000_1.a", "mine.a")
    found = values({f"VBE.{name}.req": counter(number) for number, name in enumerate(names)})
    assert {name: value for name, value in found.items() if "backend" in name} == {
        "varnish_backend_req,a,unknown": 3, "varnish_backend_req,mine.a,unknown": 4}  # fmt: skip


@pytest.mark.parametrize(
    ("version", "labels"),
    [
        ("varnishstat (varnish-7.1.1 revision 7cee1c58)", "7,1,1,7cee1c58,7.1.1"),
        ("varnishstat (varnish-plus-6.0.13r2 revision ab)", "6,0,13,ab,6.0.13"),
        ("varnishstat (varnish-trunk)", None),
    ],
)
def test_the_version(version: str, labels: str | None) -> None:
    found = [name for name in values({}, version) if name.startswith("varnish_version")]
    assert found == ([f"varnish_version,{labels}"] if labels else [])


def test_a_gauge_that_was_counted_below_nothing_is_absent_and_so_is_what_is_no_number() -> None:
    odd = {f"MAIN.odd{number}": counter(value) for number, value in enumerate([-1, 1.5, "1", None, True, 10**400])}
    assert list(values({"MAIN.n_object": counter(2**64 - 3, "g"), "MAIN.n_new": counter(1, "g"), **odd})) == [
        "varnish_main_uptime"
    ]


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "null", "1", '{"counters": []}', "[" * 100_000, "1" * 9999, '{"MAIN.uptime": 1}', "\xff"]
)
def test_what_is_not_of_varnishstat_is_refused(text: str) -> None:
    with pytest.raises(ParseError, match="of varnishstat, found"):
        list(parse({"counters": text, "version": ""}))


NAMES = st.lists(
    st.sampled_from(["MAIN", "VBE", "LCK", "SMF", "boot", "reload_", "(", ")", ".", "..", "happy", "g_x", "²"])
)
ANY = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.integers(), max_size=2)


@given(st.dictionaries(NAMES.map(".".join), st.dictionaries(st.sampled_from(["flag", "value", "ident"]), ANY)))
def test_any_counters_are_read_as_far_as_they_go(counters: dict[str, Any]) -> None:
    text = json.dumps({"MAIN.uptime": counter(7), **counters})
    assert "varnish_main_uptime" in {sample.family.name for sample in parse({"counters": text, "version": "9" * 5000})}


def read(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str, timeout: float = 20) -> Reading:
    """With a program of that name that does as the script says."""
    program = folder / "varnishstat"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    (reading,) = trial(COLLECTOR, Varnish(directory=str(folder / "nowhere"), timeout=timeout))
    assert reading.bug is None
    return reading


@pytest.mark.parametrize(
    ("script", "outcome", "error"),
    [
        ("echo no server >&2; exit 1", "unreachable", "no server"),
        ("echo hello", "parse", "expected JSON of varnishstat, found 'hello"),
        ("exit 0", "parse", "expected JSON"),
        ("printf '\\377\\376{'", "parse", "expected JSON"),
        ("exec yes", "parse", "expected at most 4000000 bytes"),
        ("kill -9 $$", "unreachable", "varnishstat"),
    ],
)
def test_a_program_that_prints_anything_else(
    script: str, outcome: str, error: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading = read(tmp_path, monkeypatch, script)
    assert (reading.outcome, error in reading.error) == (outcome, True), reading.error


def test_a_program_that_never_ends_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reading = read(tmp_path, monkeypatch, "exec sleep 600", timeout=0.2)
    assert (reading.outcome, "no end within 0.2 s" in reading.error) == ("unreachable", True)
    reading = read(tmp_path, monkeypatch, "exec >&- 2>&-; exec sleep 600", timeout=0.2)
    assert reading.outcome == "unreachable"


def test_without_the_program_it_is_unsupported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (reading,) = trial(COLLECTOR, Varnish())
    assert (reading.outcome, reading.error) == ("unsupported", "varnishstat: no such program")


def test_each_server_is_proposed_once_by_its_directory() -> None:
    processes = (
        Process(5, "varnishd", "/usr/sbin/varnishd -j unix,user=vcache -F -a :6081 -s malloc,256m", "root", 1),
        Process(6, "cache-main", "/usr/sbin/varnishd -j unix,user=vcache -F -a :6081 -s malloc,256m", "vcache", 5),
        Process(7, "varnishd", "varnishd -n /srv/cache -a :80", "root", 1),
        Process(8, "varnishd", "varnishd -n /srv/cache -a :80", "vcache", 7),
        Process(9, "varnishd", "varnishd -F -nsecond", "root", 1),
    )
    proposals = list(discover(Inventory("h", processes)))
    assert [each.config for each in proposals] == [
        Varnish(), Varnish(directory="/srv/cache"), Varnish(directory="second")]  # fmt: skip
    assert {each.remedy for each in proposals} == {JOIN_GROUP}
    assert [COLLECTOR.target(each.config, "h").instance for each in proposals if each.config] == [
        "h", "h:/srv/cache", "h:second"]  # fmt: skip
