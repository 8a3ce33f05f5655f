"""Third-party JavaScript: pinned, fetched at set-up, with something to fall back on."""

import json
import os
import stat
from pathlib import Path

import pytest

from dashboard import vendor

ROOT = vendor.ROOT


def test_version_and_content_are_pinned() -> None:
    package = json.loads((ROOT / "package.json").read_text())
    lock = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    assert package["dependencies"][vendor.PACKAGE] == vendor.wanted()
    for name, entry in lock.items():
        assert name == "" or entry["integrity"].startswith("sha512-")
        assert "resolved" not in entry


def test_the_small_bundle_counts_before_the_wheels(tmp_path: Path) -> None:
    assert vendor.bundle(tmp_path).name == "plotly.min.js"
    (tmp_path / vendor.BUNDLE).write_text("//")
    assert vendor.bundle(tmp_path) == tmp_path / vendor.BUNDLE


@pytest.mark.parametrize(
    ("script", "said"),
    [(None, "npm is not installed"), ("echo 'npm ERR! EINTEGRITY' >&2; exit 1", "npm failed: npm ERR! EINTEGRITY")],
)
def test_setup_goes_on_without_npm(
    script: str | None, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if script:
        npm = tmp_path / "npm"
        npm.write_text(f"#!/bin/sh\n{script}\n")
        npm.chmod(npm.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path) if script is None else f"{tmp_path}{os.pathsep}/bin:/usr/bin")
    monkeypatch.setattr(vendor, "VENDOR", tmp_path / "vendor")
    vendor.main()
    assert f"{said}; charts are drawn with the larger Plotly bundle" in capsys.readouterr().out
    assert not (tmp_path / "vendor").exists()
