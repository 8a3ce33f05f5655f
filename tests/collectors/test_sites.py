"""From vhosts and docroots to sites: which folder a host leads to, what it is called, where it keeps things."""

import glob
import re
from pathlib import Path
from typing import Any

import pytest

from agent.look import configuration_texts
from collectors.inventory import Process, Site, build
from collectors.inventory.backends import backends, bin_backend
from collectors.inventory.fpm_conf import file_environment
from collectors.inventory.model import Pool, Vhost
from collectors.inventory.settings_php import Settings
from collectors.inventory.sites import directory_of, site_files, sites

EIGHT = "<?php\nclass Drupal {\n  const VERSION = '10.6.15';\n"
SEVEN = "<?php\ndefine('VERSION', '7.103');\n"
SETTINGS = "<?php $databases['default']['default'] = ['driver' => 'mysql', 'database' => '{name}'];"


def vhost(root: str, *names: str, port: int = 443, **more: Any) -> Vhost:
    settings = {"listens": (f"*:{port}",), "tls": port == 443, "fastcgi": ("unix:/run/php.sock",), "logs": ()}
    return Vhost("nginx", names, root, log_format="", **{**settings, **more})


def drupal(docroot: str, *directories: str, core: str = EIGHT, **files: str) -> dict[str, str]:
    file = "includes/bootstrap.inc" if core == SEVEN else "core/lib/Drupal.php"
    texts = {f"{docroot}/{file}": core}
    texts |= {f"{docroot}/sites/{each}/settings.php": SETTINGS.replace("{name}", each) for each in directories}
    return texts | {f"{docroot}/sites/{name}.php": text for name, text in files.items()}


def found(vhosts: list[Vhost], texts: dict[str, str], **more: Any) -> list[tuple[str, str, str, str]]:
    return [(s.name, s.docroot, s.directory, s.version) for s in sites("h", vhosts, (), texts, **more)]


def test_a_site_in_each_layout() -> None:
    vhosts = [vhost("/a", "a.test"), vhost("/b", "b.test"), vhost("/c/", "c.test"), vhost("/d/html", "d.test")]
    texts = drupal("/a", "default") | drupal("/b/web", "default") | drupal("/c/docroot", "default", core=SEVEN)
    texts |= drupal("/d/html", "default", core=EIGHT.replace("10.6.15", "11.x-dev"))
    assert found(vhosts, texts) == [
        ("a.test", "/a", "default", "10.6.15"), ("b.test", "/b/web", "default", "10.6.15"),
        ("c.test", "/c/docroot", "default", "7.103"), ("d.test", "/d/html", "default", "11.x-dev"),
    ]  # fmt: skip


def test_a_vhost_without_drupal_is_a_site_too() -> None:
    assert found([vhost("/static", "s.test"), vhost("", "gone.test"), vhost("/w", "_", "*.w.test")], {}) == [
        ("s.test", "/static", "", ""), ("h", "/w", "", ""),
    ]  # fmt: skip


def test_folders_without_sites_php_are_no_sites_of_their_own_names() -> None:
    texts = drupal("/a", "default", "shop.test", "simpletest", "all")
    (default, shop) = sites("h", [vhost("/a", "www.shop.test", "a.test")], (), texts)
    assert (default.name, default.hosts) == ("www.shop.test", ("www.shop.test", "a.test"))
    assert (shop.name, shop.hosts, shop.directory) == ("shop.test", (), "shop.test")


def test_multisite_by_folder_alias_and_port() -> None:
    aliases = "<?php $sites['shop.test'] = 'shop'; $sites['8080.b.test'] = 'blog'; $sites['gone.test'] = 'gone';"
    texts = drupal("/a", "default", "shop", "news.test", "blog", sites=aliases)
    vhosts = [vhost("/a", "www.shop.test", "en.news.test"), vhost("/a", "b.test", port=8080), vhost("/a", "b.test")]
    assert {s.directory: s.hosts for s in sites("h", vhosts, (), texts)} == {
        "blog": ("b.test",), "default": ("b.test",), "news.test": ("en.news.test",), "shop": ("www.shop.test",),
    }  # fmt: skip
    assert [s.name for s in sites("h", vhosts, (), texts)] == [
        "b.test",
        "b.test/default",
        "en.news.test",
        "www.shop.test",
    ]


@pytest.mark.parametrize(
    ("host", "port", "aliases", "directory"),
    [("a.b.test", "443", {}, "b.test"), ("b.test", "8443", {}, "8443.b.test"), ("x.test", "80", {}, "default"),
     ("x.test", "80", {"x.test": "b.test"}, "b.test"), ("b.test", "80", None, "default"), ("", "80", {}, "default"),
     ("x.test", "80", {"test": "b.test", "x.test": "none"}, "b.test")],
)  # fmt: skip
def test_the_search_is_drupals(host: str, port: str, aliases: Any, directory: str) -> None:
    assert directory_of(host, port, frozenset(("default", "b.test", "8443.b.test")), aliases) == directory


