"""Files of sites: what must not lie among uploads, and what Drupal puts there itself."""

import json
import os
import pwd
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.errors import Absent, Denied
from collectors.inventory import Inventory, Pool, Process, Site, Vhost
from collectors.inventory.settings_php import Settings
from collectors.model import State
from collectors.security import COLLECTOR, files, filewalk
from collectors.security.config import Security, SiteFiles
from collectors.security.files import samples, step
from collectors.security.filewalk import kind

TWIG = "php/twig/62a1b0c3_block.html.twig_Wk3qX0aa/8uQe-3kZr5G0Yq_0Tn4m1Xb2cVd7sLw9pHfJgKoI6uE.php"
GUARD = "SetHandler Drupal_Security_Do_Not_Remove_See_SA_2006_006\n"


@pytest.fixture
def uploads(tmp_path: Path) -> Path:
    found = tmp_path / "files"
    put(found, TWIG)
    put(found, ".htaccess", GUARD)
    put(found, "php/.htaccess", GUARD)
    put(found, "2025-11/photo.jpg")
    put(tmp_path, "settings.php").chmod(0o444)
    return found


def put(folder: Path, name: str, text: str = "x") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def config(uploads: Path, user: str = "") -> Security:
    site = SiteFiles(name="shop", uploads=str(uploads), settings=str(uploads.parent / "settings.php"), user=user)
    return Security(sites=(site,))


def look(uploads: Path, state: State, user: str = "") -> tuple[State, list[tuple[str, str]]]:
    found, _ = filewalk.read(config(uploads, user), None)
    before = json.dumps(state)
    after, events = step(state, json.loads(json.dumps(found)))
    assert json.dumps(state) == before
    return json.loads(json.dumps(after)), [(event.title, event.severity) for event in events]


def findings(state: State) -> Mapping[str, float]:
    return {sample.labels[0]: sample.value for sample in samples(state) if sample.family is files.FINDINGS}


def counts(state: State) -> list[float]:
    return [sample.value for sample in samples(state) if sample.family is files.CHANGES]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a/x.php", "executable"), ("a/x.PhP7", "executable"), ("x.phtml", "executable"), ("x.phar", "executable"),
        ("x.php.jpg", "executable"), ("x.php_.txt", ""), ("photo.jpg", ""), (".user.ini", "executable"),
        (".htaccess", ""), ("php/.htaccess", ""),
        ("php/twig/6b077e009a718_page.html.twig_z_KhPQM8-_rBJO/.htaccess", ""), ("php/a/.htaccess", "config"),
        ("a/.htaccess", "config"), (TWIG, ""),
        ("php/twig/x.php", "executable"), ("php/twig/62a1b0c3_block/shell.php", "executable"),
        (f"a/{TWIG}", "executable"), ("config_abc-_1/sync/.htaccess", ""),
    ],
)  # fmt: skip
def test_kinds(path: str, expected: str) -> None:
    assert kind(path) == expected


def test_a_site_as_drupal_leaves_it(uploads: Path) -> None:
    state, told = look(uploads, {})
    assert told == []
    assert findings(state) == {"uploads_php": 0, "uploads_config": 0, "uploads_guard": 0, "cache_guard": 0}
    assert counts(state) == [0, 0]


def test_what_is_put_there_is_told_once(uploads: Path) -> None:
    put(uploads, "old.php")
    state, told = look(uploads, {})
    assert (told, findings(state)["uploads_php"]) == ([], 1)
    shell = put(uploads, "2025-11/\x1b[2J.php")
    put(uploads, "2025-11/.htaccess")
    (uploads / "php/.htaccess").unlink()
    state, told = look(uploads, state)
    assert sorted(told) == [
        ("PHP among the uploads of shop: 2025-11/?[2J.php", "critical"),
        ("Rules for the web server among the uploads of shop: 2025-11/.htaccess", "warning"),
        ("shop: the .htaccess of its compiled templates is gone or another", "warning"),
    ]
    assert (counts(state), findings(state)["uploads_php"]) == ([1, 1], 2)
    assert look(uploads, state)[1] == []
    shell.write_text("longer")
    assert [severity for _, severity in look(uploads, state)[1]] == ["critical"]
    shell.unlink()
    state, told = look(uploads, state)
    assert (told, findings(state)["uploads_php"]) == ([], 1)


