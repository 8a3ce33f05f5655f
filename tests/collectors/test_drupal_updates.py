"""Updates of a site's projects: what it knows itself, what a folder says, and since when it is exposed."""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.drupal import advisories, installed, updates
from collectors.drupal.exposure import exposed_since
from collectors.drupal.releases import Release
from collectors.drupal.statuses import Installed, Verdict
from collectors.errors import Absent, ParseError
from tests.collectors.drupal_site import DATA, SHARED, rows

TEN = "drupal10.6.15-mariadb.sql.gz"
SEVEN = "drupal7.103-mariadb.sql.gz"
NOW = 1742000000.0
LOCK = (DATA / "composer.lock").read_text()
PSA = (DATA / "psa.json").read_text()
HISTORIES = [(path.read_text(), 1741900000.0) for path in sorted((DATA / "release-history").glob("*.xml"))]
ENABLED = ["system", "node", "shop_cart", "beta", "left"]
INFO = {
    "modules/contrib/shop/shop.info.yml": "name: Shop\ntype: module\n",
    "modules/contrib/shop/cart/shop_cart.info.yml": "name: Cart\ntype: module # of shop\nversion: '8.x-1.8'\n",
    "modules/contrib/gone/gone.info.yml": "type: module\nversion: 1.0.2\nproject: gone\ndatestamp: 1700000000\n",
    "modules/custom/ours/ours.info.yml": "type: module\nversion: 1.0\n",
    "modules/beta/beta.info.yml": "type: module\n",
}
needs_shared = pytest.mark.skipif(not SHARED.exists(), reason="the sample sites are not beside the repository")


def payload(**changed: Any) -> updates.Payload:
    made: dict[str, Any] = {
        "now": NOW, "core": "10.4.3", "driver": "mysql", "enabled": ENABLED, "lock": LOCK, "info": INFO,
        "mirror": {"histories": HISTORIES, "advisories": PSA},
    }  # fmt: skip
    kept: Any = {key: value for key, value in {**made, **changed}.items() if value is not None}
    found: updates.Payload = kept
    return found


def values(of: updates.Payload) -> dict[str, float]:
    return {
        ",".join([sample.family.name.removeprefix("drupal_"), *sample.labels]): sample.value
        for sample in updates.parse(of)
    }


def test_a_site_without_update_module_is_judged_by_a_folder() -> None:
    found = values(payload())
    assert {name: value for name, value in found.items() if "exposed" not in name} == {
        "updates,not_secure": 2, "updates,revoked": 0, "updates,not_supported": 1, "updates,not_current": 0,
        "updates,current": 1, "security_updates_pending": 2,
        "project_status,drupal,not_secure,10.4.3,10.4.4,core": 1,
        "project_status,shop,not_secure,8.x-1.8,8.x-1.9,module": 1,
        "project_status,left,not_supported,8.x-1.2,,theme": 1,
        "update_data_age_seconds": 100000,
    }  # fmt: skip


def test_the_clock_knows_the_sites_database() -> None:
    clocks = {driver: values(payload(driver=driver)) for driver in ("mysql", "pgsql", "sqlite", "", "other")}
    since = {driver: found.get("exposed_seconds,drupal") for driver, found in clocks.items()}
    first = NOW - 1739984400  # the advisory; the release's own date in our history is later
    assert since == {"mysql": None, "sqlite": None, "pgsql": first, "": first, "other": first}
    assert {found["exposed_seconds,shop"] for found in clocks.values()} == {NOW - 1739599200}


def test_another_advisory_of_the_day_keeps_the_clock_going() -> None:
    both = PSA.replace("[\n", '[{"project": "drupal", "insecure": ["10.4.3"], "pubDate": "19 Feb 2025 18:00"},\n', 1)
    found = values(payload(mirror={"histories": HISTORIES, "advisories": both}))
    assert found["exposed_seconds,drupal"] == NOW - 1739988000


def test_a_feed_may_say_which_databases_it_is_about() -> None:
    about = PSA.replace('"project": "shop",', '"project": "shop", "drivers": ["sqlite"],')
    assert "exposed_seconds,shop" not in values(payload(mirror={"histories": HISTORIES, "advisories": about}))


