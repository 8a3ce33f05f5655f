"""Real faults on a lab of nginx, two pools of PHP-FPM, MariaDB, Redis and a Drupal site, and what each is due."""

import contextlib
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from history.database import open_database
from history.events import Events
from tests.lab import drupal
from tests.lab.lab import Lab
from tests.lab.ports import wait_until
from tests.lab.process import Raingauge
from tests.lab.servers import PhpFpm
from tests.lab.traffic import Traffic

SITE = "shop.example"
VISITORS = 8
API = "127.0.0.2"
DISK_BYTES = 32 << 20
BROKEN = "<?php if (($_GET['q'] ?? '') === 'cart') { http_response_code(500); throw new Error('release 42'); } ?>"
RELEASE = "$settings['deployment_identifier'] = 'release-%d';"


@dataclass(frozen=True)
class Host:
    lab: Lab
    second: PhpFpm
    """A pool that nobody asks for anything, and that is never to blame."""
    api: socket.socket
    """Accepts, and never answers."""
    disk: Path
    """A file system of its own; an empty folder where none can be mounted."""

    def targets(self) -> str:
        lab, mysql = self.lab, f"lab:{self.lab.mariadb.socket}"
        pools = [lab.php, self.second]
        uses = [("phpfpm", f"lab:{lab.php.socket}"), ("mysql", mysql), ("redis", f"lab:{lab.redis.port}")]
        return json.dumps({
            "host": [{}],
            "nginx": [{"url": f"{lab.url}/stub_status"}],
            "phpfpm": [{"address": f"unix:{each.socket}", "pool": each.pool, "max_children": 4} for each in pools],
            "mysql": [{"socket": lab.mariadb.socket, "user": lab.mariadb.user}],
            "redis": [{"port": lab.redis.port}],
            "weblog": [{
                "files": [{"path": f"{lab.nginx.directory}/access.log", "site": SITE}],
                "sites": [{"name": SITE, "uses": [{"job": job, "instance": instance} for job, instance in uses]}],
            }],
            "probe": [{"url": f"{lab.url}/index.php", "interval": 10}],
            "drupal": [{"site": SITE, "docroot": str(lab.directory / "drupal")}],
        })  # fmt: skip

    @contextmanager
    def visitors(self, *paths: str, per_second: float = 8) -> Iterator[None]:
        """As many at a time as VISITORS; what they left waiting is let go at the end."""
        with contextlib.ExitStack() as all_of_them:
            for _ in range(VISITORS):
                all_of_them.enter_context(Traffic(self.lab.url, per_second / VISITORS, 600, paths))
            yield
            self.lab.php.stop()
        self.lab.php.start()


@contextmanager
def host() -> Iterator[Host]:
    with contextlib.ExitStack() as stack:
        api = stack.enter_context(socket.create_server((API, 0)))
        lab = stack.enter_context(Lab(settings=f"env[LAB_API] = {API}:{api.getsockname()[1]}\n"))
        second = stack.enter_context(PhpFpm(lab.directory / "second", "intranet"))
        execute = drupal.mysql(lab.mariadb, "drupal")
        drupal.fill(execute, "mysql")
        drupal.docroot(lab.directory / "drupal", drupal.mysql_settings(lab.mariadb, "drupal"), more=RELEASE % 41)
        state = "UPDATE key_value SET value = %s WHERE collection = 'state' AND name = %s"
        execute(state, (drupal.php(int(time.time()) - 300), "system.cron_last"))
        execute(state, (drupal.php(False), "system.maintenance_mode"))
        execute("DELETE FROM semaphore", ())
        yield Host(lab, second, api, stack.enter_context(mounted(lab.directory / "disk")))


@contextmanager
def mounted(place: Path) -> Iterator[Path]:
    place.mkdir()
    image = place.with_suffix(".img")
    with image.open("wb") as file:
        file.truncate(DISK_BYTES)
    commands = (["mkfs.ext4", "-q", "-m", "0", str(image)], ["mount", "-o", "loop", str(image), str(place)])
    there = all(subprocess.run(each, capture_output=True, check=False).returncode == 0 for each in commands)
    try:
        yield place
    finally:
        if there:
            subprocess.run(["umount", str(place)], check=True)


