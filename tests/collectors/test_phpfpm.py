"""PHP-FPM: what is made of its answers and of the inventory; no server."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.errors import ParseError, Unsupported
from collectors.inventory import Inventory, Listener, Pool, Process, Vhost
from collectors.model import Sample
from collectors.phpfpm import COLLECTOR, pool, status
from collectors.phpfpm.config import Phpfpm

CHILD = {
    "state": "Running",
    "requests": 4,
    "request duration": 105,
    "last request cpu": 12.5,
    "last request memory": 2097152,
}
STATUS: dict[str, Any] = {
    "pool": "shop", "process manager": "dynamic", "start time": 1795340797, "start since": 2430, "accepted conn": 28106,
    "listen queue": 0, "max listen queue": 1, "listen queue len": 511, "idle processes": 1, "active processes": 2,
    "total processes": 3, "max active processes": 2, "max children reached": 0, "slow requests": 5,
    "processes": [CHILD],
}  # fmt: skip
URI = "unix:///run/a.sock;/fpm-status"
PAYLOAD: dict[str, Any] = {
    "pool": "x",
    "scrape_uri": URI,
    "tcp": False,
    "status": STATUS,
    "workers": None,
    "queue": [3, 128],
}


def values(samples: list[Sample]) -> dict[str, float]:
    return {",".join([sample.family.name, *sample.labels]): sample.value for sample in samples}


def parsed(**changes: Any) -> dict[str, float]:
    return values(list(status.parse(PAYLOAD | changes)))


def test_the_status_page_with_the_kernels_queue() -> None:
    found = parsed()
    assert found[f"phpfpm_active_processes,shop,{URI}"] == 2
    assert found[f"phpfpm_listen_queue,shop,{URI}"] == 3
    assert found[f"phpfpm_listen_queue_length,shop,{URI}"] == 128
    assert found[f"phpfpm_slow_requests,shop,{URI}"] == 5
    assert found[f"phpfpm_process_state,0,shop,{URI},Running"] == 1
    assert found[f"phpfpm_process_state,0,shop,{URI},Idle"] == 0
    assert found[f"phpfpm_process_request_duration,0,shop,{URI}"] == 105
    assert f"phpfpm_max_listen_queue,shop,{URI}" not in found


def test_an_unseen_queue_is_absent_on_a_unix_socket_and_the_pools_own_on_tcp() -> None:
    assert not [name for name in parsed(queue=None) if "listen_queue" in name]
    found = parsed(queue=None, tcp=True)
    assert found[f"phpfpm_listen_queue_length,shop,{URI}"] == 511
    assert found[f"phpfpm_max_listen_queue,shop,{URI}"] == 1


def test_a_full_pool_is_all_active() -> None:
    assert parsed(status=None, workers=8) == {
        f"phpfpm_active_processes,x,{URI}": 8, f"phpfpm_idle_processes,x,{URI}": 0,
        f"phpfpm_total_processes,x,{URI}": 8, f"phpfpm_listen_queue,x,{URI}": 3,
        f"phpfpm_listen_queue_length,x,{URI}": 128,
    }  # fmt: skip


@pytest.mark.parametrize(
    "wrong", [{}, {"pool": "a"}, {**STATUS, "processes": [1]}, {**STATUS, "accepted conn": "many"}]
)
def test_what_is_no_status_page_is_refused(wrong: Any) -> None:
    with pytest.raises(ParseError, match="expected PHP-FPM's status"):
        parsed(status=wrong)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON)
def test_nothing_else_escapes(wrong: Any) -> None:
    try:
        parsed(status=wrong, workers=1)
    except ParseError:
        return


def test_full_means_all_children_exist_and_are_busy() -> None:
    assert [pool.is_full(4, workers, busy) for workers, busy in ((4, 4), (4, 3), (3, 3), (4, 5))] == [
        True,
        False,
        False,
        True,
    ]
    assert pool.is_full(0, 4, 4) is pool.is_full(4, None, 4) is pool.is_full(4, 4, None) is None


def test_what_is_unknown_of_a_pool_is_absent() -> None:
    nothing = {"pool": "a", "max_children": 0, "workers": None, "queue": None}
    assert list(pool.parse(nothing)) == []
    asleep = {**nothing, "workers": [], "max_children": 3, "queue": {"waiting": 0, "limit": 511, "served": 0}}
    found = values(list(pool.parse(asleep)))
    assert found["php_fpm_pool_workers,a"] == found["php_fpm_pool_full,a"] == 0
    assert "php_fpm_pool_worker_resident_memory_max_bytes,a" not in found


def test_addresses_become_uris_and_instances() -> None:
    unix = Phpfpm(address="unix:/run/a.sock")
    assert unix.scrape_uri == URI
    assert COLLECTOR.instance(unix, "h") == "h:/run/a.sock"
    tcp = Phpfpm(address="127.0.0.1:9000", status_path="/status")
    assert tcp.scrape_uri == "tcp://127.0.0.1:9000/status"
    assert COLLECTOR.instance(tcp, "h") == "h:9000"
    apart = Phpfpm(address="unix:/run/a.sock", status_listen="127.0.0.1:9001", status_path="/s")
    assert apart.scrape_uri == "tcp://127.0.0.1:9001/s"
    assert COLLECTOR.instance(apart, "h") == "h:/run/a.sock"
    assert COLLECTOR.up is not None
    assert COLLECTOR.up(unix, 0) == status.UP(0, "www", URI)
    with pytest.raises(ValueError, match=r"expected host:port or unix:/path, found '/run/a.sock'"):
        Phpfpm(address="/run/a.sock")


def test_a_pool_without_status_path_is_not_asked() -> None:
    with pytest.raises(Unsupported, match=r"expected a pm.status_path, found none"):
        status.read(Phpfpm(address="unix:/nowhere", status_path=""))


SHOP = Pool("shop", "unix:/run/php/shop.sock", "/s", "127.0.0.1:9001", max_children=7,
            file="/etc/php/8.2/fpm/pool.d/shop.conf", main="/etc/php/8.2/fpm/php-fpm.conf")  # fmt: skip


def test_a_pool_with_a_file_is_proposed_as_it_says() -> None:
    (proposal,) = COLLECTOR.discover(Inventory("h", pools=(SHOP,)))
    assert proposal.config == Phpfpm(
        address="unix:/run/php/shop.sock", pool="shop", status_path="/s", status_listen="127.0.0.1:9001",
        max_children=7, master="/etc/php/8.2/fpm/php-fpm.conf",
    )  # fmt: skip
    assert proposal.found == "PHP-FPM pool shop (/etc/php/8.2/fpm/pool.d/shop.conf) on unix:/run/php/shop.sock"
    assert "pm.status_path" not in proposal.remedy
    assert "\n    listen.acl_users = www-data,raingauge\n" in proposal.remedy
    assert proposal.remedy.endswith("then: systemctl reload php8.2-fpm")


def test_without_status_path_the_remedy_has_the_line_and_the_file() -> None:
    blog = Pool("blog", "127.0.0.1:9000", file="/srv/pool.conf", main="/srv/fpm.conf")
    master = Process(77, "php-fpm", "php-fpm: master process (/srv/fpm.conf)", "root", 1)
    (proposal,) = COLLECTOR.discover(Inventory("h", (master,), pools=(blog,)))
    assert proposal.remedy.startswith("in /srv/pool.conf, under [blog], add:\n    pm.status_path = /fpm-status\n")
    assert proposal.remedy.endswith("then: kill -USR2 77")


def test_pools_without_a_readable_file() -> None:
    inventory = Inventory(
        "h",
        processes=(Process(5, "php-fpm8.2", "php-fpm: pool hidden", "x", 4),
                   Process(6, "php-fpm8.2", "php-fpm: pool shop_status", "x", 4)),
        listeners=(Listener("php-fpm8.2", 4, "0.0.0.0", 9000), Listener("php-fpm8.2", 4, path="/run/php/shop.sock"),
                   Listener("php-fpm8.2", 4, "127.0.0.1", 9001), Listener("nginx", 9, "0.0.0.0", 80)),
        vhosts=(Vhost("nginx", (), "", (), False, (), "",
                      ("unix:/var/run/php/shop.sock", "unix:$pool", "10.0.0.9:9000")),),
        pools=(SHOP,),
    )  # fmt: skip
    _, guess = COLLECTOR.discover(inventory)
    assert guess.config == Phpfpm(address="127.0.0.1:9000", pool="hidden")
    assert "pm.status_path = /fpm-status" in guess.remedy
