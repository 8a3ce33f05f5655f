"""A site whose settings.php is root's alone: said with the line that opens it, and its traffic goes on."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.discovery import proposed
from agent.look import look
from agent.reading import trial
from collectors import registry
from collectors.weblog.config import Weblog
from tests.lab import drupal
from tests.lab.nobody import as_nobody
from tests.lab.servers import Nginx

pytestmark = [
    pytest.mark.servers,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else"),
]

LINE = '192.0.2.1 - - [26/Nov/2026:06:00:00 +0000] "GET /node/1 HTTP/1.1" 200 9 "-" "curl/8.5"\n'


def test_what_needs_no_database_goes_on(place: Path) -> None:
    root = drupal.docroot(place / "web", {"driver": "sqlite", "database": str(place / "db")})
    settings = root / "sites/default/settings.php"
    settings.chmod(0o440)
    os.chown(settings, 0, 0)
    with Nginx(place / "nginx", root=root):
        log = place / "nginx/access.log"
        log.write_text(LINE)
        log.chmod(0o644)
        told = as_nobody(lambda: "\n".join(seen(str(place))))
    assert "drupal: Drupal 10.6.15 in " in told
    assert f"{settings} cannot be read" in told
    assert f"setfacl -m u:raingauge:r {settings}" in told
    assert "web_requests_total lab.example node/{id} 2xx 1.0" in told.splitlines()


def seen(place: str) -> Iterator[str]:
    for (collector, found), proposals in proposed(look("lab")).items():
        for each in proposals:
            if collector == "drupal" and place in found:
                yield f"drupal: {found}\n{each.remedy}"
            if isinstance(each.config, Weblog):
                own = tuple(file for file in each.config.files if file.path.startswith(place))
                readings = trial(registry.collector("weblog"), each.config.model_copy(update={"files": own}))
                for sample in (sample for reading in readings for sample in reading.samples):
                    yield f"{sample.family.name} {' '.join(sample.labels)} {sample.value:.1f}"