def test_what_is_off_is_not_counted() -> None:
    found = values(payload(enabled=["system"]))
    assert [name for name in found if name.startswith("project_status")] == [
        "project_status,drupal,not_secure,10.4.3,10.4.4,core"
    ]
    assert values(payload(enabled=[*ENABLED, "gone"]))["project_status,gone,revoked,1.0.2,,module"] == 1


def test_what_nobody_knows_is_absent() -> None:
    with pytest.raises(Absent, match="folder"):
        values(payload(mirror={}, core="", lock="", info={}))
    assert values(payload(mirror={}, core="10.4.3")) == {}
    assert values(payload(mirror={}, core="10.6.1")) == {"core_supported_until_timestamp_seconds": 1796774400}
    assert values(payload(mirror={}, core="7.103")) == {"core_supported_until_timestamp_seconds": 1736035200}
    assert values(payload(mirror={}, core="a hash", lock="", info={})) == {}


def test_a_folder_of_release_histories_is_read(tmp_path: Path) -> None:
    with pytest.raises(Absent):
        updates.read_mirror(tmp_path / "none")
    (tmp_path / "drupal").mkdir()
    (tmp_path / "drupal" / "current.xml").write_text("<a/>")
    os.utime(tmp_path / "drupal" / "current.xml", (5, 5))
    assert updates.read_mirror(tmp_path) == {"histories": [("<a/>", 5.0)]}
    (tmp_path / "psa.json").write_text("[]")
    assert updates.read_mirror(tmp_path)["advisories"] == "[]"


def test_info_files_and_the_lock_are_found_below_and_beside_a_docroot(tmp_path: Path) -> None:
    web = tmp_path / "web"
    for path in (*INFO, "core/modules/node/node.info.yml", "modules/contrib/shop/tests/t/t.info.yml", "themes/a/a.css"):
        (web / path).parent.mkdir(parents=True, exist_ok=True)
        (web / path).write_text(INFO.get(path, "type: module\n"))
    (web / "sites" / "all" / "modules").mkdir(parents=True)
    (web / "sites" / "all" / "modules" / "seven.info").write_text("version = 7.x-1.0\n")
    (web / "modules" / "loop").symlink_to(web)
    assert installed.read_info(str(web)) == {**INFO, "sites/all/modules/seven.info": "version = 7.x-1.0\n"}
    assert installed.read_lock(str(web)) == ""
    (tmp_path / "composer.lock").write_text("{}")
    assert installed.read_lock(str(web)) == "{}"
    with pytest.raises(Absent):
        installed.read_info(str(tmp_path / "none"))


def test_installed_versions() -> None:
    assert installed.from_lock(LOCK) == {
        "drupal": Installed("drupal", "10.4.3", "core"),
        "shop": Installed("shop", "8.x-1.8", "module", 1730000000.0),
        "beta": Installed("beta", "3.0.0-beta4", "module"),
        "left": Installed("left", "1.2.0", "theme"),
        "gone": Installed("gone", "1.0.2", "module"),
    }
    assert installed.from_info(INFO, ["beta"]) == {
        "shop": Installed("shop", "8.x-1.8", "module", None, ("shop_cart", "shop")),
        "gone": Installed("gone", "1.0.2", "module", 1700000000.0, ("gone",)),
        "beta": Installed("beta", "", "module", None, ("beta",)),
    }
    seven = {"sites/all/modules/views/views.info": 'name = V\nversion = "7.x-3.23"\nproject = "views"\n'}
    assert installed.from_info(seven)["views"].version == "7.x-3.23"


@pytest.mark.parametrize(
    ("installed_version", "named"),
    [("10.4.3", True), ("10.4.4", False), ("10.4.x-dev", True), ("10.5.x-dev", False), ("11.x-dev", True), ("", False)],
)
def test_which_versions_an_advisory_names(installed_version: str, named: bool) -> None:
    advisory, announcement, _ = advisories.from_json(PSA)
    assert advisory.names(installed_version) is named
    assert (announcement.announcement, announcement.names(installed_version)) == (True, False)
    assert (advisory.id, advisory.drivers) == ("SA-CORE-2026-004", ("pgsql",))


