"""A scripted intrusion into a small site, step by step, and a deploy of the same size: what each is told as."""

import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from collectors.drupal import logins, snapshots
from collectors.drupal.config import Drupal
from collectors.model import Event
from collectors.security import accountread, accounts, files, filewalk, integrity, integrityread, listeners
from collectors.security.config import Security, SiteFiles
from collectors.weblog.attacks import watching
from collectors.weblog.config import LogFile, Weblog
from collectors.weblog.reading import read as read_log
from history.database import open_database
from history.events import Events
from tests.lab import drupal
from tests.lab.servers import MariaDb, Nginx, PhpFpm

pytestmark = [
    pytest.mark.servers,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),  # PyMySQL leaves sockets open
]
LOGIN = "<?php http_response_code(($_POST['pass'] ?? '') === 'right' ? 303 : 200); echo 'form';\n"
FAILED, OPENED = "Login attempt failed for %user.", "Session opened for %name."
GUARD = "SetHandler Drupal_Security_Do_Not_Remove_See_SA_2006_006\n"


class Host:
    """A site on nginx, PHP-FPM and MariaDB, and everything that watches it, looked through once a step."""

    def __init__(self, place: Path, server: MariaDb, nginx: Nginx, database: str) -> None:
        self.place, self.nginx = place, nginx
        self.docroot = place / "web"
        self.execute = drupal.mysql(server, database)
        drupal.fill(self.execute, "mysql")
        drupal.docroot(self.docroot, drupal.mysql_settings(server, database))
        self.put("web/user/login/index.php", LOGIN)
        self.put("web/sites/default/files/.htaccess", GUARD)
        self.put("web/modules/custom/shop/shop.module", "<?php")
        self.put("composer.lock", "{}")
        self.put("etc/passwd", "root:x:0:0:root:/root:/bin/bash\n")
        self.put("etc/cron.d/drupal", "0 * * * * www-data true\n")
        uploads = self.docroot / "sites/default/files"
        site = SiteFiles(
            name="shop.example", uploads=str(uploads), settings=f"{self.docroot}/sites/default/settings.php"
        )
        host = Security(rootfs=str(place), sites=(site,), configurations=("/etc/nginx",))
        log = Weblog(files=(LogFile(path=f"{nginx.directory}/access.log", site="shop.example"),))
        of_site = Drupal(site="shop.example", docroot=str(self.docroot))
        self.followers: dict[str, list[Any]] = {
            "web": [read_log, watching.step, log, {}, None],
            "logins": [logins.read, logins.step, of_site, {}, None],
            "changes": [snapshots.read, snapshots.step, of_site, {}, None],
            "files": [filewalk.read, files.step, host, {}, None],
            "listeners": [listeners.read, listeners.step, host, {}, None],
            "accounts": [accountread.read, accounts.step, host, {}, None],
            "integrity": [integrityread.read, integrity.step, host, {}, None],
        }
        self.ports: list[list[Any]] = []
        self.events = Events(open_database(place / "state"))
        for _ in range(3):
            self.look()

    def put(self, name: str, text: str) -> None:
        path = self.place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def ask(self, path: str, **form: str) -> int:
        data = urllib.parse.urlencode(form).encode() if form else None
        opener = urllib.request.build_opener(Unredirected)
        try:
            with opener.open(self.nginx.url + path, data, timeout=60) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    def logged(self, template: str, **values: str) -> None:
        variables = drupal.php({f"%{name}": value for name, value in values.items()})
        drupal.log(self.execute, drupal.watchdog_row("user", 5, template, variables, int(time.time())))

    def look(self, later: float = 0.0) -> None:
        """`later`: seconds by which what waits until it is quiet takes it to be later."""
        for name, each in self.followers.items():
            read, step, config, state, cursor = each
            due = {**cursor, **{key: 0.0 for key in ("at", "looked") if key in cursor}} if cursor else cursor
            payload, each[4] = read(config, due)
            if payload is None:
                continue
            if name == "listeners":  # nothing may really listen beyond loopback in a test
                payload = {**payload, "listeners": [["nginx", "127.0.0.1", 80], *self.ports]}
            if name == "integrity":
                payload = {**payload, "at": payload["at"] + later}
            each[3], found = step(state, payload)
            for event in found:
                self.events.record(replace(event, host="web1"))

    def told(self) -> Sequence[Event]:
        self.look()
        self.look(later=120)
        return [event for _, event in self.events.events_after(0)]