def test_too_many_files_for_one_look(uploads: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """New folders come first, and what was there before is not told as new when it is reached at last."""
    for number in range(50):
        put(uploads, f"old{number}/x.php")
        os.utime(uploads / f"old{number}", (1e9, 1e9))
    monkeypatch.setattr(filewalk, "MOST_ENTRIES", 80)
    state, _ = look(uploads, {})
    assert {sample.value for sample in samples(state) if sample.family is files.COMPLETE} == {0}
    known = state["site:shop"]
    state["site:shop"] = {**known, "at": known["at"] + 1000}
    put(uploads, "new/x.php")
    monkeypatch.setattr(filewalk, "MOST_ENTRIES", 62)
    state_then, told = look(uploads, {"site:shop": known})
    assert ("PHP among the uploads of shop: new/x.php", "critical") in told
    monkeypatch.setattr(filewalk, "MOST_ENTRIES", 1000)
    state, told = look(uploads, state)
    assert (told, findings(state)["uploads_php"]) == ([], 51)
    assert state_then


def test_who_may_write_the_settings(uploads: Path) -> None:
    settings = uploads.parent / "settings.php"
    me = pwd.getpwuid(os.getuid()).pw_name
    state, _ = look(uploads, {}, me)
    assert findings(state)["settings_writable"] == 0
    settings.chmod(0o644)
    state, told = look(uploads, state, me)
    assert (findings(state)["settings_writable"], len(told)) == (1, 1)
    settings.chmod(0o664)
    assert findings(look(uploads, {}, me)[0])["settings_writable"] == 1
    assert "settings_writable" not in findings(look(uploads, {}, "nobody-of-this-name")[0])
    settings.chmod(0o666)
    assert findings(look(uploads, {})[0])["settings_writable"] == 1


def test_without_sites_uploads_or_the_right_to_them(uploads: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Absent, match="no Drupal site"):
        filewalk.read(Security(), None)
    state, told = look(uploads.parent / "none" / "files", {})
    assert (findings(state), told) == ({}, [])
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(Denied, match=r"permission denied; setfacl .*/files"):
        filewalk.read(config(uploads), None)


def test_what_is_put_there_is_told_at_once(uploads: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also in a folder that is new; what is no PHP waits for the next look."""
    monkeypatch.setattr(filewalk, "LEAST_SECONDS", 0.0)
    watched = config(uploads)
    payload, cursor = filewalk.read(watched, None)
    state, _ = step({}, payload)

    def wait(name: str) -> Any:
        nonlocal cursor
        put(uploads, name)
        until = time.monotonic() + 60
        while time.monotonic() < until:
            payload, cursor = filewalk.read(watched, json.loads(json.dumps(cursor)))
            if payload is not None:
                return payload
        return None

    for name in ("2025-11/x.php", "2026-01/new/y.php", "2026-01/new/z.phtml"):
        payload = wait(name)
        assert payload is not None, name
        state, events = step(state, payload)
        assert [dict(event.evidence[0])["path"] for event in events] == [name]
    monkeypatch.setattr(filewalk, "LEAST_SECONDS", 900.0)
    put(uploads, "2025-11/later.php")
    assert [filewalk.read(watched, cursor)[0] for _ in range(3)] == [None, None, None]


def test_links_are_not_followed(uploads: Path, tmp_path: Path) -> None:
    put(tmp_path, "elsewhere/x.php")
    (uploads / "link").symlink_to(tmp_path / "elsewhere")
    (uploads / "circle").symlink_to(uploads)
    assert findings(look(uploads, {})[0])["uploads_php"] == 0


@given(st.text())
def test_any_path(path: str) -> None:
    assert kind(path) in ("", "executable", "config")


def test_sites_come_from_the_inventory() -> None:
    def proposed(site: Site, **more: Any) -> Any:
        (found,) = COLLECTOR.discover(
            Inventory("h", (Process(1, "apache2", "apache2", "www-data"),), sites=(site,), **more)
        )
        assert isinstance(found.config, Security)
        return found.config.sites

    site = Site("shop", "/srv/web", "default", pool="/etc/pool.conf")
    assert proposed(site, pools=(Pool("www", "unix:/x", user="shop", file="/etc/pool.conf"),)) == (
        SiteFiles(name="shop", uploads="/srv/web/sites/default/files", settings="/srv/web/sites/default/settings.php",
                  user="shop", pool="/etc/pool.conf"),
    )  # fmt: skip
    vhost = Vhost("apache", ("shop",), "/srv/web", ("*:80",), False, (), "", (), mod_php=True)
    set_there = Settings({"settings": {"file_public_path": "media"}})
    (there,) = proposed(Site("shop", "/srv/web", "default", settings=set_there), vhosts=(vhost,))
    assert (there.uploads, there.user) == ("/srv/web/media", "www-data")
    assert proposed(Site("plain", "/srv/plain", "")) == ()
