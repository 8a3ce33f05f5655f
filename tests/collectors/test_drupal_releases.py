"""Release histories, and how a project stands among them: what Drupal's own update module says."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.drupal import releases
from collectors.drupal.php_values import unserialize
from collectors.drupal.releases import History, from_stored, from_xml
from collectors.drupal.statuses import Installed, Verdict, verdict
from collectors.errors import ParseError
from tests.collectors.drupal_site import DATA, SHARED, rows, stored

TEN = "drupal10.6.15-mariadb.sql.gz"
SEVEN = "drupal7.103-mariadb.sql.gz"
needs_shared = pytest.mark.skipif(not SHARED.exists(), reason="the sample sites are not beside the repository")


def history(name: str) -> History:
    return from_xml((DATA / "release-history" / f"{name}.xml").read_bytes())


def judged(name: str, version: str, date: float | None = None) -> Verdict:
    return verdict(Installed(name, version, date=date), history(name))


def test_a_release_history_is_read() -> None:
    found = history("shop")
    assert (found.project, found.type, found.status, found.branches) == (
        "shop", "module", "published", ("8.x-1.", "2.1.", "2.2."),
    )  # fmt: skip
    first = found.releases[0]
    assert (first.version, first.published, first.date, first.types) == (
        "2.2.1", True, 1739500000, ("Bug fixes", "Security update"),
    )  # fmt: skip
    assert [release.version for release in found.releases if not release.published] == ["8.x-1.7"]
    seven = history("panels-7.x")
    assert (seven.seven, seven.majors, seven.releases[0].extra) == (True, ("3",), "alpha1")
    assert history("absent") == History("")


@pytest.mark.parametrize(
    ("name", "version", "status", "recommended", "latest", "security"),
    [("gone", "1.0.2", 2, "", "", []), ("unsafe", "1.0.2", 1, "", "", []), ("left", "8.x-1.2", 3, "", "", []),
     ("absent", "1.0", -2, "", "", []), ("shop", "", -2, "", "", []), ("shop", "main", -2, "", "", []),
     # The other branches' security releases do not concern one that is supported.
     ("shop", "2.1.6", 4, "2.2.1", "2.2.1", []),
     ("shop", "2.2.1", 5, "2.2.1", "2.2.1", []),
     ("shop", "2.2.0", 1, "2.2.1", "2.2.1", ["2.2.1"]),
     ("shop", "8.x-1.8", 1, "8.x-1.9", "8.x-1.9", ["8.x-1.9"]),
     ("shop", "8.x-1.7", 2, "8.x-1.9", "8.x-1.9", ["8.x-1.9"]),
     ("shop", "2.0.3", 3, "2.2.1", "2.2.1", ["2.2.1"]), ("shop", "3.0.0", 3, "", "", []),
     ("drupal", "11.1.3", 5, "11.1.3", "11.1.3", []),
     ("drupal", "10.4.3", 1, "10.4.4", "10.5.0-beta1", ["10.4.4"]),
     ("drupal", "10.4.4", 5, "10.4.4", "10.5.0-beta1", []),
     ("drupal", "10.3.14", 3, "10.4.4", "10.5.0-beta1", ["10.4.4"]),
     ("beta", "3.0.0-beta4", 5, "3.0.0-beta4", "3.0.0-beta4", []),
     ("beta", "3.0.0-beta3", 4, "3.0.0-beta4", "3.0.0-beta4", []),
     ("drupal-7.x", "7.103", 1, "7.105", "7.105", ["7.105"]), ("drupal-7.x", "7.105", 5, "7.105", "7.105", []),
     ("panels-7.x", "7.x-3.9", 1, "7.x-3.10", "7.x-3.10", ["7.x-3.10"]),
     ("panels-7.x", "7.x-3.10", 5, "7.x-3.10", "7.x-3.10", [])],
)  # fmt: skip
def test_how_a_project_stands(
    name: str, version: str, status: int, recommended: str, latest: str, security: list[str]
) -> None:
    found = judged(name, version)
    assert (found.status, found.recommended, found.latest, [each.version for each in found.security]) == (
        status, recommended, latest, security,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("version", "date", "status"),
    [("8.x-1.x-dev", None, -1), ("8.x-1.x-dev", 1739600000 - 50, 5), ("8.x-1.x-dev", 1739500000, 1),
     ("2.1.x-dev", 1739500000 - 50, 5), ("2.1.x-dev", 1739500000 - 150, 4)],
)  # fmt: skip
def test_a_development_version_is_as_old_as_its_archive(version: str, date: float | None, status: int) -> None:
    assert judged("shop", version, date).status == status


@pytest.mark.parametrize(
    "text",
    ["", "<", "<a>", "<project>", "<a/>", "<project/>", b"\xff\xfe", "\ud800", "\0",
     '<?xml version="1.0" encoding="x-none"?><a/>',
     '<!DOCTYPE project [<!ENTITY a "b">]><project><short_name>&a;</short_name></project>',
     '<!DOCTYPE project SYSTEM "file:///etc/passwd"><project><short_name>x</short_name></project>',
     "<a>" * 50 + "</a>" * 50, f"<project>{'<b/>' * releases.MOST_ELEMENTS}</project>",
     " " * (releases.MOST_BYTES + 1), "<project><short_name>../etc</short_name></project>",
     f"<project><short_name>a</short_name><releases>{'<release/>' * 3001}</releases></project>"],
    ids=range(17),
)  # fmt: skip
def test_what_is_no_release_history(text: str | bytes) -> None:
    with pytest.raises(ParseError):
        from_xml(text)


@given(st.text() | st.binary() | st.text("<>/aprojectreleases ").map("<project><short_name>a</short_name>{}".format))
def test_any_text_is_a_history_or_a_parse_error(text: str | bytes) -> None:
    try:
        from_xml(text)
    except ParseError:
        return


values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=4),
    max_leaves=10,
)
words = st.sampled_from(["published", "unpublished", "1.0.", "8.x-1.", "3", "3,4", "1.0.1", "8.x-1.x-dev", "170000000"])
release = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("status", "date", "version_major", "version_extra"), words | values)
    | {"terms": st.just({"Release type": {0: "Security update"}}) | values},
)  # fmt: skip
kept = st.fixed_dictionaries(
    {"releases": values | st.dictionaries(words | st.text(max_size=6) | st.integers(0, 9), release, max_size=6)},
    optional=dict.fromkeys(
        ("project_status", "supported_branches", "supported_majors", "recommended_major", "last_fetch"), words | values
    )
    | {"fetch_status": st.just(-4) | values},
)


@given(kept | values, words | st.text(max_size=8), st.none() | st.floats(0, 2e9))
def test_whatever_a_site_has_stored_there_is_a_verdict_or_a_parse_error(
    said: Any, version: str, date: float | None
) -> None:
    try:
        found = from_stored("a", said)
    except ParseError:
        return
    assert verdict(Installed("a", version, date=date), found).status in (-4, -3, -2, -1, 1, 2, 3, 4, 5)


def agrees(project: str, theirs: dict[str, Any], available: Any, file: str) -> int:
    """Ours by what the site stored, and by the XML that it got, with what the site itself computed."""
    installed = Installed(project, theirs["existing_version"], date=float(theirs["datestamp"] or 0) or None)
    found = verdict(installed, from_stored(project, available))
    xml = from_xml((SHARED / "updates" / "release-history" / project / file).read_bytes())
    assert verdict(installed, xml) == found
    assert found.status == theirs["status"]
    assert found.recommended == (theirs.get("recommended") or "")
    assert found.latest == (theirs.get("latest_version") or "")
    security = theirs.get("security updates", {}).values()
    assert [each.version for each in found.security] == [each["version"] for each in security]
    return found.status


@needs_shared
def test_a_sites_own_verdicts() -> None:
    available = stored(TEN, "update_available_releases")
    data = stored(TEN, "update")["update_project_data"]
    found = {name: agrees(name, theirs, available[name], "current.xml") for name, theirs in data.items()}
    assert found == {"drupal": 1, "webform": 1, "redirect": 2, "ctools": 3, "flag": 3, "token": 5}


@needs_shared
def test_a_drupal_7_sites_own_verdicts() -> None:
    cache = {row[0]: unserialize(row[1]) for row in rows(SEVEN, "cache_update")}
    data = cache["update_project_data"]
    found = {name: agrees(name, data[name], cache[f"available_releases::{name}"], "7.x.xml") for name in data}
    assert found == {"drupal": 1, "views": 1, "webform": 5}
