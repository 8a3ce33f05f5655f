"""Pools of this host as the inventory has them: what is proposed, and what would allow more."""

from dataclasses import replace
from typing import Any

import pytest

from collectors.inventory import Inventory, Listener, Pool, Process, Vhost
from collectors.phpfpm import COLLECTOR
from collectors.phpfpm.config import PROBE, Phpfpm

SHOP = Pool("shop", "unix:/run/php/shop.sock", "/s", "127.0.0.1:9001", max_children=7,
            file="/etc/php/8.2/fpm/pool.d/shop.conf", main="/etc/php/8.2/fpm/php-fpm.conf")  # fmt: skip


def test_a_pool_with_a_file_is_proposed_as_it_says() -> None:
    (proposal,) = COLLECTOR.discover(Inventory("h", pools=(SHOP,)))
    assert proposal.config == Phpfpm(
        address="unix:/run/php/shop.sock", pool="shop", status_path="/s", status_listen="127.0.0.1:9001",
        max_children=7, master="/etc/php/8.2/fpm/php-fpm.conf", opcache_probe=PROBE,
    )  # fmt: skip
    assert proposal.found == "PHP-FPM pool shop (/etc/php/8.2/fpm/pool.d/shop.conf) on unix:/run/php/shop.sock"
    assert "pm.status_path" not in proposal.remedy
    assert "\n    listen.acl_users = www-data,raingauge\n" in proposal.remedy
    assert proposal.remedy.endswith("then: systemctl reload php8.2-fpm")


def test_a_pool_whose_master_does_not_run_may_be_unused() -> None:
    (proposal,) = COLLECTOR.discover(Inventory("h", pools=(SHOP,)))
    assert proposal.unused == "no PHP-FPM runs with /etc/php/8.2/fpm/php-fpm.conf"
    master = Process(77, "php-fpm8.2", f"php-fpm: master process ({SHOP.main})", "root", 1)
    (proposal,) = COLLECTOR.discover(Inventory("h", (master,), pools=(SHOP,)))
    assert proposal.unused == ""
    inside = replace(SHOP, main=f"/proc/812/root{SHOP.main}")
    (proposal,) = COLLECTOR.discover(Inventory("h", pools=(inside,)))
    assert proposal.unused == ""


def test_without_status_path_the_remedy_has_the_line_and_the_file() -> None:
    blog = Pool("blog", "127.0.0.1:9000", file="/srv/pool.conf", main="/srv/fpm.conf")
    master = Process(77, "php-fpm", "php-fpm: master process (/srv/fpm.conf)", "root", 1)
    (proposal,) = COLLECTOR.discover(Inventory("h", (master,), pools=(blog,)))
    assert proposal.remedy.startswith("in /srv/pool.conf, under [blog], add:\n    pm.status_path = /fpm-status\n")
    assert "\n    pm.status_listen = 127.0.0.1:9001\n" in proposal.remedy
    assert proposal.remedy.endswith("then: kill -USR2 77")


def test_a_page_that_a_full_pool_would_not_answer_gets_a_socket_of_its_own() -> None:
    (proposal,) = COLLECTOR.discover(Inventory("h", pools=(replace(SHOP, status_listen=""),)))
    assert "pm.status_path" not in proposal.remedy
    assert (
        "in /etc/php/8.2/fpm/pool.d/shop.conf, under [shop], add:\n    pm.status_listen = /run/php/shop-status.sock\n"
        in proposal.remedy
    )


def test_a_pool_that_only_answers_pings_is_kept_and_the_page_still_asked_for() -> None:
    blog = Pool("blog", "unix:/run/php/blog.sock", ping_path="/ping", file="/srv/pool.conf", main="/srv/fpm.conf")
    kept, told = COLLECTOR.discover(Inventory("h", pools=(blog,)))
    assert isinstance(kept.config, Phpfpm)
    assert kept.config.ping_path == "/ping"
    assert told.config is None
    assert told.found.endswith("on unix:/run/php/blog.sock has no status page")
    assert "\n    pm.status_path = /fpm-status\n" in told.remedy
    assert "\n    pm.status_listen = /run/php/blog-status.sock\n" in told.remedy


def test_pools_of_one_name_of_several_masters_are_told_apart() -> None:
    pools = [replace(SHOP, listen=f"unix:/run/php/{version}.sock", main=f"/etc/php/{version}/fpm/php-fpm.conf",
                     file=f"/etc/php/{version}/fpm/pool.d/shop.conf") for version in ("7.4", "8.2", "8.3")]  # fmt: skip
    found = list(COLLECTOR.discover(Inventory("h", pools=tuple(pools))))
    assert len({each.found for each in found}) == 3
    assert len({COLLECTOR.target(each.config, "h") for each in found if each.config}) == 3
    assert [each.remedy.rpartition(" ")[2] for each in found] == ["php7.4-fpm", "php8.2-fpm", "php8.3-fpm"]


@pytest.mark.parametrize(
    ("main", "service"),
    [("/etc/php-fpm.conf", "php-fpm"), ("/etc/opt/remi/php83/php-fpm.conf", "php83-php-fpm"),
     ("/opt/plesk/php/8.1/etc/php-fpm.conf", "plesk-php8.1-fpm")],
)  # fmt: skip
def test_the_service_of_other_distributions_is_reloaded(main: str, service: str) -> None:
    (proposal,) = COLLECTOR.discover(Inventory("h", pools=(replace(SHOP, main=main),)))
    assert proposal.remedy.endswith(f"then: systemctl reload {service}")


@pytest.mark.parametrize(
    ("changes", "probe"),
    [({"chroot": "/srv/jail"}, ""), ({"open_basedir": "/srv/shop/:/tmp"}, ""),
     ({"open_basedir": "/usr/local/share"}, PROBE),
     ({"open_basedir": "/srv:/usr/local/share/raingauge/"}, PROBE), ({"open_basedir": "/usr/local/sha"}, ""),
     ({"open_basedir": "/"}, PROBE)],
)  # fmt: skip
def test_the_probe_is_not_tried_where_php_could_not_open_it(changes: dict[str, Any], probe: str) -> None:
    (proposal,) = COLLECTOR.discover(Inventory("h", pools=(replace(SHOP, **changes),)))
    assert isinstance(proposal.config, Phpfpm)
    assert proposal.config.opcache_probe == probe


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
