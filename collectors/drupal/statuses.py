"""How a project stands among its releases: the rules of Drupal's own update module, older ones for Drupal 7.

One rule is stricter than in today's module: a newer security release of the installed branch makes the installed one
insecure, also where drupal.org has not said so of it. Security releases of another branch do not.

Source: https://api.drupal.org/api/drupal/core%21modules%21update%21update.compare.inc/10
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from collectors.drupal.releases import History, Release
from collectors.drupal.versions import Version, version
from collectors.errors import ParseError

NOT_SECURE, REVOKED, NOT_SUPPORTED, NOT_CURRENT, CURRENT = 1, 2, 3, 4, 5
NOT_CHECKED, UNKNOWN, NOT_FETCHED, FETCH_PENDING = -1, -2, -3, -4
NAMES = {
    NOT_SECURE: "not_secure", REVOKED: "revoked", NOT_SUPPORTED: "not_supported", NOT_CURRENT: "not_current",
    CURRENT: "current", NOT_CHECKED: "not_checked", UNKNOWN: "unknown", NOT_FETCHED: "not_fetched",
    FETCH_PENDING: "fetch_pending",
}  # fmt: skip
OF_PROJECT = {
    "insecure": NOT_SECURE, "unpublished": REVOKED, "revoked": REVOKED, "unsupported": NOT_SUPPORTED,
    "not-fetched": NOT_FETCHED,
}  # fmt: skip
LEEWAY = 100  # seconds between the date in an .info file and that of its archive
UNSUPPORTED = "Unsupported"
INSECURE = "Insecure"


@dataclass(frozen=True)
class Installed:
    project: str
    version: str
    """Empty when nobody says."""
    type: str = ""
    date: float | None = None
    """When a development version was packed. Unix seconds."""
    extensions: tuple[str, ...] = ()
    """Modules and themes of the project that are there."""


@dataclass(frozen=True)
class Verdict:
    status: int
    recommended: str = ""
    latest: str = ""
    security: tuple[Release, ...] = ()
    """Newer security releases: of the installed branch, or of all where that is not supported."""


@dataclass
class _Search:
    """What going through the releases, from the newest on, has found."""

    target: int
    """Major version to stay at or to go to."""
    status: int | None = None
    recommended: str = ""
    latest: str = ""
    dev: str = ""
    security: list[Release] = field(default_factory=list)
    candidate: tuple[str, str] = ("", "")
    """The version without its extra, and the first release of it."""
    last_supported: bool = False


def verdict(installed: Installed, history: History) -> Verdict:
    if history.status in OF_PROJECT:
        return Verdict(OF_PROJECT[history.status])
    if (ours := _version(installed.version)) is None:
        return Verdict(UNKNOWN)
    supported, target = _target(ours, history)
    if history.pending or not history.releases:
        return Verdict(FETCH_PENDING if history.pending else UNKNOWN)
    search = _Search(target, None if supported else NOT_SUPPORTED)
    for release in history.releases:
        if (found := _version(release.version)) is None:
            continue
        if _take(search, installed, history, release, found):
            break
    if not search.recommended and (search.last_supported or history.seven):
        search.recommended = search.latest
    return _concluded(search, installed, history, ours)


def _version(text: str) -> Version | None:
    try:
        return version(text)
    except ParseError:
        return None


def _target(ours: Version, history: History) -> tuple[bool, int]:
    """Whether the installed branch is supported, and the major version to stay at or to go to; never a lower one."""
    if history.seven:
        majors = history.majors or tuple(filter(None, (history.default_major,)))
        if str(ours.major) in majors:
            return True, ours.major
        wanted = history.recommended_major or history.default_major
        return not history.recommended_major, max(ours.major, int(wanted) if wanted.isdecimal() else 0)
    if _supported(ours.text, history) or not history.branches:
        return True, ours.major
    first = next((found.major for branch in history.branches if (found := _version(f"{branch}0"))), ours.major)
    return False, max(ours.major, first)


def _supported(text: str, history: History) -> bool:
    return text.startswith(history.branches) if history.branches else False


def _take(search: _Search, installed: Installed, history: History, release: Release, found: Version) -> bool:
    """Whether the search ends with this release: it is the installed one."""
    is_supported = UNSUPPORTED not in release.types and (history.seven or _supported(release.version, history))
    ours = release.version == installed.version
    search.last_supported = is_supported
    if ours:
        search.status = _of_installed(release, is_supported) or search.status
    if (history.seven or not ours) and (not release.published or not is_supported or INSECURE in release.types):
        return False  # in Drupal 7 the search goes on behind an installed one that is insecure, in later ones it ends
    if not ours and release.date is None and found.extra == "dev":
        return False
    if found.major > search.target:
        return False
    if found.major == search.target:
        _recommend(search, release, found, is_supported)
    if ours:
        return True
    if not _is_older(installed, release) and release.security and _same_branch(installed, release, history):
        search.security.append(release)
    return False


def _of_installed(release: Release, is_supported: bool) -> int | None:
    if INSECURE in release.types:
        return NOT_SECURE
    if not release.published:
        return REVOKED
    return None if is_supported else NOT_SUPPORTED


def _recommend(search: _Search, release: Release, found: Version, is_supported: bool) -> None:
    search.latest = search.latest or release.version
    if found.extra == "dev":
        search.dev = search.dev or release.version
    if search.recommended or not is_supported:
        return
    plain = release.version.removesuffix(f"-{found.extra}") if found.extra else release.version
    if search.candidate[0] != plain:
        search.candidate = (plain, release.version)
    if not found.extra:
        search.recommended = search.candidate[1]


def _is_older(installed: Installed, release: Release) -> bool:
    """Than an installed version that the search may not meet: a development version, or one that drupal.org lacks."""
    ours, theirs = _version(installed.version), _version(release.version)
    assert ours
    assert theirs
    if ours.dev:
        return not installed.date or (release.date is not None and installed.date + LEEWAY > release.date)
    return theirs <= ours


def _same_branch(installed: Installed, release: Release, history: History) -> bool:
    branch = next((branch for branch in history.branches if installed.version.startswith(branch)), None)
    return branch is None or release.version.startswith(branch)


def _concluded(search: _Search, installed: Installed, history: History, ours: Version) -> Verdict:
    found = Verdict(UNKNOWN, search.recommended, search.latest, tuple(search.security))
    decisive = history.seven or _supported(ours.text, history)
    if search.security and decisive and search.status != REVOKED:
        return replace(found, status=NOT_SECURE)
    if search.status is not None:
        return replace(found, status=search.status)
    if not search.recommended:
        return found
    if ours.dev:
        return replace(found, status=_of_dev(search, installed, history.releases))
    current = installed.version in (search.recommended, search.latest)
    return replace(found, status=CURRENT if current else NOT_CURRENT)


def _of_dev(search: _Search, installed: Installed, releases: Sequence[Release]) -> int:
    if not installed.date:
        return NOT_CHECKED
    dates = {release.version: release.date or 0.0 for release in releases}
    newest = max(dates.get(search.dev, 0.0), dates.get(search.latest, 0.0))
    return CURRENT if installed.date + LEEWAY > newest else NOT_CURRENT
