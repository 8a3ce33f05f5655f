"""docker-compose.yml and Dockerfile without a Docker engine: what they use exists, here and in the servers beside."""

import re
import shlex
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from agent.configuration import Configuration, load
from agent.rule_files import rule_files
from docs.http import EXPORTER
from docs.settings import ENVIRONMENT
from tests.commandline import accepts

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "packaging/compose"
HOST_NETWORK = {"raingauge", "prometheus", "alertmanager"}
SERVER_OPTIONS = {"prometheus": "prometheus", "alertmanager": "prometheus-alertmanager"}
"""Service -> the program in Debian."""


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / "docker-compose.yml").read_text()))


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, Any]:
    return dict(compose["services"])


@pytest.fixture(scope="module")
def configuration() -> Configuration:
    return load(FOLDER / "raingauge.yml")


def mounts(service: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Place in the container -> (source, mode)."""
    parts = [entry.split(":") for entry in service.get("volumes", ())]
    return {place: (source, ",".join(mode)) for source, place, *mode in parts}


def stages() -> list[list[tuple[str, str]]]:
    """The Dockerfile's instructions by stage, continued lines joined."""
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    found: list[list[tuple[str, str]]] = []
    for word, _, rest in (line.partition(" ") for line in lines):
        found += [[]] if word == "FROM" else []
        found[-1].append((word, rest))
    return found


def last_stage() -> dict[str, str]:
    return dict(stages()[-1])


def test_volumes_secrets_and_services_that_are_named_are_declared(compose: dict[str, Any]) -> None:
    services = compose["services"].values()
    named = {
        source for service in services for source, _ in mounts(service).values() if not source.startswith((".", "/"))
    }
    assert named == set(compose["volumes"])
    assert {name for service in services for name in service.get("secrets", ())} == set(compose["secrets"])
    assert {name for service in services for name in service.get("depends_on", ())} <= set(compose["services"])


def test_what_is_mounted_from_the_checkout_is_there_and_read_only(services: dict[str, Any]) -> None:
    for service in services.values():
        for source, mode in mounts(service).values():
            if source.startswith("."):
                assert (ROOT / source).exists(), source
                assert mode == "ro", source


def test_secrets_are_files_that_git_ignores(compose: dict[str, Any]) -> None:
    ignored = (ROOT / ".gitignore").read_text().split()
    for secret in compose["secrets"].values():
        folder = Path(secret["file"]).parent
        assert f"/{folder}/" in ignored


def test_raingauge_sees_the_host_and_can_change_nothing(services: dict[str, Any]) -> None:
    raingauge = services["raingauge"]
    assert (raingauge["pid"], raingauge["network_mode"], raingauge["read_only"]) == ("host", "host", True)
    assert raingauge["cap_drop"] == ["ALL"]
    assert {"privileged", "cap_add", "user"} & raingauge.keys() == set()
    writable = {place for place, (_, mode) in mounts(raingauge).items() if "ro" not in mode.split(",")}
    assert writable == {raingauge["environment"]["RAINGAUGE_STATE_DIR"]}


def test_its_command_and_variables_exist(services: dict[str, Any]) -> None:
    raingauge = services["raingauge"]
    accepts(["raingauge", *raingauge["command"]])
    assert raingauge["environment"].keys() <= ENVIRONMENT.keys()
    configured = raingauge["command"][raingauge["command"].index("--config") + 1]
    source, _ = mounts(raingauge)[configured]
    assert (ROOT / source).samefile(FOLDER / "raingauge.yml")


def test_what_its_configuration_names_is_mounted(services: dict[str, Any], configuration: Configuration) -> None:
    raingauge: dict[str, Any] = services["raingauge"]
    (host,) = configuration.targets_of("host")
    assert mounts(raingauge)[host.model_dump()["rootfs"]][0] == "/"
    secrets = {f"/run/secrets/{name}" for name in raingauge["secrets"]}
    mysql = [target.model_dump()["password_file"] for target in configuration.targets_of("mysql")]
    assert {str(path) for path in (configuration.dashboard.password_file, *mysql)} == secrets


def test_every_target_is_a_port_that_a_service_publishes_on_loopback(
    services: dict[str, Any], configuration: Configuration
) -> None:
    published = {int(entry.split(":")[1]) for service in services.values() for entry in service.get("ports", ())}
    assert all(entry.startswith("127.0.0.1:") for service in services.values() for entry in service.get("ports", ()))
    targets = {name: [each.model_dump() for each in configuration.targets_of(name)]
               for name in ("nginx", "probe", "mysql", "redis")}  # fmt: skip
    ports = {target["port"] for name in ("mysql", "redis") for target in targets[name]}
    ports |= {urlsplit(target["url"]).port for name in ("nginx", "probe") for target in targets[name]}
    assert ports == published


def test_the_pool_is_as_its_file_says(services: dict[str, Any], configuration: Configuration) -> None:
    lines = (FOLDER / "php-fpm.conf").read_text().splitlines()
    pool = dict(line.split(" = ") for line in lines if " = " in line and not line.startswith(";"))
    (target,) = (each.model_dump() for each in configuration.targets_of("phpfpm"))
    assert target["address"] == f"unix:{pool['listen']}"
    assert (target["status_path"], target["max_children"]) == (pool["pm.status_path"], int(pool["pm.max_children"]))
    assert f"[{target['pool']}]" in lines
    assert f"fastcgi_pass unix:{pool['listen']};" in (FOLDER / "nginx.conf").read_text()
    folder = str(Path(pool["listen"]).parent)
    assert {mounts(services[name])[folder][0] for name in ("raingauge", "nginx", "php")} == {"php-socket"}


def test_the_host_s_ports_are_those_that_the_comment_lists(
    services: dict[str, Any], configuration: Configuration
) -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    listed = {
        int(port) for line in text.splitlines() if line.startswith("#   ") for port in re.findall(r"\d{4,}", line)
    }
    published = {int(entry.split(":")[1]) for service in services.values() for entry in service.get("ports", ())}
    options = [option for name in SERVER_OPTIONS for option in services[name]["command"]]
    listens = [option.partition("=")[2] for option in options if option.startswith("--web.listen-address=")]
    listens += [configuration.exporter.listen, configuration.dashboard.listen]
    assert all(listen.startswith("127.0.0.1:") for listen in listens)
    assert listed == published | {int(listen.rpartition(":")[2]) for listen in listens}
    assert {name for name, service in services.items() if service.get("network_mode") == "host"} == HOST_NETWORK


def test_prometheus_finds_raingauge_its_rules_and_alertmanager(
    services: dict[str, Any], configuration: Configuration
) -> None:
    prometheus = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
    (scrape,) = prometheus["scrape_configs"]
    assert [each["url"] for each in scrape["http_sd_configs"]] == [f"http://{configuration.exporter.listen}/sd"]
    (pattern,) = prometheus["rule_files"]
    source, _ = mounts(services["prometheus"])[str(Path(pattern).parent)]
    assert sorted((ROOT / source).glob(Path(pattern).name)) == rule_files(Configuration())
    (told,) = prometheus["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"]
    assert f"--web.listen-address={told}" in services["alertmanager"]["command"]


def test_the_health_check_asks_the_exporter(services: dict[str, Any], configuration: Configuration) -> None:
    (url,) = re.findall(r"http://[^']+", services["raingauge"]["healthcheck"]["test"][-1])
    assert urlsplit(url).netloc == configuration.exporter.listen
    assert urlsplit(url).path in EXPORTER


def test_what_the_dockerfile_copies_is_there_and_not_ignored() -> None:
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().split() if line.startswith("!")}
    here = [rest.split()[:-1] for stage in stages() for word, rest in stage if word == "COPY" and "--from" not in rest]
    copied = {source for sources in here for source in sources}
    assert copied == allowed
    assert all((ROOT / source).exists() for source in copied)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert {name for name in project["tool"]["setuptools"]["packages"] if "." not in name} <= copied


