"""The logs of a pool, followed: each target counts its own pool's, through rotation, and a log is not the server."""

import json
from pathlib import Path
from typing import Any

import pytest

from agent.reading import trial
from collectors.errors import Absent, Denied
from collectors.inventory import Inventory, Pool, fpm_pools
from collectors.model import Follower, State
from collectors.phpfpm import COLLECTOR
from collectors.phpfpm.config import Phpfpm
from collectors.phpfpm.discovery import discover
from collectors.phpfpm.logs import FOLLOWERS
from tests.collectors.test_phpfpm_errors import LOGS
from tests.collectors.test_phpfpm_logs import ERROR, SLOW
from tests.collectors.test_phpfpm_servers import config_of, place  # noqa: F401 - a fixture
from tests.lab.ports import wait_until
from tests.lab.servers import PhpFpm

SLOWLOG, LOG, ERRORS = FOLLOWERS
HEAD = "\n[25-Nov-2026 22:11:24]  [pool {}] pid 7\nscript_filename = /x/{}.php\n[0x00007fc488e153b0] f() /x/a.php:3\n"


def follow(follower: Follower, config: Phpfpm, state: State, cursor: Any) -> tuple[State, Any, list[Any]]:
    """Until nothing is new."""
    events: list[Any] = []
    while True:
        payload, cursor = json.loads(json.dumps(follower.read(config, cursor)))
        if payload is None:
            return state, cursor, events
        after, told = follower.step(state, payload)
        state, events = json.loads(json.dumps(after)), [*events, *told]


def counts(follower: Follower, state: State) -> dict[str, float]:
    return {" ".join([each.family.name, *each.labels]): each.value for each in follower.samples(state)}


def test_only_the_targets_own_pool_counts_and_rotation_loses_nothing(tmp_path: Path) -> None:
    log = tmp_path / "slow.log"
    log.write_text(HEAD.format("shop", "a") + HEAD.format("blog", "b") + "\n")
    config = Phpfpm(pool="shop", slowlog=str(log))
    state, cursor, _ = follow(SLOWLOG, config, {}, None)
    with log.open("a") as file:
        file.write(HEAD.format("shop", "a") + "\n")
    log.rename(tmp_path / "slow.log.1")
    log.write_text(HEAD.format("blog", "b") + HEAD.format("shop", "c") + "\n")
    state, cursor, _ = follow(SLOWLOG, config, state, cursor)
    assert counts(SLOWLOG, state) == {
        "php_slow_requests_total shop a.php f() a.php": 2,
        "php_slow_requests_total shop c.php f() a.php": 1,
        "php_slow_requests_by_module_total shop none": 3,
    }
    assert follow(SLOWLOG, config, state, cursor)[0] == state


def test_what_the_master_says_concerns_each_pool(tmp_path: Path) -> None:
    log = tmp_path / "fpm.log"
    text = (
        "[25-Nov-2026 22:11:08] WARNING: [pool {0}] server reached pm.max_children setting (5), consider raising it\n"
    )
    master = "[25-Nov-2026 22:11:09] ERROR: failed processes threshold (2 in 60 sec) is reached, initiating reload\n"
    log.write_text(text.format("shop") + text.format("blog") * 2 + master)
    for pool, reached in (("shop", 1), ("blog", 2)):
        state, _, _ = follow(LOG, Phpfpm(pool=pool, error_log=str(log)), {}, None)
        assert counts(LOG, state) == {
            f"php_fpm_log_total {pool} max_children": reached,
            f"php_fpm_log_total {pool} emergency_restart": 1,
        }


def test_errors_that_were_there_before_are_counted_and_no_news(tmp_path: Path) -> None:
    log = tmp_path / "php.log"
    log.write_text(LOGS["php"])
    config = Phpfpm(php_error_log=str(log))
    state, cursor, events = follow(ERRORS, config, {}, None)
    assert (counts(ERRORS, state)["php_errors_total exception"], events) == (3, [])
    with log.open("a") as file:
        file.write("[25-Nov-2026 10:00:00 UTC] PHP Fatal error:  Uncaught Error: new in /srv/web/index.php:3\n")
    state, _, events = follow(ERRORS, config, state, cursor)
    assert counts(ERRORS, state)["php_errors_total fatal"] == 3
    assert [event.title for event in events] == ["New PHP fatal: Uncaught Error: new"]