def test_a_release_without_date_starts_no_clock() -> None:
    lacking = Verdict(1, security=(Release("1.1", True),))
    assert exposed_since(Installed("a", "1.0"), lacking, (), "mysql") is None
    assert exposed_since(Installed("a", "1.0"), replace(lacking, security=(Release("1.1", True, 5.0),)), (), "") == 5


@pytest.mark.parametrize("text", ["", "{", "{}", "[" * 100_000, "3", "[" + " " * 4_000_000])
def test_what_is_no_feed(text: str) -> None:
    with pytest.raises(ParseError):
        advisories.from_json(text)


anything: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10) | st.sampled_from(["drupal", "10.4.3", "1", "[]"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["project", "insecure", "pubDate", "is_psa", "packages", "name", "type", "extra", "drupal"]),
        inner, max_size=5,
    ),
)  # fmt: skip


@given(st.lists(anything) | anything)
def test_any_json_is_advisories_or_a_lock_or_a_parse_error(said: Any) -> None:
    for read in (advisories.from_json, installed.from_lock):
        try:
            found = read(json.dumps(said))
        except ParseError:
            continue
        assert isinstance(found, tuple | dict)


@given(st.dictionaries(st.text(max_size=20), st.text(max_size=60)), st.text())
def test_any_info_files_and_any_stored_text_are_read_or_a_parse_error(files: dict[str, str], text: str) -> None:
    installed.from_info(files, files)
    try:
        values(payload(info=files, stored={"computed": text, "available": {"a": text}, "advisories": text}))
    except ParseError:
        return


def latin(value: bytes) -> str:
    return value.decode("latin-1")


def of_ten(**changed: Any) -> updates.Payload:
    kept = {(row[0], row[1]): (latin(row[2]), float(row[3])) for row in rows(TEN, "key_value_expire")}
    stored: dict[str, Any] = {
        "computed": kept["update", "update_project_data"][0],
        "computed_until": kept["update", "update_project_data"][1],
        "available": {name: text for (kind, name), (text, _) in kept.items() if kind == "update_available_releases"},
        "advisories": kept["system", "advisories_response"][0],
    }
    return payload(
        now=1795342200.0, core="10.6.15", enabled=None, lock="", info={}, mirror={}, stored={**stored, **changed}
    )


EXPECTED = {
    "updates,not_secure": 2, "updates,revoked": 1, "updates,not_supported": 2, "updates,not_current": 0,
    "updates,current": 1, "security_updates_pending": 2,
    "project_status,drupal,not_secure,10.6.15,10.6.16,core": 1,
    "project_status,webform,not_secure,6.2.2,6.2.9,module": 1,
    "project_status,redirect,revoked,8.x-1.8,8.x-1.10,module": 1,
    "project_status,ctools,not_supported,8.x-3.14,4.1.0,module": 1,
    "project_status,flag,not_supported,8.x-4.0-beta4,,module": 1,
    "core_supported_until_timestamp_seconds": 1796774400,
    "exposed_seconds,drupal": 1795342200 - 1787000000, "exposed_seconds,webform": 1795342200 - 1740000000,
}  # fmt: skip


@needs_shared
@pytest.mark.parametrize("changed", [{}, {"computed_until": 0.0}, {"available": {}}], ids=["fresh", "stale", "alone"])
def test_a_real_site(changed: dict[str, Any]) -> None:
    found = values(of_ten(**changed))
    assert found.pop("update_data_age_seconds", 0) == (0 if "available" in changed else 995)
    assert found == EXPECTED


@needs_shared
def test_a_real_site_of_drupal_7() -> None:
    cache = {row[0]: (latin(row[1]), float(row[2])) for row in rows(SEVEN, "cache_update")}
    available = {name.split("::")[1]: text for name, (text, _) in cache.items() if "::" in name}
    system = [(row[1], latin(row[8])) for row in rows(SEVEN, "system") if row[4] == "1"]
    made = updates.Payload(
        now=1795342200.0, seven=True, core="7.103", driver="mysql", system=system, stored={"available": available}
    )
    found = values(made)
    assert [name for name in found if name.startswith("project_status")] == [
        "project_status,drupal,not_secure,7.103,7.105,core", "project_status,views,not_secure,7.x-3.23,7.x-3.29,module",
    ]  # fmt: skip
    assert (found["updates,current"], found["security_updates_pending"]) == (1, 2)
