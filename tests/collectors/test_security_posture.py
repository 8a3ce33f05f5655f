"""How sites are set up: what is found over HTTP and TLS, in php.ini and in settings.php, and what of it is news."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from collectors.errors import Absent
from collectors.inventory import Inventory, Process, Site, Vhost
from collectors.model import Event, State
from collectors.security import COLLECTOR, posture, postureread
from collectors.security.config import Security, SiteFiles
from collectors.security.posture import FINDING, findings, judged, samples, step
from tests.lab.certificates import Authority
from tests.lab.servers import Nginx

SAFE = {
    "x-content-type-options": "nosniff", "x-frame-options": "SAMEORIGIN", "content-security-policy": "default-src *",
    "strict-transport-security": "max-age=1", "server": "nginx",
}  # fmt: skip
PLAIN: dict[str, Any] = {"site": "shop", "answers": {}, "headers": None, "cookies": [], "tls": None, "php": None,
                         "settings": {}}  # fmt: skip
TLS = {"old": False, "chain": ""}


def found(**known: Any) -> dict[str, int]:
    return dict(judged({**PLAIN, **known}))


def look(state: State, *sites: Mapping[str, Any], at: float = 1e9) -> tuple[State, list[Event]]:
    before = json.dumps(state)
    after, events = step(state, json.loads(json.dumps({"at": at, "sites": [{**PLAIN, **site} for site in sites]})))
    assert json.dumps(state) == before
    return json.loads(json.dumps(after)), list(events)


def test_each_finding_has_a_line_and_a_fix() -> None:
    assert len(findings()) <= posture.MOST_FINDINGS
    for name, about in findings().items():
        assert about.severity in ("critical", "warning", "info"), name
        assert (len(about.why) > 20, len(about.fix) > 10) == (True, True), name
        assert all(path.startswith("/") for path in about.files), name


@pytest.mark.parametrize(
    ("path", "status", "text", "finding", "expected"),
    [
        ("/.git/HEAD", 200, "ref: refs/heads/main", "git_exposed", 1),
        ("/.git/HEAD", 200, "<!doctype html> not here", "git_exposed", 0),
        ("/.git/HEAD", 403, "ref: refs/heads/main", "git_exposed", 0),
        ("/.env", 200, "DB_PASSWORD=", "env_exposed", 1), ("/.env", 200, "<html>", "env_exposed", 0),
        ("/core/CHANGELOG.txt", 200, "Drupal 10", "version_exposed", 1),
        ("/core/install.php", 200, "Choose language", "installer_open", 1),
        ("/core/install.php", 200, "Drupal already installed", "installer_open", 0),
        ("/sites/default/files/", 200, "<title>Index of /sites", "uploads_listed", 1),
    ],
)  # fmt: skip
def test_files_that_are_served(path: str, status: int, text: str, finding: str, expected: int) -> None:
    assert found(answers={path: [status, text]}) == {finding: expected}


def test_headers_cookies_and_tls() -> None:
    cookie = f"SSESS{'a' * 32}; path=/; HttpOnly; secure"
    safe = found(headers=SAFE, cookies=[cookie], tls=TLS)
    assert set(safe.values()) == {0}
    assert {"hsts_missing", "session_cookie_flags", "tls_old", "tls_chain"} <= safe.keys()
    assert found(headers=SAFE, cookies=["theme=dark"]).keys().isdisjoint({"hsts_missing", "session_cookie_flags"})
    assert found(headers=SAFE, cookies=[cookie.replace("HttpOnly", "x")], tls=TLS)["session_cookie_flags"] == 1
    bad = found(headers={"server": "nginx/1.22.1"}, tls={"old": True, "chain": "self-signed certificate"})
    assert set(bad.values()) == {1}
    assert found(headers={**SAFE, "x-powered-by": "PHP/8.2.1"})["server_version_told"] == 1


def test_php_and_its_own_defaults() -> None:
    assert found(php={}) == {"php_display_errors": 1, "php_expose": 1, "php_url_include": 0}
    assert found(php={"display_errors": "Off", "expose_php": "0", "allow_url_include": "On"}) == {
        "php_display_errors": 0, "php_expose": 0, "php_url_include": 1,
    }  # fmt: skip
    assert found() == {}


def test_a_state_is_no_news_and_a_change_is() -> None:
    shown: dict[str, Any] = {"site": "shop", "answers": {"/.git/HEAD": [200, "ref: x"]}, "headers": SAFE}
    state, events = look({}, shown)
    assert [(event.severity, event.title) for event in events] == [("info", "shop: the finding git_exposed was found")]
    assert look(state, shown)[1] == []
    assert FINDING(1, "shop", "git_exposed", "critical") in samples(state)
    state, events = look(state, {**shown, "answers": {"/.git/HEAD": [404, ""]}})
    assert [(event.severity, event.title) for event in events] == [
        ("info", "shop: the finding git_exposed is mended")
    ]  # fmt: skip
    state, events = look(state, {"site": "shop"})  # the web server is away
    assert (events, FINDING(0, "shop", "git_exposed", "critical") in samples(state)) == ([], True)
    _, events = look(state, {**shown, "headers": {**SAFE, "x-frame-options": ""}})
    assert sorted(event.title for event in events) == [
        "shop: headers changed: x-frame-options", "shop: the finding git_exposed was found",
    ]  # fmt: skip
    assert "nginx: location" in str(events[0].evidence + events[1].evidence)


@pytest.mark.servers
def test_a_site_on_nginx_with_tls(place: Path) -> None:
    root = place / "web"
    (root / ".git").mkdir(parents=True)
    (root / ".git/HEAD").write_text("ref: refs/heads/main\n")
    (root / ".env").write_text("DB_PASSWORD=very-hidden\n")
    (root / "index.html").write_text("hello")
    settings = root / "sites/default/settings.php"
    settings.parent.mkdir(parents=True)
    settings.write_text("<?php\n$settings['hash_salt'] = 'x';\n$settings['update_free_access'] = TRUE;\n"
                        "if (file_exists($app_root . '/' . $site_path . '/settings.local.php')) {\n"
                        "  include $app_root . '/' . $site_path . '/settings.local.php';\n}\n")  # fmt: skip
    (settings.parent / "settings.local.php").write_text(
        "<?php\n$config['system.logging']['error_level'] = 'verbose';\n"
    )
    pool = place / "fpm/pool.d/www.conf"
    pool.parent.mkdir(parents=True)
    pool.write_text("[www]\nphp_admin_flag[display_errors] = off\n")
    (place / "fpm/php.ini").write_text("display_errors = On\nexpose_php = Off\n")
    certificate = Authority(place / "certificates").certified("lab.example")
    with Nginx(place / "nginx", root=root, certificate=certificate) as nginx:
        site = SiteFiles(
            name="shop", uploads=str(root / "sites/default/files"), settings=str(settings), host="lab.example",
            url=f"https://127.0.0.1:{nginx.tls_port}", pool=str(pool),
        )  # fmt: skip
        payload, cursor = postureread.read(Security(sites=(site,)), None)
        assert postureread.read(Security(sites=(site,)), cursor) == (None, cursor)
    assert "very-hidden" not in json.dumps(payload)
    state, _ = step({}, json.loads(json.dumps(payload)))
    known = state["site:shop"]["findings"]
    assert {name for name, value in known.items() if value} == {
        "git_exposed", "env_exposed", "tls_chain", "hsts_missing", "nosniff_missing", "frames_allowed", "csp_missing",
        "server_version_told", "trusted_hosts_missing", "update_free_access", "errors_shown",
    }  # fmt: skip
    assert {name: known[name] for name in ("php_display_errors", "php_expose", "tls_old")} == {
        "php_display_errors": 0, "php_expose": 0, "tls_old": 0,
    }  # fmt: skip


def test_without_a_site_or_a_server() -> None:
    with pytest.raises(Absent, match="no Drupal site"):
        postureread.read(Security(), None)
    shut = SiteFiles(name="shop", uploads="/none", host="shop.example", url="http://127.0.0.1:9")
    payload, _ = postureread.read(Security(sites=(shut,)), None)
    assert payload["sites"] == [PLAIN]


def test_where_a_site_is_asked() -> None:
    def door(*vhosts: Vhost) -> tuple[str, str]:
        site = Site("shop.example", "/srv/web", "default", hosts=("shop.example",))
        found = Inventory("h", (Process(1, "nginx", "nginx", "root"),), sites=(site,), vhosts=vhosts)
        (proposal,) = COLLECTOR.discover(found)
        assert isinstance(proposal.config, Security)
        return proposal.config.sites[0].host, proposal.config.sites[0].url

    plain = Vhost("nginx", ("shop.example",), "/srv/web", ("*:80",), False, (), "", ())
    secure = Vhost("nginx", ("shop.example",), "/srv/web", ("*:443",), True, (), "", (), tls_listens=("*:443",))
    assert door(plain) == ("shop.example", "http://127.0.0.1:80")
    assert door(plain, secure) == ("shop.example", "https://127.0.0.1:443")
    assert door(Vhost("nginx", ("_",), "/srv/web", ("*:80",), False, (), "", ())) == ("", "")
