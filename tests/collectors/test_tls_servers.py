"""TLS to databases: with the right authority it works, and no password goes to whoever shows another certificate."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from agent.reading import trial
from collectors.config import Config
from collectors.model import Collector
from collectors.mysql import COLLECTOR as MYSQL
from collectors.mysql.config import Mysql
from collectors.mysql.defaults import client_options, client_tls
from collectors.postgres import COLLECTOR as POSTGRES
from collectors.postgres.config import Postgres
from collectors.redis import COLLECTOR as REDIS
from collectors.redis.session import Redis
from collectors.tls import Tls
from tests.lab import servers
from tests.lab.certificates import Authority
from tests.lab.ports import free_port
from tests.lab.postgresql import PostgreSql
from tests.lab.servers import AS_ROOT

Where = tuple[Collector, type[Config], dict[str, Any]]
OPTIONS = pytest.mark.parametrize("kind", ["mysql", "postgres", "redis"])
SECURED_ONLY = "CREATE USER gauge@localhost IDENTIFIED BY 's3cret' REQUIRE SSL"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def certificate(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return authority.certified("localhost")


@pytest.fixture(scope="module")
def secured(certificate: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Where]]:
    folder = tmp_path_factory.mktemp("tls")
    folder.chmod(0o755)
    key = Path(shutil.copy(certificate, folder / "postgres.pem"))
    key.chmod(0o600)
    if AS_ROOT:
        shutil.chown(key, "postgres")
    port = free_port()
    files = ["--tls-cert-file", str(certificate), "--tls-key-file", str(certificate)]
    redis = ["--tls-port", str(port), *files, "--tls-auth-clients", "no", "--tls-ca-cert-file", str(certificate)]
    with (
        servers.MariaDb(folder / "mariadb", [f"--ssl-cert={certificate}", f"--ssl-key={certificate}"]) as mariadb,
        PostgreSql(folder / "pg", ["ssl=on", f"ssl_cert_file={key}", f"ssl_key_file={key}"]) as postgres,
        servers.Redis(folder / "redis", redis),
    ):
        mariadb.sql(SECURED_ONLY)
        hba = postgres.data / "pg_hba.conf"
        hba.write_text("hostssl all all all scram-sha-256\n")
        postgres.sql("SELECT pg_reload_conf()")
        yield {
            "mysql": (MYSQL, Mysql, {"port": mariadb.port, "user": "gauge", "password": "s3cret"}),
            "postgres": (POSTGRES, Postgres, {"port": postgres.port, "user": "lab", "password": "lab"}),
            "redis": (REDIS, Redis, {"port": port}),
        }


def outcome(where: Where, tls: dict[str, Any] | None, address: str = "localhost") -> tuple[str, str]:
    collector, model, settings = where
    config = model.model_validate({**settings, "address": address, "timeout": 5, "tls": tls})
    reading = trial(collector, config)[0]
    assert reading.bug is None
    assert "s3cret" not in reading.error
    return reading.outcome, reading.error


@pytest.mark.servers
@OPTIONS
def test_only_who_shows_the_right_certificate_is_asked(
    kind: str, secured: dict[str, Where], authority: Authority, tmp_path: Path
) -> None:
    where, ca = secured[kind], str(authority.file)
    assert outcome(where, {"ca": ca}) == ("ok", "")
    assert outcome(where, {"ca": ca}, "127.0.0.1")[0] == "denied"  # the certificate is of another name
    assert outcome(where, {"ca": ca, "verify": "ca"}, "127.0.0.1") == ("ok", "")
    stranger = str(Authority(tmp_path).file)
    for untrusted in ({"ca": stranger}, {}, {"ca": stranger, "verify": "ca"}):
        found, words = outcome(where, untrusted)
        assert found == "denied"
        assert "certificate verify failed" in words or "SSL error" in words  # libpq, of a namesake
    assert outcome(where, {"verify": "none"}) == ("ok", "")
    assert outcome(where, {"ca": str(tmp_path / "gone")}) == (
        "denied",
        f"read {tmp_path}/gone: No such file or directory",
    )


@pytest.mark.servers
def test_accounts_that_must_use_tls_are_let_in_with_it_alone(secured: dict[str, Where]) -> None:
    assert outcome(secured["mysql"], None)[0] == "denied"
    assert outcome(secured["redis"], None)[0] in ("unreachable", "parse")


@pytest.mark.servers
def test_a_server_without_tls_gets_no_password(tmp_path: Path) -> None:
    with servers.MariaDb(tmp_path / "plain", ["--skip-ssl"]) as plain:
        where: Where = (MYSQL, Mysql, {"port": plain.port, "user": "lab", "password": "lab"})
        found, words = outcome(where, {"verify": "none"}, "127.0.0.1")
    assert (found, "doesn't support" in words) == ("denied", True)


@pytest.mark.servers
def test_the_clients_own_option_file_is_followed(
    secured: dict[str, Where], authority: Authority, tmp_path: Path
) -> None:
    port = secured["mysql"][2]["port"]
    file = tmp_path / "my.cnf"
    settings: dict[str, Any] = {"address": "localhost", "port": port, "defaults_file": file}
    file.write_text(f"[client]\nuser=gauge\npassword=s3cret\nssl-ca={authority.file}\nssl-verify-server-cert\n")
    assert trial(MYSQL, Mysql(**settings))[0].outcome == "ok"
    file.write_text("[client]\nuser=gauge\npassword=s3cret\n")
    assert trial(MYSQL, Mysql(**settings))[0].outcome == "denied"


CA = Path("/ca.pem")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("user=a", None),
        ("ssl", Tls(verify="none")),
        ("ssl=0\nssl-ca=/ca.pem", None),
        ("skip-ssl\nssl-ca=/ca.pem", None),
        ("ssl-mode=DISABLED\nssl-ca=/ca.pem", None),
        ("ssl-mode=REQUIRED", Tls(verify="none")),
        ("ssl_ca=/ca.pem", Tls(ca=CA, verify="ca")),
        ("ssl-mode=verify_identity\nssl-ca=/ca.pem", Tls(ca=CA, verify="full")),
        ("ssl-ca=/ca.pem\nssl-verify-server-cert\nssl-cert=/c\nssl-key=/k",
         Tls(ca=CA, verify="full", certificate=Path("/c"), key=Path("/k"))),
    ],
)  # fmt: skip
def test_an_option_file_says_what_the_clients_do(text: str, found: Tls | None) -> None:
    assert client_tls(client_options(f"[client]\n{text}\n")) == found


@pytest.mark.parametrize("model", [Mysql, Redis, Postgres])
def test_tls_beside_a_socket_is_refused(model: type[Config]) -> None:
    with pytest.raises(ValidationError, match="expected address and port beside tls"):
        model.model_validate({"socket": "/run/.s.PGSQL.5432", "tls": {}})
