"""The probe in a real pool: what it tells, to whom, and what keeps it from running."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from agent.cli import main
from collectors.errors import Absent, Denied, ParseError, Unreachable, Unsupported
from collectors.phpfpm import memory, opcache, status
from collectors.phpfpm.asking import ask
from collectors.phpfpm.config import Phpfpm
from tests.collectors.test_phpfpm_servers import config_of, place, slow_requests, values, wait_for_queue
from tests.lab.servers import PhpFpm

pytestmark = pytest.mark.servers
__all__ = ["place"]

CACHES = (
    "-d", "zend_extension=opcache.so", "-d", "extension=apcu.so",
    "-d", "opcache.file_update_protection=0",  # else a script that was just written is not kept
)  # fmt: skip


def installed(place: Path) -> str:
    """Where it was put, as the manual says."""
    path = place / "probe.php"
    written = CliRunner().invoke(main, ["php-probe", "--to", str(path)])
    assert (written.exit_code, written.output) == (0, f"{path}\n")
    return str(path)


def told(place: Path, settings: str = "", options: tuple[str, ...] = CACHES, **changes: Any) -> dict[str, float]:
    with PhpFpm(place, children=2, settings=settings, options=options) as server:
        config = config_of(server, 2, opcache_probe=installed(place), timeout=5, **changes)
        ask_script(config, place)
        return values(config, opcache)


def ask_script(config: Phpfpm, place: Path) -> None:
    script = place / "page.php"
    script.write_text(
        "<?php if (function_exists('apcu_store')) { apcu_store('a', 1); apcu_fetch('a'); apcu_fetch('b'); }"
    )
    script.chmod(0o644)
    parameters = {"REQUEST_METHOD": "GET", "SCRIPT_FILENAME": str(script)}
    assert ask(config.address, parameters, 5, "the page").status == 200


def test_the_caches_of_the_pool(place: Path) -> None:
    found = told(place)
    assert found["php_info"] == found["php_opcache_enabled"] == 1
    assert found["php_opcache_cached_scripts"] >= 1
    assert found["php_opcache_memory_used_bytes"] + found["php_opcache_memory_free_bytes"] == pytest.approx(128 << 20)
    assert found["php_opcache_full"] == found["php_opcache_oom_restarts_total"] == 0
    assert found["php_apcu_entries"] == found["php_apcu_hits_total"] == found["php_apcu_misses_total"] == 1
    assert 0 < found["php_apcu_memory_free_bytes"] < found["php_apcu_memory_size_bytes"]
    assert "php_opcache_last_restart_timestamp_seconds" not in found


def test_without_extensions(place: Path) -> None:
    found = told(place, options=())
    assert found["php_opcache_enabled"] == 0
    assert not [name for name in found if "apcu" in name or "opcache_memory" in name]


def test_restricted_is_not_switched_off(place: Path) -> None:
    found = told(place, "php_admin_value[opcache.restrict_api] = /srv/elsewhere\n")
    assert "php_opcache_enabled" not in found
    assert found["php_info"] == 1


def test_what_the_manual_says_lets_it_run(place: Path) -> None:
    settings = f"php_admin_value[open_basedir] = /srv/shop:{place}/page.php:{place}/probe.php\n"
    found = told(place, f"{settings}php_admin_value[opcache.restrict_api] = {place}/probe\n")
    assert found["php_opcache_enabled"] == 1


def test_the_jit(place: Path) -> None:
    found = told(place, options=(*CACHES, "-d", "opcache.jit=tracing", "-d", "opcache.jit_buffer_size=16M"))
    assert 0 < found["php_opcache_jit_buffer_free_bytes"] <= found["php_opcache_jit_buffer_size_bytes"] <= 16 << 20


def test_who_comes_through_a_web_server_learns_nothing(place: Path) -> None:
    with PhpFpm(place, children=2, options=CACHES) as server:
        config, script = config_of(server, 2), installed(place)
        for more in ({}, {"PROBE_FROM": "raingauge", "REMOTE_ADDR": "192.0.2.1"}, {"HTTP_PROBE_FROM": "raingauge"}):
            answer = ask(config.address, {"REQUEST_METHOD": "GET", "SCRIPT_FILENAME": script, **more}, 5, "it")
            assert (answer.status, answer.body) == (404, "")


def test_what_keeps_it_from_running(place: Path) -> None:
    with PhpFpm(place, children=2, settings=f"php_admin_value[open_basedir] = {place}/site\n") as server:
        script = Path(installed(place))
        other = script.with_suffix(".txt")
        shutil.copy(script, other)
        with pytest.raises(Unsupported, match=r"found status 404; is it there, and within open_basedir\?"):
            opcache.read(config_of(server, 2, opcache_probe=str(place / "none.php")))
        with pytest.raises(Unsupported, match=r"found status \d+; is it there, and within open_basedir\?"):
            opcache.read(config_of(server, 2, opcache_probe=str(script)))
        with pytest.raises(Denied, match=r"its name has to end in .php"):
            opcache.read(config_of(server, 2, opcache_probe=str(other)))


def test_another_script_is_refused(place: Path) -> None:
    with PhpFpm(place, children=2) as server:
        for text in ("<?php echo 'hello';", '{"version": 1}', "[1, 2]"):
            script = place / "other.php"
            script.write_text(text)
            script.chmod(0o644)
            with pytest.raises(ParseError, match="probe"):
                opcache.parse(opcache.read(config_of(server, 2, opcache_probe=str(script))))


def test_a_full_pool_is_not_asked(place: Path) -> None:
    with PhpFpm(place, children=2, options=CACHES) as server, slow_requests(server, 2):
        config = config_of(server, 2, opcache_probe=installed(place))
        wait_for_queue(config, 0, 2)
        with pytest.raises(Unreachable, match="the pool is full"):
            opcache.read(config)
        wait_for_queue(config, 0, 2)


def test_private_memory(place: Path) -> None:
    with PhpFpm(place, children=2) as server:
        config = config_of(server, 2)
        private = values(config, memory)
        assert (
            0 < private["php_fpm_pool_worker_private_memory_p95_bytes"] < private["php_fpm_pool_private_memory_bytes"]
        )


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user")
def test_private_memory_is_absent_without_the_right(place: Path) -> None:
    with PhpFpm(place, children=2) as server:
        config = config_of(server, 2)
        child = os.fork()
        if not child:
            os.setuid(65534)
            try:
                memory.read(config)
            except Absent:
                os._exit(41)
            finally:
                os._exit(42)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 41


def test_a_pool_that_only_answers_pings_is_up(place: Path) -> None:
    with PhpFpm(place, children=2, settings="ping.path = /ping\n", status=False) as server:
        config = config_of(server, 2, status_path="", ping_path="/ping")
        assert set(values(config, status)) == {"phpfpm_listen_queue", "phpfpm_listen_queue_length"}
        with pytest.raises(Unsupported, match="expected the answer to a ping, found status 404"):
            status.read(config_of(server, 2, status_path="", ping_path="/other"))
        with slow_requests(server, 2):
            wait_for_queue(config, 0, 2)
            assert values(config, status)["phpfpm_active_processes"] == 2
