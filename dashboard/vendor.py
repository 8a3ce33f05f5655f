"""Third-party JavaScript at set-up: `python -m dashboard.vendor` takes Plotly's small bundle from its npm package.

Version and integrity hash are pinned by package.json and package-lock.json. Without npm the larger bundle inside the
`plotly` wheel serves instead.
"""

import json
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
VERSION_FILE = "plotly-basic.version"
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


def fetch(root: Path = ROOT, folder: Path = VENDOR) -> None:
    """Put the pinned bundle into the folder. OSError or CalledProcessError when npm is not there or fails."""
    with tempfile.TemporaryDirectory() as scratch:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(root / name, scratch)
        subprocess.run(
            ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],  # noqa: S607 # the one on the path
            cwd=scratch, check=True, capture_output=True, text=True, timeout=PATIENCE_SECONDS,
        )  # fmt: skip
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(Path(scratch, "node_modules", PACKAGE, BUNDLE), folder / BUNDLE)
    (folder / VERSION_FILE).write_text(wanted(root))


def main() -> None:
    version = VENDOR / VERSION_FILE
    if version.exists() and version.read_text() == wanted():
        return
    try:
        fetch()
    except FileNotFoundError:
        reason = "npm is not installed"
    except subprocess.TimeoutExpired:
        reason = f"npm did not end within {PATIENCE_SECONDS} s"
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", "") or str(error)
        reason = f"npm failed: {said.strip().splitlines()[0] if said.strip() else 'without a word'}"
    else:
        click.echo(f"Plotly {wanted()}: the small bundle is in place")
        return
    click.echo(f"{reason}; charts are drawn with the larger Plotly bundle of the Python package")


if __name__ == "__main__":
    main()
