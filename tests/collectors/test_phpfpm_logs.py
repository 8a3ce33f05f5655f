"""PHP-FPM's slow log and error log: what a real one counts, in whatever pieces it comes, and whatever is in it."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.phpfpm import errorlog, logtext, slowlog

DATA = Path(__file__).parents[1] / "data" / "phpfpm-logs"
SLOW = (DATA / "php-8.2-slow.log").read_text()
ERROR = (DATA / "php-8.2-error.log").read_text()
LINES = [line + "\n" for line in (SLOW + ERROR).splitlines()]
FORGED = (
    "WARNING: [pool a] child 7, script '/x.php' (request: \"GET /?server reached pm.max_children setting (5)\") "
    "executing too slow (1.2 sec), logging"
)
READERS = pytest.mark.parametrize("log", [slowlog, errorlog], ids=["slow", "error"])


def counted(log: Any, *pieces: str) -> tuple[Any, Any]:
    """The state goes through JSON between two pieces, as it may be kept in a file."""
    state, totals = log.step(log.start(), "")
    for piece in pieces:
        state, totals = log.step(json.loads(json.dumps(state)), piece)
    return state, totals


def test_slow_requests_by_place_and_by_module() -> None:
    _, totals = counted(slowlog, SLOW)
    assert totals.places == {
        ("shop", "index.php", "usleep() Database.php"): 7,
        ("shop", "index.php", "usleep() a Twig template"): 2,
        ("shop", "index.php", "usleep() index.php"): 3,
    }
    assert totals.modules == {("shop", "shop_stock"): 4, ("shop", "twig"): 2, ("shop", "none"): 6}
    found = list(slowlog.samples(totals))
    assert sum(sample.value for sample in found if sample.family is slowlog.SLOW) == 12


def test_a_request_without_frames_counts_when_the_next_begins() -> None:
    head = "\n[25-Nov-2026 22:11:24]  [pool a] pid 7\n"
    _, totals = counted(slowlog, head)
    assert totals.places == {}
    _, totals = counted(slowlog, head, "script_filename = /x/shop.php\n", head)
    assert totals.places == {("a", "shop.php", "unknown"): 1}
    _, totals = counted(slowlog, head * 2)
    assert totals.places == {("a", "unknown", "unknown"): 1}


@pytest.mark.parametrize(
    ("path", "script"),
    [("/home/anna/public_html/index.php", "index.php"), ("/var/www/html/core/install.php", "core/install.php"),
     ("/var/www/shop/web/update.php", "update.php"), ("/srv/anna/sites/run.php", "run.php"), ("index.php", "index.php"),
     ("", ""), ("/web/", ""), ("/var/www/" + "a" * 200 + ".php", "a" * 80)],
)  # fmt: skip
def test_a_script_is_named_within_its_site(path: str, script: str) -> None:
    text = f"[25-Nov-2026 22:11:24]  [pool a] pid 7\nscript_filename = {path}\n[0x00] f() /home/anna/x.php:1\n"
    _, totals = counted(slowlog, text)
    assert list(totals.places) == [("a", script, "f() x.php")]


@pytest.mark.parametrize(
    ("line", "frame"),
    [("[0x0a] usleep() /srv/x.php(5) : eval()'d code:1", "usleep() x.php"),
     ("[0x0a] [INCLUDE_OR_EVAL]() /srv/x.php:5", "[INCLUDE_OR_EVAL]() x.php"),
     ("[0x0a] App\\{closure:/home/anna/x.php:12}() /home/anna/x.php:12", "App\\{closure}() x.php"),
     ("[0x0a] Base@anonymous\0/home/anna/x.php:3$0->run() /home/anna/x.php:4", "Base() x.php"),
     ("[0x0a] sleep() unknown:0", "sleep() unknown"), ("[0x0a] ???() /a/b.php:0", "???() b.php"),
     ("[0x0a] gc() /a\t/b\x1b.php:0", "gc() b?.php"), ("[0x0a] main()", "main()")],
)  # fmt: skip
def test_a_frame_is_a_function_and_a_files_name(line: str, frame: str) -> None:
    text = f"[25-Nov-2026 22:11:24]  [pool a] pid 7\nscript_filename = /web/a.php\n{line}\n"
    assert list(counted(slowlog, text)[1].places) == [("a", "a.php", frame)]


@pytest.mark.parametrize(
    ("file", "module"),
    [("/srv/web/modules/contrib/bulk/src/A.php", "bulk"), ("/srv/web/core/modules/views/src/A.php", "views"),
     ("/srv/web/sites/all/modules/ctools/ctools.module", "ctools"), ("/srv/web/themes/custom/shop/shop.theme", "shop"),
     ("/srv/vendor/a/b/C.php", ""), ("/srv/web/modules/README.php", ""),
     ("/srv/web/sites/a/files/php/twig/1_b/c.php", "twig")],
)  # fmt: skip
def test_the_innermost_module_is_named(file: str, module: str) -> None:
    frames = (
        f"[0x0a] f() /srv/vendor/x/Y.php:1\n[0x0b] g() {file}:2\n[0x0c] h() /srv/web/modules/custom/outer/o.php:3\n"
    )
    head = "[25-Nov-2026 22:11:24]  [pool a] pid 7\nscript_filename = /web/a.php\n"
    assert list(counted(slowlog, head + frames)[1].modules) == [("a", module or "outer")]


def test_what_the_error_log_says() -> None:
    _, totals = counted(errorlog, ERROR)
    assert {kind: number for (_, kind), number in totals.items()} == {
        "slow": 12, "fatal": 1, "memory": 1, "killed": 1, "crash": 1, "timeout": 1, "max_children": 1,
    }  # fmt: skip
    assert {pool for pool, _ in totals} == {"shop"}


@pytest.mark.parametrize(
    ("said", "kind"),
    [("WARNING: [pool a] seems busy (you may need to increase pm.start_servers, or ...), spawning 8 children", "busy"),
     ("WARNING: [pool a] child 7 exited with code 255 after 3.2 seconds from start", "exit"),
     ("NOTICE: [pool a] child 7 exited with code 0 after 3.2 seconds from start", ""),
     ("WARNING: [pool a] child 7 exited on signal 15 (SIGTERM) after 3.1 seconds from start", ""),
     ("WARNING: [pool a] child 7 exited on signal 7 (SIGBUS - core dumped) after 3.1 seconds from start", "crash"),
     ("WARNING: failed processes threshold (10 in 60 sec) is reached, initiating reload", "emergency_restart"),
     ("ERROR: unable to bind listening socket for address '/run/a.sock': Address already in use (98)", "listen"),
     ("PHP Fatal error:  Out of memory (allocated 2097152 bytes) (tried to allocate 9) in /x.php", "memory"),
     ("PHP Warning:  something", ""),
     ('WARNING: [pool a] child 7 said into stderr: "child 8 exited on signal 11 (SIGSEGV) after 1 seconds"', ""),
     (FORGED, "slow")],
)  # fmt: skip
def test_lines_of_the_error_log(said: str, kind: str) -> None:
    _, totals = counted(errorlog, f"[25-Nov-2026 22:11:24] {said}\r\n[25-Nov-2026 22:11:24 UTC] {said}\n")
    assert totals == ({("a" if "[pool a]" in said else "", kind): 2} if kind else {})


def cut(text: str, at: list[int]) -> list[str]:
    places = sorted({0, len(text), *(each % (len(text) + 1) for each in at)})
    return [text[a:b] for a, b in pairwise(places)]


texts = st.lists(
    st.sampled_from(LINES) | st.text(max_size=30) | st.sampled_from(["\n", "\r\n", "x" * 5000]), max_size=25
)


@READERS
@given(pieces=texts.map("".join), at=st.lists(st.integers(0, 10_000), max_size=12))
def test_in_whatever_pieces_it_comes_the_counts_are_the_same(log: Any, pieces: str, at: list[int]) -> None:
    assert counted(log, *cut(pieces, at)) == counted(log, pieces) or not pieces


@READERS
@given(st.text())
def test_any_text_is_read(log: Any, text: str) -> None:
    counted(log, text, SLOW, ERROR, text)


@READERS
def test_state_stays_small_whatever_a_log_says(log: Any) -> None:
    state = log.start()
    for n in range(400):
        state, totals = log.step(
            state,
            f"[25-Nov-2026 22:11:24]  [pool p{n}] pid 7\nscript_filename = /web/{n}.php\n[0x0a] f{n}() /m{n}.php:1\n"
            f"[0x0b] g() /web/modules/m{n}/m.php:2\n"
            f"[25-Nov-2026 22:11:24] WARNING: [pool p{n}] seems busy (you may ...\n" + "x" * 10_000,
        )
        state, totals = log.step(state, "\n")
    assert len(json.dumps(state)) < 40_000
    counts = totals.places if log is slowlog else totals
    assert sum(counts.values()) == 400
    assert any(key[0] == logtext.OTHER for key in counts)
    for each in log.samples(totals):
        assert len({sample.labels[0] for sample in log.samples(totals)}) <= each.family.bounds["pool"]
