"""Static files under names that hold a hash of their content: cached for a year, packed once."""

import gzip
import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from flask import Blueprint, Response, abort, request

from dashboard import vendor
from dashboard.security import takes_gzip

STATIC = Path(__file__).parent / "static"
SUFFIXES = (".css", ".js", ".svg", ".png", ".woff2")
PACK_FROM_BYTES = 1024
FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class Asset:
    path: Path
    content: bytes

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.content).hexdigest()[:12]

    @cached_property
    def packed(self) -> bytes:
        return gzip.compress(self.content, 9)

    @property
    def kind(self) -> str:
        return mimetypes.guess_type(self.path.name)[0] or "application/octet-stream"


class Assets:
    """Every file of the static folder by name, and Plotly as `plotly.js`; read at start."""

    def __init__(self, static: Path = STATIC) -> None:
        files = {path.name: path for path in sorted(static.glob("*")) if path.suffix in SUFFIXES}
        files["plotly.js"] = vendor.bundle()
        assets = {name: Asset(path, path.read_bytes()) for name, path in files.items()}
        self._urls: Mapping[str, str] = {name: _hashed(name, asset.digest) for name, asset in assets.items()}
        self._by_url: Mapping[str, Asset] = {self._urls[name]: asset for name, asset in assets.items()}
        self.blueprint = Blueprint("assets", __name__)
        self.blueprint.add_url_rule("/static/<name>", "file", self._serve)

    def url(self, name: str) -> str:
        """KeyError for a file that is not there."""
        return f"{request.script_root}/static/{self._urls[name]}"

    def _serve(self, name: str) -> Response:
        asset = self._by_url.get(name)
        if asset is None:
            abort(404)
        pack = len(asset.content) >= PACK_FROM_BYTES and takes_gzip()
        answer = Response(asset.packed if pack else asset.content, mimetype=asset.kind)
        answer.headers["Cache-Control"] = FOR_EVER
        answer.headers["Vary"] = "Accept-Encoding"
        if pack:
            answer.headers["Content-Encoding"] = "gzip"
        answer.set_etag(asset.digest)
        answer.make_conditional(request)
        return answer


def _hashed(name: str, digest: str) -> str:
    stem, _, suffix = name.rpartition(".")
    return f"{stem}.{digest}.{suffix}"
