"""Third-party JavaScript: pinned, fetched at set-up, with something to fall back on."""

import base64
import hashlib
import io
import json
import shutil
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from dashboard import vendor

SCRIPT = b"/**\n* plotly.js (basic - minified) v4.5.6\n* Licensed under the MIT license\n*/\nvar Plotly = {};\n"
FALLBACK = ". Charts are drawn with the larger Plotly bundle of the Python package instead."


class Registry:
    """What npm asks for: the package's versions, then its archive. Only on loopback."""

    def __init__(self) -> None:
        self.archive = archive({"package.json": pinned("4.5.6"), vendor.BUNDLE: SCRIPT})
        self.requests: list[str] = []

    def answer(self, url: str, path: str) -> bytes:
        self.requests.append(path)
        if path.endswith(".tgz"):
            return self.archive
        dist = {"tarball": f"{url}/{vendor.PACKAGE}.tgz", "integrity": integrity(self.archive)}
        version = {"name": vendor.PACKAGE, "version": "4.5.6", "dist": dist}
        return json.dumps({"name": vendor.PACKAGE, "versions": {"4.5.6": version}}).encode()


def archive(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def integrity(content: bytes) -> str:
    return "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode()


def pinned(version: str) -> bytes:
    return json.dumps({"name": vendor.PACKAGE, "version": version}).encode()


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    served = Registry()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = served.answer(f"http://{self.headers['Host']}", self.path)
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.setenv("npm_config_registry", f"http://127.0.0.1:{server.server_address[1]}/")
        monkeypatch.setenv("npm_config_cache", str(tmp_path / "cache"))
        yield served
        server.shutdown()
        thread.join()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A package.json and its lock, in the form of ours, for the registry's package."""
    root = tmp_path / "checkout"
    root.mkdir()
    for name in ("package.json", "package-lock.json"):
        ours = json.loads((vendor.ROOT / name).read_text())
        for entry in (ours, ours.get("packages", {}).get("", {})):
            if "dependencies" in entry:
                entry["dependencies"] = {vendor.PACKAGE: "4.5.6"}
        if "packages" in ours:
            locked = integrity(Registry().archive)
            ours["packages"][f"node_modules/{vendor.PACKAGE}"] |= {"version": "4.5.6", "integrity": locked}
        (root / name).write_text(json.dumps(ours))
    return root


def test_version_and_content_are_pinned_and_no_registry_is_named() -> None:
    package = json.loads((vendor.ROOT / "package.json").read_text())
    text = (vendor.ROOT / "package-lock.json").read_text()
    entries = json.loads(text)["packages"]
    assert package["dependencies"] == entries[""]["dependencies"] == {vendor.PACKAGE: vendor.wanted()}
    assert [entry["integrity"][:7] for name, entry in entries.items() if name] == ["sha512-"]
    assert "resolved" not in text
    assert "//" not in text.replace(entries[f"node_modules/{vendor.PACKAGE}"]["integrity"], "")


def test_the_small_bundle_counts_before_the_wheels(tmp_path: Path) -> None:
    full = vendor.bundle(tmp_path)
    assert (full.name, b"plotly.js" in full.read_bytes()[:200]) == ("plotly.min.js", True)
    (tmp_path / vendor.BUNDLE).write_bytes(SCRIPT)
    assert vendor.bundle(tmp_path) == tmp_path / vendor.BUNDLE


def test_looking_for_the_bundle_does_not_import_plotly() -> None:
    script = "import sys; from dashboard import vendor; vendor.bundle(); sys.exit('plotly' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], cwd=vendor.ROOT, check=False).returncode == 0


HANGS = "exec sleep 60"
needs_npm = pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")


@needs_npm
@pytest.mark.servers
def test_the_pinned_bundle_is_fetched_once_and_again_when_it_is_gone_or_old(
    registry: Registry, checkout: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "static" / "vendor"
    done = "Plotly 4.5.6: the small bundle is in place."
    assert vendor.install(checkout, folder) == done
    assert [path.name for path in folder.iterdir()] == [vendor.BUNDLE]
    assert (folder / vendor.BUNDLE).read_bytes() == SCRIPT
    registry.requests.clear()
    assert vendor.install(checkout, folder) == ""
    assert registry.requests == []
    (folder / vendor.BUNDLE).write_bytes(SCRIPT.replace(b"4.5.6", b"4.5.5"))
    assert vendor.install(checkout, folder) == done
    (folder / vendor.BUNDLE).unlink()
    assert vendor.install(checkout, folder) == done
    assert (folder / vendor.BUNDLE).read_bytes() == SCRIPT


@needs_npm
@pytest.mark.servers
def test_another_content_than_the_pinned_one_is_refused(registry: Registry, checkout: Path, tmp_path: Path) -> None:
    evil = {"package.json": pinned("4.5.6"), vendor.BUNDLE: SCRIPT + b"alert(1)"}
    registry.archive = archive(evil)
    assert vendor.install(checkout, tmp_path / "vendor") == f"npm failed with EINTEGRITY{FALLBACK}"
    assert not (tmp_path / "vendor").exists()


@needs_npm
@pytest.mark.servers
def test_scripts_of_the_package_are_not_run(registry: Registry, checkout: Path, tmp_path: Path) -> None:
    trace = tmp_path / "ran"
    manifest = {**json.loads(pinned("4.5.6")), "scripts": {"postinstall": f"touch {trace}"}}
    registry.archive = archive({"package.json": json.dumps(manifest).encode(), vendor.BUNDLE: SCRIPT})
    lock = json.loads((checkout / "package-lock.json").read_text())
    entry = lock["packages"][f"node_modules/{vendor.PACKAGE}"]
    entry |= {"integrity": integrity(registry.archive), "hasInstallScript": True}
    (checkout / "package-lock.json").write_text(json.dumps(lock))
    assert vendor.install(checkout, tmp_path / "vendor").startswith("Plotly 4.5.6")
    assert not trace.exists()


@pytest.mark.parametrize(
    ("npm", "said"),
    [
        (None, "npm is not usable: No such file or directory (npm)"),
        ("echo 'npm ERR! code ENOTFOUND' >&2; echo 'npm ERR! network' >&2; exit 1", "npm failed with ENOTFOUND"),
        ("echo 'out of luck' >&2; exit 3", "npm failed with an unknown error"),
        (HANGS, "npm did not end within 0.2 seconds"),
        ("exit 0", "npm is not usable: No such file or directory"),
    ],
)
def test_setup_goes_on_without_npm(npm: str | None, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    if npm:
        (programs / "npm").write_text(f"#!/bin/sh\n{npm}\n")
        (programs / "npm").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/bin:/usr/bin" if npm else str(programs))
    if npm == HANGS:
        monkeypatch.setattr(vendor, "PATIENCE_SECONDS", 0.2)
    sentence = vendor.install(folder=tmp_path / "vendor")
    assert sentence.startswith(said)
    assert sentence.endswith(FALLBACK)
    assert vendor.bundle(tmp_path / "vendor").name == "plotly.min.js"
