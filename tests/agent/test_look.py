"""What is on this host: from its files and sockets, as root and as somebody who may see less."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.look import configuration_texts, is_shut, look
from collectors.inventory import Process
from tests.lab.lab import Lab
from tests.lab.nobody import as_nobody


def master(file: Path) -> Process:
    return Process(7, "nginx", f"nginx: master process nginx -c {file}", "root")


def test_a_servers_files_are_read_with_all_that_they_include(tmp_path: Path) -> None:
    main = tmp_path / "nginx.conf"
    main.write_text(f"http {{ include {tmp_path}/sites/*; }}\n")
    (tmp_path / "sites").mkdir()
    (tmp_path / "sites" / "a.conf").write_text(f"server {{ include {tmp_path}/more.conf; }}\n")
    (tmp_path / "sites" / "folder").mkdir()
    (tmp_path / "more.conf").write_text("listen 8080;\n")
    texts, shut = configuration_texts([master(main)])
    assert sorted(Path(path).name for path in texts if path.startswith(str(tmp_path))) == [
        "a.conf", "more.conf", "nginx.conf",
    ]  # fmt: skip
    assert shut == []


def test_files_that_include_each_other_are_read_once(tmp_path: Path) -> None:
    main = tmp_path / "nginx.conf"
    main.write_text(f"http {{ include {tmp_path}/b.conf; }}\n")
    (tmp_path / "b.conf").write_text(f"include {main};\n")
    texts, _ = configuration_texts([master(main)])
    assert {Path(path).name for path in texts if path.startswith(str(tmp_path))} == {"nginx.conf", "b.conf"}


def test_a_clients_option_file_is_named_where_we_may_read_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert str(tmp_path / ".my.cnf") not in look("h").client_files
    (tmp_path / ".my.cnf").write_text("[client]\npassword = hunter2\n")
    found = look("h")
    assert found.client_files[0] == str(tmp_path / ".my.cnf")
    assert "hunter2" not in str(found)


def test_a_log_that_is_not_there_is_not_shut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "slow.log"
    assert not is_shut(str(log))
    log.touch()
    assert not is_shut(str(log))
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert is_shut(str(log))
    assert is_shut(f"{log}/below")


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab() as lab:
        yield lab


@pytest.mark.servers
def test_what_runs_here_is_seen_with_its_owner(lab: Lab) -> None:
    found = look("lab")
    owners = {at.path or at.port: at.process for at in found.listeners}
    assert owners[lab.nginx.port] == "nginx"
    assert owners[lab.redis.port] == "redis-server"
    assert owners[lab.mariadb.socket] == "mariadbd"
    assert [pool.name for pool in found.pools if pool.listen == f"unix:{lab.php.socket}"] == ["lab"]
    of_the_lab = {str(at) for at in (lab.directory, lab.nginx.port, lab.redis.port, lab.mariadb.port)}
    assert [said for said in found.blind if any(each in said for each in of_the_lab)] == []


@pytest.mark.servers
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_an_ordinary_user_is_told_what_it_cannot_see(lab: Lab) -> None:
    shut = lab.php.configuration
    shut.chmod(0o600)
    try:
        found = json.loads(as_nobody(looked))
    finally:
        shut.chmod(0o644)
    sentences = " / ".join(map(str, found["blind"]))
    assert "nobody is not root, so the kernel does not say which program listens on " in sentences
    assert f"cannot read {shut}: permission denied" in sentences
    assert lab.nginx.port in found["nginx"]  # its configuration says so


def looked() -> str:
    os.environ["USER"] = os.environ["LOGNAME"] = "nobody"  # of the child alone
    seen = look("lab")
    ports = [int(listen.rpartition(":")[2]) for vhost in seen.vhosts for listen in vhost.listens]
    return json.dumps({"blind": seen.blind, "nginx": ports})
