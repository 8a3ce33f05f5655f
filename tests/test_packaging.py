"""The systemd unit: what it names exists in the product and in README, and systemd takes it."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from agent import paths
from tests.commandline import accepts
from tests.test_docs import blocks

ROOT = Path(__file__).parent.parent
UNIT = ROOT / "packaging/raingauge.service"
MOST_EXPOSURE = 2.5
"""systemd's own measure: 0 is nothing, 10 everything."""
HIDING = {
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "PrivateUsers": "yes",
    "ProcSubset": "pid",
    "ProtectProc": "invisible",
}
"""What would hide from Raingauge what it is to watch."""


def settings() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in UNIT.read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


def one(name: str) -> str:
    (value,) = settings()[name]
    return value


def test_its_command_exists_and_is_where_readme_installs_it() -> None:
    words = shlex.split(one("ExecStart"))
    accepts([Path(words[0]).name, *words[1:]])
    installs = [
        shlex.split(line, comments=True) for text in blocks(ROOT / "README.md", "sh") for line in text.splitlines()
    ]
    (venv,) = [line[-1] for line in installs if line[1:4] == ["python3", "-m", "venv"]]
    assert words[0] == f"{venv}/bin/raingauge"
    (user,) = [line[-1] for line in installs if "adduser" in line]
    assert user == one("User")
    assert {word for line in installs for word in line if word.startswith("packaging/")} == {
        "packaging/raingauge.service"
    }


def test_its_folders_are_those_of_the_product(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Path("/var/lib", one("StateDirectory")) == paths.SYSTEM_STATE
    assert Path("/etc", one("ConfigurationDirectory")) == paths.SYSTEM_CONFIG.parent
    monkeypatch.delenv("RAINGAUGE_STATE_DIR", raising=False)
    monkeypatch.setattr("pwd.getpwuid", lambda _uid: type("Account", (), {"pw_name": one("User")}))
    assert paths.state_dir() == paths.SYSTEM_STATE
    assert one("Environment") == f"TMPDIR=%t/{one('RuntimeDirectory')}"


def test_it_reloads_by_sighup_and_stops_as_fast_as_the_product_promises() -> None:
    assert one("ExecReload").endswith("kill -HUP $MAINPID")
    assert one("TimeoutStopSec") == "5"
    assert one("Restart") == "on-failure"


def test_it_has_no_privilege_and_sees_the_host() -> None:
    assert (one("CapabilityBoundingSet"), one("NoNewPrivileges"), one("ProtectSystem")) == ("", "yes", "strict")
    assert "AmbientCapabilities" not in settings()
    assert {name for name, value in HIDING.items() if value in settings().get(name, ())} == set()
    assert set(one("RestrictAddressFamilies").split()) == {"AF_INET", "AF_INET6", "AF_UNIX", "AF_NETLINK"}


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """With a program that is there."""
    copy = tmp_path / UNIT.name
    copy.write_text(re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", UNIT.read_text(), flags=re.MULTILINE))
    return copy


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
def test_systemd_takes_it_and_finds_it_hardened(unit: Path) -> None:
    verified = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    assert (verified.returncode, verified.stderr) == (0, "")
    judged = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", unit], capture_output=True, text=True, check=False
    )
    found = re.search(r"exposure level for raingauge\.service: ([\d.]+)", judged.stdout)
    assert found, judged.stderr
    assert float(found[1]) <= MOST_EXPOSURE