def test_a_site_is_named_after_its_tls_vhost_and_no_name_comes_twice() -> None:
    texts = drupal("/a", "default") | drupal("/b", "default") | drupal("/c", "default")
    vhosts = [
        vhost("/a", "old.test", port=80),
        vhost("/a", "a.test"),
        vhost("/b", "a.test", port=8080),
        vhost("/c", "_"),
    ]
    assert [s.name for s in sites("h", vhosts, (), texts)] == ["a.test", "a.test:8080", "h"]


def test_settings_that_are_shut_are_a_site_without_settings() -> None:
    blind = ["cannot read /a/sites/default/settings.php: Permission denied", "cannot read /etc/x: Permission denied"]
    (site,) = sites("h", [vhost("/a", "a.test")], (), drupal("/a"), blind)
    assert (site.name, site.settings, site.file) == ("a.test", None, "/a/sites/default/settings.php")


def test_the_environment_is_its_pools() -> None:
    texts = drupal("/a") | {
        "/a/sites/default/settings.php": "<?php $settings['x'] = getenv('X'); $settings['y'] = getenv('Y');"
    }
    pool = Pool("a", "unix:/run/php.sock", file="/etc/php/a.conf", environment=(("X", "hidden"),))
    (site,) = sites("h", [vhost("/a", "a.test")], [pool], texts)
    assert site.settings
    assert (site.settings.get("settings"), site.pool) == ({"x": "hidden", "y": False}, "/etc/php/a.conf")
    assert "hidden" not in repr(pool)


def test_env_lines_of_a_pools_file() -> None:
    text = "[a]\nenv[DB] = shop\nenv[P]='x y' ; why\nenv[H] = $HOSTNAME\nuser = a\n[b]\nenv[P]=other\nDOTTED=1\n"
    assert file_environment(text) == {"DB": "shop", "DOTTED": "1"}


def test_what_is_on_the_disk(tmp_path: Path) -> None:
    root = tmp_path / "x[1]" / "web"
    (root / "sites/default").mkdir(parents=True)
    (root / "core/lib").mkdir(parents=True)
    (root / "core/lib/Drupal.php").write_text(EIGHT)
    (root / "sites/default/settings.php").write_text(
        "<?php if (file_exists(__DIR__ . '/settings.local.php')) { require __DIR__ . '/settings.local.php'; }"
    )
    (root / "sites/default/settings.local.php").write_text("<?php $settings['here'] = 1;")
    main = tmp_path / "nginx.conf"
    main.write_text(f"http {{ server {{ listen 80; server_name a.test; root '{tmp_path}/x[1]'; }} }}")
    running = [Process(1, "nginx", f"nginx: master process nginx -c {main}", "root")]
    texts, _ = configuration_texts(running)
    site = next(site for site in build("h", running, (), texts).sites if site.name == "a.test")
    assert site.docroot == str(root)
    assert site.settings
    assert site.settings.get("settings", "here") == 1


def test_files_are_asked_for_in_all_layouts() -> None:
    patterns = site_files({}, [vhost("/a", "a"), vhost("$root/x", "b")])
    assert {re.sub(r"/a(/web|/docroot|/html)?/", "", each) for each in patterns} == {
        "core/lib/Drupal.php", "includes/bootstrap.inc", "sites/sites.php", "sites/*/settings.php",
    }  # fmt: skip
    assert len(patterns) == 16
    assert all(glob.escape("/a") in each for each in patterns)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, "database database database database"),
        ({"settings": {"cache": {"default": "cache.backend.redis"}}}, "redis database database database"),
        ({"settings": {"cache": {"default": "cache.backend.redis"}, "queue_default": "queue.redis",
                       "container_yamls": {0: "modules/contrib/redis/example.services.yml"}}},
         "redis redis redis redis"),
        ({"conf": {"cache_default_class": "MemCacheDrupal", "lock_inc": "./sites/all/memcache/memcache-lock.inc"}},
         "memcache memcache database database"),
        ({"settings": {"cache": {"default": "cache.backend.chainedfast"}}}, "database database database database"),
        ({"settings": {"cache": {"default": "cache.backend.mine"}}}, "other database database database"),
    ],
)  # fmt: skip
def test_what_keeps_caches_locks_flood_and_queues(variables: dict[str, Any], expected: str) -> None:
    assert " ".join(backends(Settings(variables)).values()) == expected


def test_a_bin_may_have_a_backend_of_its_own() -> None:
    settings = Settings(
        {"settings": {"cache": {"default": "cache.backend.redis", "bins": {"form": "cache.backend.database"}}}}
    )
    assert [bin_backend(settings, name) for name in ("form", "page")] == ["database", "redis"]
    older = Settings({"conf": {"cache_default_class": "Redis_Cache", "cache_class_cache_form": "DrupalDatabaseCache"}})
    assert [bin_backend(older, name) for name in ("form", "")] == ["database", "redis"]


def test_a_site_has_a_place() -> None:
    assert Site("a", "/srv/a", "default").file == "/srv/a/sites/default/settings.php"