Break = Callable[[Host, Raingauge], contextlib.AbstractContextManager[object]]


@dataclass(frozen=True)
class Fault:
    name: str
    begin: Break
    """Entering breaks it; leaving mends it."""
    causes: tuple[tuple[str, str], ...]
    """The layer and the alert or signature, any of which is right to be named first; "" for a change."""
    words: str = ""
    """What it says."""


@contextmanager
def slow_php(host: Host, _: Raingauge) -> Iterator[None]:
    with host.visitors("/index.php?sleep=4"):
        yield


@contextmanager
def locked_table(host: Host, _: Raingauge) -> Iterator[None]:
    mariadb = host.lab.mariadb
    command = ["mariadb", "--no-defaults", f"--socket={mariadb.socket}", f"--user={mariadb.user}"]
    words = [*command, "-e", "LOCK TABLES lab.node WRITE; SELECT SLEEP(180)"]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL) as holder, host.visitors("/index.php"):
        yield
        holder.kill()


@contextmanager
def slow_statements(host: Host, _: Raingauge) -> Iterator[None]:
    with host.visitors("/index.php?statement=4"):
        yield


@contextmanager
def stopped_database(host: Host, _: Raingauge) -> Iterator[None]:
    host.lab.mariadb.stop()
    yield
    host.lab.mariadb.start()


@contextmanager
def stopped_cache(host: Host, _: Raingauge) -> Iterator[None]:
    host.lab.redis.stop()
    yield
    host.lab.redis.start()


@contextmanager
def full_disk(host: Host, _: Raingauge) -> Iterator[None]:
    filling = host.disk / "filling"
    filling.write_bytes(bytes(int(0.98 * shutil.disk_usage(host.disk).free)))
    yield
    filling.unlink()


@contextmanager
def hanging_api(host: Host, _: Raingauge) -> Iterator[None]:
    with host.visitors("/index.php?api=1"):
        yield


@contextmanager
def stuck_cron(host: Host, _: Raingauge) -> Iterator[None]:
    last = drupal.php(int(time.time()) - 14400).decode()
    sql = host.lab.mariadb.sql
    sql(f"UPDATE drupal.key_value SET value = '{last}' WHERE name = 'system.cron_last'")
    sql(f"INSERT INTO drupal.semaphore VALUES ('cron', '1', {time.time() - 7200})")
    yield
    sql("DELETE FROM drupal.semaphore")


@contextmanager
def broken_deploy(host: Host, raingauge: Raingauge) -> Iterator[None]:
    """Nobody says so: another deployment identifier is all that is seen, by a look each minute. Then pages break."""
    page, settings = host.lab.directory / "site" / "index.php", host.lab.directory / "drupal/sites/default/settings.php"
    good, before = page.read_text(), settings.read_text()
    settings.write_text(before.replace(RELEASE % 41, RELEASE % 42))
    engine = open_database(raingauge.state)
    events = Events(engine)
    wait_until(lambda: events.events(0, time.time() + 60, kind="drupal.deploy"), 90, "the deploy is seen")
    engine.dispose()
    page.write_text(BROKEN + good)
    with Traffic(host.lab.url, 3, 600, ("/index.php?q=cart",)):
        yield
    page.write_text(good)
    settings.write_text(before)


DATABASE = tuple(("database", alert) for alert in ("SqlLockWaits", "MysqlSlowBurst", "MysqlQueriesPiledUp"))
FAULTS = (
    Fault("Redis stopped", stopped_cache, (("cache", "RedisDown"),)),
    Fault("MariaDB stopped", stopped_database, (("database", "MysqlDown"),)),
    Fault("FPM pool full: PHP is slow", slow_php, (("php", "FpmPoolExhausted"),)),
    Fault("slow query: a locked table", locked_table, DATABASE),
    Fault("slow query: each takes 4 s", slow_statements, DATABASE),
    Fault("disk full", full_disk, (("host", "DiskFull"),)),
    Fault("third-party API hangs", hanging_api, (("outside", "FpmWaitsOutside"),)),
    Fault("cron stuck", stuck_cron, (("drupal", "CronStale"),)),
    Fault("deploy breaks a page", broken_deploy, (("change", ""),), "deployment identifier"),
)
