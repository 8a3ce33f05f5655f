"""Third-party JavaScript at set-up: `python -m dashboard.vendor` takes Plotly's small bundle from its npm package.

Version and integrity hash are pinned by package.json and package-lock.json; npm checks them. Without npm the larger
bundle inside the `plotly` wheel serves instead.
"""

import json
import re
import shutil
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path

import click

ROOT = Path(__file__).parent.parent
VENDOR = Path(__file__).parent / "static" / "vendor"
PACKAGE = "plotly.js-basic-dist-min"
BUNDLE = "plotly-basic.min.js"
BANNER = re.compile(rb"plotly\.js \(basic - minified\) v(\S+)")
PATIENCE_SECONDS = 120


def bundle(folder: Path = VENDOR) -> Path:
    """The Plotly file to serve. FileNotFoundError when neither the npm package nor the wheel has one."""
    small = folder / BUNDLE
    if small.exists():
        return small
    spec = find_spec("plotly")  # found without importing it, which would cost 30 ms and 4 MB
    for place in spec.submodule_search_locations or () if spec else ():
        full = Path(place) / "package_data" / "plotly.min.js"
        if full.exists():
            return full
    raise FileNotFoundError("no Plotly bundle: run `make setup`, or install the plotly package")


def wanted(root: Path = ROOT) -> str:
    """The pinned version."""
    lock = json.loads((root / "package-lock.json").read_text())
    version: str = lock["packages"][f"node_modules/{PACKAGE}"]["version"]
    return version


def present(folder: Path = VENDOR) -> str:
    """The version of the small bundle, as its first lines say; "" if it is not there."""
    try:
        with (folder / BUNDLE).open("rb") as file:
            found = BANNER.search(file.read(200))
    except FileNotFoundError:
        return ""
    return found[1].decode() if found else ""


def fetch(root: Path = ROOT, folder: Path = VENDOR) -> None:
    """Put the pinned bundle into the folder. OSError or SubprocessError if npm is not there, fails or hangs."""
    with tempfile.TemporaryDirectory() as scratch:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(root / name, scratch)
        subprocess.run(
            ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"],  # noqa: S607
            cwd=scratch, check=True, capture_output=True, text=True, timeout=PATIENCE_SECONDS,
        )  # fmt: skip
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / f"{BUNDLE}.part"  # renamed when whole: half a bundle has the banner too
        shutil.copy(Path(scratch, "node_modules", PACKAGE, BUNDLE), part)
        part.replace(folder / BUNDLE)


def install(root: Path = ROOT, folder: Path = VENDOR) -> str:
    """What was done or why not, as a sentence; "" if the pinned version was there."""
    if present(folder) == wanted(root):
        return ""
    try:
        fetch(root, folder)
    except subprocess.TimeoutExpired:
        reason = f"npm did not end within {PATIENCE_SECONDS} seconds"
    except subprocess.CalledProcessError as error:
        reason = f"npm failed with {_told(error.stderr)}"
    except OSError as error:
        reason = f"npm is not usable: {error.strerror} ({error.filename})"
    else:
        return f"Plotly {wanted(root)}: the small bundle is in place."
    return f"{reason}. Charts are drawn with the larger Plotly bundle of the Python package instead."


def _told(stderr: str) -> str:
    """npm's own code, such as EINTEGRITY or ENOTFOUND: its sentences name hosts and take many lines."""
    found = re.search(r"npm (?:error|ERR!) code (\S+)", stderr)
    return found[1] if found else "an unknown error"


if __name__ == "__main__":
    if said := install():
        click.echo(said)
