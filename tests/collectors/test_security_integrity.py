"""Code and configuration that changes: what is told, what a deploy makes of it, what is never kept."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.errors import Absent
from collectors.model import Event, State
from collectors.security import integrity, integrityread
from collectors.security.config import Security, SiteFiles
from collectors.security.integrity import samples, step, zone_of
from collectors.security.masking import masked

SETTINGS = """<?php
$databases['default']['default'] = ['database' => 'shop', 'password' => 'first-secret', 'host' => 'localhost'];
$settings['hash_salt'] = 'salt-of-the-site';
$settings['trusted_host_patterns'] = ['^shop\\.example$'];
"""


class Watched:
    """A site in a folder, looked at minute by minute."""

    def __init__(self, root: Path, clock: list[float]) -> None:
        self.root, self.clock = root, clock
        self.state: State = {}
        self.cursor: object = None
        put(root, "web/index.php", "<?php // front")
        put(root, "web/core/lib/Drupal.php")
        put(root, "web/core/modules/node/node.module")
        put(root, "web/modules/contrib/token/token.module")
        put(root, "web/modules/custom/shop/shop.module")
        put(root, "web/sites/default/settings.php", SETTINGS)
        put(root, "web/sites/default/files/upload.php")
        put(root, "vendor/composer/installed.json")
        put(root, "vendor/a/b.php")
        put(root, "composer.lock", "{}")
        put(root, "etc/nginx/nginx.conf", "events {}\n")
        put(root, "etc/apache2/apache2.conf", "Listen 8080\n")
        put(root, "etc/nginx/sites-enabled/shop.conf", "server { fastcgi_param DB_PASSWORD hidden-word; }\n")
        site = SiteFiles(
            name="shop", uploads=str(root / "web/sites/default/files"),
            settings=str(root / "web/sites/default/settings.php"),
        )  # fmt: skip
        self.config = Security(rootfs=str(root), sites=(site,))

    def look(self, seconds: float = 61.0) -> list[Event]:
        self.clock[0] += seconds
        payload, self.cursor = integrityread.read(self.config, json.loads(json.dumps(self.cursor)))
        before = json.dumps(self.state)
        if payload is None:
            return []
        after, events = step(self.state, json.loads(json.dumps(payload)))
        assert json.dumps(self.state) == before
        self.state = json.loads(json.dumps(after))
        return list(events)

    def told(self, looks: int = 4, seconds: float = 61.0) -> list[Event]:
        return [event for _ in range(looks) for event in self.look(seconds)]

    def a_day(self) -> list[Event]:
        return [*self.look(86_500), *self.told()]


def put(root: Path, name: str, text: str = "<?php") -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    clock = [1_800_000_000.0]
    monkeypatch.setattr("time.time", lambda: clock[0])
    found = Watched(tmp_path, clock)
    assert found.told(6) == []
    assert found.state["passes"] == 1
    yield found
    assert_no_secrets(found)


def assert_no_secrets(found: Watched) -> None:
    kept = json.dumps([found.state, found.cursor])
    assert not any(word in kept for word in ("first-secret", "second-secret", "salt-of-the-site", "hidden-word"))


def summary(events: list[Event]) -> list[tuple[str, str, int, str]]:
    return sorted((event.kind, event.severity, event.count, event.title) for event in events)


def counts(state: State) -> dict[str, float]:
    found = {" ".join(each.labels): each.value for each in samples(state) if each.family is integrity.TOTAL}
    return {name: value for name, value in found.items() if value}


@pytest.mark.parametrize(
    ("path", "zone"),
    [
        ("index.php", "core"), ("core/lib/Drupal.php", "core"), ("includes/bootstrap.inc", "core"), ("x.php", "core"),
        ("modules/node/node.module", "core"), ("modules/contrib/token/token.module", "contrib"),
        ("sites/all/modules/contrib/views/views.module", "contrib"), ("libraries/x/x.js", "contrib"),
        ("modules/custom/shop/shop.module", "custom"), ("sites/all/modules/own/own.module", "custom"),
        ("sites/default/settings.local.php", "settings"), ("sites/default/services.yml", "settings"),
        ("sites/sites.php", "settings"), ("blog/wp.php", "custom"),
    ],
)  # fmt: skip
def test_zones(path: str, zone: str) -> None:
    assert zone_of("code", path) == zone


def test_what_is_as_it_was_is_no_news(watched: Watched) -> None:
    assert watched.a_day() == []
    assert counts(watched.state) == {}
    assert {each.labels[2] for each in samples(watched.state) if each.labels} == {"", "shop"}


def test_custom_code_and_settings_are_told_within_minutes(watched: Watched) -> None:
    put(watched.root, "web/modules/custom/shop/shop.module", "<?php eval(1);")
    put(watched.root, "web/modules/custom/shop/src/new.php")
    put(watched.root, "web/sites/default/settings.php", SETTINGS.replace("first-", "second-") + "ini_set('x', 1);\n")
    events = watched.told()
    assert summary(events) == [
        ("security.code", "warning", 1, "shop: file of custom code added: modules/custom/shop/src/new.php"),
        ("security.code", "warning", 1, "shop: file of custom code changed: modules/custom/shop/shop.module"),
        ("security.code", "warning", 1, "shop: settings changed: sites/default/settings.php"),
    ]
    settings = next(event for event in events if "settings" in event.title)
    assert [record["line"] for record in settings.evidence if "line" in record] == ["+ini_set('x', 1);"]
    assert settings.evidence[0]["before"] != settings.evidence[0]["after"]
    assert counts(watched.state) == {
        "custom added shop": 1, "custom changed shop": 1, "settings changed shop": 1,
    }  # fmt: skip
    assert watched.told() == []


def test_a_secret_that_changed_shows_no_line(watched: Watched) -> None:
    put(watched.root, "web/sites/default/settings.php", SETTINGS.replace("first-", "second-"))
    (event,) = watched.told()
    assert event.evidence[1]["line"] == "only what is secret or a comment changed"


def test_the_daily_pass_finds_the_rest_and_folds_it(watched: Watched) -> None:
    for number in range(30):
        put(watched.root, f"web/core/modules/node/src/s{number}.php")
    put(watched.root, "web/core/lib/Drupal.php", "<?php other")
    (watched.root / "web/modules/contrib/token/token.module").unlink()
    (watched.root / "web/modules/contrib/token").rmdir()
    assert watched.told() == []
    assert summary(watched.a_day()) == [
        ("security.code", "info", 1,
         "shop: file of a contributed project removed: modules/contrib/token/token.module"),
        ("security.code", "warning", 1, "shop: file of core changed: core/lib/Drupal.php"),
        ("security.code", "warning", 30, "shop: file of core added: core/modules/node/src/s0.php and 29 more"),
    ]  # fmt: skip


def test_a_deploy_is_one_event_of_no_concern(watched: Watched) -> None:
    put(watched.root, "web/modules/custom/shop/shop.module", "<?php release 2")
    put(watched.root, "web/index.php", "<?php // other front")
    assert watched.look(10) == []
    put(watched.root, "composer.lock", '{"release": 2}')
    put(watched.root, "vendor/a/new.php")
    events = watched.told()
    assert [(event.kind, event.severity) for event in events] == [("security.code_deployed", "info")]
    assert "1 core changed, 1 custom changed" in events[0].title
    watched.clock[0] += 7200
    put(watched.root, "web/index.php", "<?php // a stranger's front")
    assert [event.severity for event in watched.told()] == ["warning"]


def test_a_deploy_that_was_announced(watched: Watched) -> None:
    put(watched.root, "web/modules/custom/shop/shop.module", "<?php release 2")
    watched.clock[0] += 61
    payload, watched.cursor = integrityread.read(watched.config, watched.cursor)
    at = watched.clock[0]
    watched.state, _ = step(watched.state, {**payload, "heard": [["shop", at - 30]]})
    assert [event.kind for event in watched.told()] == ["security.code_deployed"]


def test_configuration_of_a_server(watched: Watched) -> None:
    conf = watched.root / "etc/nginx/sites-enabled/shop.conf"
    conf.write_text(conf.read_text() + "location /x { return 200; }\n")
    (event,) = watched.told()
    assert (event.severity, event.site, event.title) == (
        "warning", "", "Servers: configuration of the web server changed: nginx/sites-enabled/shop.conf",
    )  # fmt: skip
    assert event.evidence[1]["line"] == "+location /x { return 200; }"
    put(watched.root, "var/lib/dpkg/status")
    conf.write_text("server {}\n")
    assert [event.severity for event in watched.told()] == ["info"]


def test_a_pass_takes_little_at_a_time(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(integrityread, "STEP_FILES", 2)
    watched.look(86_500)
    assert watched.state["passes"] == 1
    looks = 0
    while watched.state["passes"] == 1 and looks < 50:
        watched.look(1)
        looks += 1
    assert 2 < looks < 20


def test_a_new_site_is_a_baseline_and_a_lost_one_no_news(watched: Watched) -> None:
    site = watched.config.sites[0]
    put(watched.root, "other/sites/default/settings.php", SETTINGS)
    put(watched.root, "other/index.php")
    other = SiteFiles(name="other", uploads="/none", settings=str(watched.root / "other/sites/default/settings.php"))
    watched.config = Security(rootfs=str(watched.root), sites=(site, other))
    assert watched.told(6) == []
    put(watched.root, "other/shell.php")
    assert [event.site for event in watched.told()] == ["other"]
    watched.config = Security(rootfs=str(watched.root), sites=(site,))
    assert [*watched.told(6), *watched.a_day()] == []


def test_inotify_tells_at_once(watched: Watched) -> None:
    """The look does not wait for its minute where the kernel says that something changed."""
    pytest.importorskip("watchfiles")
    watched.look(61)
    put(watched.root, "web/sites/default/settings.php", SETTINGS + "// x\nreturn;\n")
    for _ in range(200):
        watched.look(0.01)
        if counts(watched.state):
            break
    assert counts(watched.state) == {"settings changed shop": 1}


def test_without_anything_to_watch(tmp_path: Path) -> None:
    with pytest.raises(Absent, match="no site"):
        integrityread.read(Security(rootfs=str(tmp_path)), None)


WORD = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="'\"\\$<>#;/*"), min_size=8)


@given(WORD, st.sampled_from([
    "$databases['default']['default']['password'] = '%s';", "  'password' => '%s',", "'password' =>\n    \"%s\",",
    "$settings['hash_salt'] = '%s';", "$config['smtp.settings']['smtp_password']= '%s';", "define('DB_PASS', '%s');",
    "$drupal_hash_salt = '%s';", "$settings['hash_salt'] = <<<EOT\n%s\nEOT;\n", "SetEnv DB_PASSWORD %s",
    "env[DB_PASSWORD] = %s", "fastcgi_param API_TOKEN %s;", "proxy_set_header Authorization %s;",
    "$url = 'mysql://shop:%s@db/shop';", "// the old password was '%s'",
]))  # fmt: skip
def test_secrets_are_masked(word: str, line: str) -> None:
    secret = f"Zq9{word}"
    assert secret not in masked(f"<?php\n$a = 1;\n{line % secret}\n$b = 2;")


def test_what_is_not_secret_stays() -> None:
    text = masked(SETTINGS)
    assert "'database' => 'shop'" in text
    assert "'^shop\\.example$'" in text