@pytest.mark.parametrize("follower", FOLLOWERS, ids=lambda follower: follower.name)
def test_a_log_that_is_not_there_or_shut(follower: Follower, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = str(tmp_path / "log")
    config = Phpfpm(slowlog=path, error_log=path, php_error_log=path)
    with pytest.raises(Absent):
        follower.read(config, None)

    def shut(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "open", shut)
    with pytest.raises(Denied, match=r"adm raingauge"):
        follower.read(config, None)
    assert not follower.wanted(Phpfpm())


def test_a_log_does_not_make_a_pool_that_is_down_a_good_find(tmp_path: Path) -> None:
    log = tmp_path / "slow.log"
    log.write_text(SLOW + ERROR)
    found = trial(COLLECTOR, Phpfpm(address=f"unix:{tmp_path}/none.sock", pool="shop", slowlog=str(log)))
    outcomes = {reading.part.name: (reading.outcome, reading.part.beside) for reading in found}
    assert outcomes["slowlog"] == ("ok", True)
    assert outcomes["status"] == ("unreachable", False)
    assert {"log", "errors"} & outcomes.keys() == set()


def test_the_files_of_fpm_say_where_its_logs_are() -> None:
    main = "[global]\nerror_log = /var/log/php8.2-fpm.log\ninclude=/etc/php/8.2/fpm/pool.d/*.conf\n"
    pools = (
        "[shop]\nlisten = 9000\nslowlog = log/$pool.slow\nphp_admin_value[error_log] = /var/log/shop.log\n"
        "[jail]\nlisten = 9001\nchroot = /srv/jail/\nphp_value[error_log] = /log/php.log\n"
        "[plain]\nlisten = 9002\nphp_admin_value[error_log] = syslog\n"
    )
    texts = {"/etc/php/8.2/fpm/php-fpm.conf": main, "/etc/php/8.2/fpm/pool.d/a.conf": pools}
    found = fpm_pools(texts, "/etc/php/8.2/fpm/php-fpm.conf")
    assert [(pool.slowlog, pool.php_error_log) for pool in found] == [
        ("/usr/log/shop.slow", "/var/log/shop.log"), ("", "/srv/jail/log/php.log"), ("", ""),
    ]  # fmt: skip
    assert {pool.error_log for pool in found} == {"/var/log/php8.2-fpm.log"}


def test_what_is_shut_is_said_once_and_not_tried() -> None:
    pools = tuple(
        Pool(name, f"unix:/run/{name}.sock", slowlog=f"/var/log/{name}.slow", error_log="/var/log/php8.2-fpm.log")
        for name in ("shop", "blog")
    )
    shop, blog, finding = discover(Inventory("h", pools=pools, shut_logs=("/var/log/php8.2-fpm.log",)))
    assert [(each.slowlog, each.error_log) for each in (shop.config, blog.config) if isinstance(each, Phpfpm)] == [
        ("/var/log/shop.slow", ""), ("/var/log/blog.slow", ""),
    ]  # fmt: skip
    assert finding.config is None
    assert finding.found == "/var/log/php8.2-fpm.log, a log of PHP-FPM pool shop, blog"
    assert "chmod 640 /var/log/php8.2-fpm.log" in finding.remedy


@pytest.mark.servers
def test_what_a_real_pool_writes(place: Path) -> None:  # noqa: F811
    slow, errors = place / "slow.log", place / "php.log"
    errors.touch()
    errors.chmod(0o666)
    settings = (
        f"slowlog = {slow}\nrequest_slowlog_timeout = 1s\nphp_admin_value[error_log] = {errors}\n"
        "php_admin_flag[log_errors] = on\n"
    )
    with PhpFpm(place, settings=settings) as server:
        script = place / "slow.php"
        script.write_text("<?php function wait() { usleep(2500000); } wait(); trigger_error('bad', E_USER_WARNING);")
        script.chmod(0o644)
        logs: dict[str, Any] = {
            "slowlog": str(slow),
            "error_log": str(place / "php-fpm.log"),
            "php_error_log": str(errors),
        }
        config = config_of(server, **logs)
        known = {each.name: follow(each, config, {}, None)[:2] for each in FOLLOWERS}
        run(server, script)
        wait_until(lambda: "usleep()" in slow.read_text(), 20, "the slow log's entry")
        found: dict[str, float] = {}
        for each in FOLLOWERS:
            found |= counts(each, follow(each, config, *known[each.name])[0])
        traced = [name for name in found if name.startswith("php_slow_requests_total lab slow.php usleep()")]
        assert [found[name] for name in traced] == [1]
        assert found["php_fpm_log_total lab slow"] == 1
        assert found["php_errors_total warning"] == 1


def run(server: PhpFpm, script: Path) -> None:
    from collectors.phpfpm.asking import ask

    parameters = {"REQUEST_METHOD": "GET", "SCRIPT_NAME": "/slow.php", "SCRIPT_FILENAME": str(script)}
    assert ask(f"unix:{server.socket}", parameters, 20, "run the script").status == 200