def test_the_image_runs_our_command_as_a_user_without_rights(services: dict[str, Any]) -> None:
    stage = last_stage()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    (entry,) = yaml.safe_load(stage["ENTRYPOINT"])
    assert entry in project["project"]["scripts"]
    accepts([entry, *yaml.safe_load(stage["CMD"])])
    assert stage["USER"] == "raingauge"
    assert stage["VOLUME"] == services["raingauge"]["environment"]["RAINGAUGE_STATE_DIR"]
    assert "useradd" in stage["RUN"]
    assert stage["VOLUME"] in shlex.split(stage["RUN"])


@pytest.mark.servers
@pytest.mark.parametrize("service", sorted(SERVER_OPTIONS))
def test_options_of_the_servers_beside_exist(service: str, services: dict[str, Any]) -> None:
    shown = subprocess.run([SERVER_OPTIONS[service], "--help"], capture_output=True, text=True, check=False)
    known = set(re.findall(r"--[a-z][\w.-]+", shown.stdout + shown.stderr))
    assert {option.partition("=")[0] for option in services[service]["command"]} <= known


@pytest.mark.servers
def test_prometheus_and_alertmanager_accept_their_files(tmp_path: Path) -> None:
    text = (FOLDER / "prometheus.yml").read_text()
    file = tmp_path / "prometheus.yml"
    file.write_text(text.replace("/etc/prometheus/rules/", f"{ROOT}/alerts/rules/"))
    checked = subprocess.run(["promtool", "check", "config", str(file)], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert checked.stdout.count("rules found") == len(rule_files(Configuration()))
    if amtool := shutil.which("amtool"):
        subprocess.run([amtool, "check-config", FOLDER / "alertmanager.yml"], check=True, capture_output=True)


@pytest.mark.servers
def test_nginx_and_php_accept_their_files(tmp_path: Path) -> None:
    nginx = tmp_path / "nginx.conf"
    text = (FOLDER / "nginx.conf").read_text().replace("include fastcgi_params", "include /etc/nginx/fastcgi_params")
    nginx.write_text(f"pid {tmp_path}/pid;\n" + re.sub(r"listen (\d+)", rf"listen unix:{tmp_path}/\1", text))
    run(["nginx", "-t", "-p", str(tmp_path), "-e", "stderr", "-c", str(nginx)])
    pool = tmp_path / "php-fpm.conf"
    user = "user = www-data\ngroup = www-data\n"
    pool.write_text((FOLDER / "php-fpm.conf").read_text().replace("[www]\n", f"[www]\n{user}"))
    (program, *_) = sorted(Path("/usr/sbin").glob("php-fpm*"))
    run([str(program), "-n", "-t", "-y", str(pool)])


def run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