class Unredirected(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


@pytest.fixture(scope="module")
def mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDb]:
    with MariaDb(tmp_path_factory.mktemp("intrusion")) as server:
        yield server


@pytest.fixture
def host(mariadb: MariaDb, request: pytest.FixtureRequest) -> Iterator[Host]:
    with tempfile.TemporaryDirectory(prefix="raingauge-in-") as folder:
        place = Path(folder)
        place.chmod(0o755)
        (place / "web").mkdir()
        with (
            PhpFpm(place / "php") as php,
            Nginx(place / "nginx", root=place / "web", fastcgi=php.socket) as nginx,
        ):
            yield Host(place, mariadb, nginx, str(request.node.name).replace("test_", "")[:30])


def extensions(*names: str) -> bytes:
    return drupal.php({"module": dict.fromkeys(names, 0), "theme": {"olivero": 0}, "profile": "standard"})


def test_each_step_of_an_intrusion_is_an_event(host: Host) -> None:
    for _ in range(9):
        assert host.ask("/user/login/", name="root", **{"pass": "wrong"}) == 200
        host.logged(FAILED, user="root")
    host.look()
    assert host.ask("/user/login/", name="root", **{"pass": "right"}) == 303
    host.logged(OPENED, name="root")
    host.look()
    change = "UPDATE config SET data = %s WHERE collection = '' AND name = 'core.extension'"
    host.execute(change, (extensions("node", "page_cache", "php"),))
    host.look()
    host.put("web/sites/default/files/2025/x.php", "<?php echo 'in';")
    host.look()
    assert host.ask("/sites/default/files/2025/x.php?c=id") == 200
    host.look()
    host.execute("INSERT INTO user__roles VALUES (3, 'boss')", ())
    host.look()
    host.ports = [["", "0.0.0.0", 4444]]
    host.look()
    host.put("etc/cron.d/x", "* * * * * root /tmp/x\n")
    host.put("web/modules/custom/shop/shop.module", "<?php eval($_POST['c']);")
    told = [(event.kind, event.severity, event.source) for event in host.told() if event.kind != "drupal.cron"]
    steps = [
        ("security.bruteforce", "info", "web"), ("security.bruteforce", "info", "drupal"),
        ("security.bruteforce_then_success", "critical", "web"),
        ("security.bruteforce_then_success", "critical", "drupal"),
        ("drupal.extensions_installed", "warning", "drupal"), ("security.upload", "critical", "security"),
        ("security.webshell", "critical", "web"), ("drupal.admin_added", "warning", "drupal"),
        ("security.listener", "warning", "security"), ("security.account", "info", "security"),
        ("security.code", "warning", "security"),
    ]  # fmt: skip
    assert [each for each in told if each in steps] == steps
    assert {each for each in told if each[1] != "info"} <= set(steps)
    (job,) = (event for event in host.told() if event.kind == "security.account")
    assert [record.get("line") for record in job.evidence] == [None, "+* * * * * root /tmp/x"]
    alerting = [event for event in host.told() if event.severity != "info"]
    assert {event.state for event in alerting if event.source != "web"} == {"open"}
    assert {event.host for event in alerting} == {"web1"}


def test_a_deploy_of_the_same_size_alerts_nobody(host: Host) -> None:
    for number in range(12):
        host.put(f"web/modules/custom/shop/src/new{number}.php", "<?php")
    host.put("web/modules/custom/shop/shop.module", "<?php // release 2")
    host.put("web/index.php", "<?php // scaffold")
    host.put("composer.lock", '{"release": 2}')
    change = "UPDATE config SET data = %s WHERE collection = '' AND name = 'core.extension'"
    host.execute(change, (extensions("node", "page_cache", "views"),))
    host.execute("INSERT INTO config VALUES ('', 'views.view.shop', %s)", (drupal.php({"id": "shop"}),))
    host.execute("INSERT INTO user__roles VALUES (1, 'editor')", ())
    assert host.ask("/user/login/", name="root", **{"pass": "right"}) == 303
    host.logged(OPENED, name="root")
    host.put("web/sites/default/files/2025/photo.jpg", "x")
    host.ports = [["mariadbd", "127.0.0.1", 3306]]
    host.put("etc/cron.d/drupal", "*/5 * * * * www-data true\n")
    told = host.told()
    assert {event.severity for event in told} == {"info"}
    deployed = next(event for event in told if event.kind == "security.code_deployed")
    assert deployed.count >= 14
