"""Changes of a site: what two snapshots tell, once, and of nobody more than a number."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.drupal.change import NUMBER
from collectors.drupal.changes import Snapshot, step
from collectors.model import Event

BASE: dict[str, Any] = {
    "now": 1000.0, "site": "shop", "core": "10.6.14", "lock": "aaa", "deployment": "release-1",
    "extensions": {"node": "module", "dblog": "module", "olivero": "theme"},
    "config": {f"views.view.v{n}": f"h{n}" for n in range(20)}, "cron_last": 900.0, "maintenance": False,
    "caches": {"container": "c1", "css_js_query_string": "t1"}, "roles": [[2, "administrator"], [3, "editor"]],
    "admin_roles": ["administrator"], "permissions": {"editor": ["access content"], "anonymous": []},
    "first_account": "f1", "trusted_hosts": "t1", "formats": {"basic": ["filter_html", "filter_url"], "full": []},
}  # fmt: skip


def told(*snapshots: dict[str, Any]) -> list[Event]:
    """Of the last; the state goes through JSON between two, as it is kept."""
    state: dict[str, Any] = {}
    events: list[Event] = []
    for snapshot in snapshots:
        made: Snapshot = json.loads(json.dumps(snapshot))
        before = json.dumps(state)
        after, found = step(state, made)
        assert json.dumps(state) == before
        state, events = json.loads(json.dumps(after)), list(found)
    return events


def after(**changed: Any) -> list[Event]:
    return told(BASE, {**BASE, "now": 1060.0, **changed})


def test_a_rebuild_is_told_with_the_time_at_which_the_container_was_made() -> None:
    caches = {"container": "c2", "css_js_query_string": "t1"}
    assert [event.last for event in after(caches=caches, rebuilt=1031.5)] == [1031.5]
    assert [event.last for event in after(caches=caches, rebuilt=1060.5)] == [1060]  # by a clock that is ahead
    assert [event.last for event in after(caches={**caches, "container": "c1", "css_js_query_string": "t2"})] == [1060]


def brief(events: list[Event]) -> list[tuple[str, str, str]]:
    return [(event.kind.removeprefix("drupal."), event.severity, event.title) for event in events]


def test_the_first_snapshot_and_the_same_again_tell_nothing() -> None:
    assert told(BASE) == []
    assert after() == []


@pytest.mark.parametrize(
    ("changed", "expected"),
    [({"core": "10.6.15"}, [("core_version", "info", "Drupal changed from 10.6.14 to 10.6.15")]),
     ({"core": "10.6.9"}, [("core_version", "info", "Drupal went back from 10.6.14 to 10.6.9")]),
     ({"core": ""}, []),
     ({"lock": "bbb"}, [("deploy", "info", "composer.lock changed: other versions of code were deployed")]),
     ({"deployment": "secret-2"}, [("deploy", "info", "The deployment identifier of settings.php changed")]),
     ({"extensions": {**BASE["extensions"], "views": "module"}},
      [("extensions_installed", "info", "Installed: views")]),
     ({"extensions": {**BASE["extensions"], "devel": "module", "a": "module"}},
      [("extensions_installed", "warning", "Installed: a, devel")]),
     ({"extensions": {"node": "module"}}, [("extensions_uninstalled", "info", "Uninstalled: dblog, olivero")]),
     ({"config": {**BASE["config"], "views.view.v1": "other"}},
      [("config_changed", "info", "Configuration changed: views.view.v1")]),
     ({"config": dict.fromkeys(BASE["config"], "other")},
      [("config_import", "info", "20 configurations changed at once: an import")]),
     ({"cron_last": 1030.0}, [("cron", "info", "Cron ran")]), ({"cron_last": 800.0}, []),
     ({"maintenance": True}, [("maintenance", "info", "Maintenance mode was switched on")]),
     ({"caches": {"container": "c2", "css_js_query_string": "t2"}}, [("cache_rebuild", "info", "Caches were rebuilt")]),
     ({"roles": [[2, "administrator"], [3, "editor"], [4, "administrator"]]},
      [("admin_added", "warning", "Account 4 got the role administrator, which gives all rights")]),
     ({"roles": [[3, "editor"], [5, "editor"], [6, "editor"]]},
      [("role_revoked", "info", "Account 2 lost the role administrator"),
       ("role_granted", "info", "2 accounts got the role editor")]),
     ({"permissions": {"editor": ["access content", "administer users"], "anonymous": []}},
      [("permissions_changed", "warning", "The role editor may now administer users")]),
     ({"permissions": {"editor": ["b", "c"], "anonymous": []}},
      [("permissions_changed", "info", "The role editor may now b, c, may no more access content")]),
     ({"permissions": {"editor": ["access content"], "anonymous": ["administer nodes"]}},
      [("permissions_changed", "warning", "The role anonymous may now administer nodes")]),
     ({"first_account": "f2"},
      [("first_account_changed", "warning",
        "Account 1, which has all rights, has another name, address, password or state")]),
     ({"first_account": ""}, []),
     ({"trusted_hosts": "t2"}, [("trusted_hosts", "info", "The trusted hosts changed")]),
     ({"trusted_hosts": ""},
      [("trusted_hosts", "warning", "The trusted hosts are no longer set: any host name is answered")]),
     ({"formats": {"basic": ["filter_url"], "full": []}},
      [("text_formats_changed", "warning", "Text formats changed: basic")]),
     ({"formats": {**BASE["formats"], "code": ["php_code"]}},
      [("text_formats_changed", "warning", "Text formats changed: code")]),
     ({"formats": {"basic": ["filter_html", "filter_url", "x"]}},
      [("text_formats_changed", "info", "Text formats changed: basic, full")]),
     ({"permissions": {"editor": ["access content"], "spy": ["administer modules"]}},
      [("role_removed", "info", "The role anonymous was removed"), ("role_added", "info", "The role spy was added"),
       ("permissions_changed", "warning", "The role spy may now administer modules")])],
)  # fmt: skip
def test_a_change_is_told(changed: dict[str, Any], expected: list[tuple[str, str, str]]) -> None:
    found = after(**changed)
    assert brief(found) == expected
    assert {event.state for event in found if event.severity == "info"} <= {"closed"}
    assert {event.state for event in found if event.severity == "warning"} <= {"open"}


def test_modules_bring_configuration_and_that_is_no_import() -> None:
    extensions = {**BASE["extensions"], "views": "module"}
    found = after(extensions=extensions, config={**BASE["config"], **{f"a.{n}": "x" for n in range(9)}})
    assert [event.kind for event in found] == ["drupal.extensions_installed", "drupal.config_changed"]
    assert found[1].evidence[0] == {"name": "a.0", "change": "added"}


def test_what_a_snapshot_leaves_out_stays_what_it_was() -> None:
    blind = {"now": 1030.0, "site": "shop"}
    assert told(BASE, blind, {**BASE, "now": 1060.0}) == []
    assert [event.kind for event in told(BASE, blind, {**BASE, "core": "11.0.0"})] == ["drupal.core_version"]


def test_an_event_has_one_id_and_the_same_change_later_another() -> None:
    on = {**BASE, "maintenance": True}
    first, again = told(BASE, on)[0], told(BASE, {**on, "now": 5000.0})[0]
    later = told(BASE, on, BASE, on)[0]
    assert (first.id, first.title) == (again.id, later.title)
    assert first.id != later.id
    assert (first.first, first.host, first.site, first.source) == (1000.0, "", "shop", "drupal")
    assert told(BASE, {**BASE, "site": "blog", "maintenance": True})[0].id != first.id
    assert after(cron_last=1030.0)[0].first == 1030.0


def test_what_identifies_a_deployment_and_code_stays_here() -> None:
    first: Any = BASE
    second: Any = {**BASE, "deployment": "t0ken", "lock": "{body}"}
    state, events = step(step({}, first)[0], second)
    assert len(events) == 2
    assert "t0ken" not in repr((state, events))
    assert "{body}" not in repr((state, events))


def test_a_role_that_very_many_have_is_not_followed_by_account() -> None:
    crowd = {**BASE, "roles": [*BASE["roles"], *([uid, "member"] for uid in range(1001))]}
    fewer = {**BASE, "roles": [*BASE["roles"], *([uid, "member"] for uid in range(999))]}
    assert told(BASE, crowd) == []
    assert told(fewer, crowd) == []
    assert told(crowd, fewer) == []
    assert [event.title for event in told(BASE, fewer)] == ["999 accounts got the role member"]
    assert len(told(BASE, fewer)[0].evidence) == 10


names = st.text(max_size=8)
hashes = st.dictionaries(names, names, max_size=6)
snapshots = st.fixed_dictionaries(
    {"now": st.floats(0, 2e9), "site": st.just("shop")},
    optional={
        "core": names | st.sampled_from(["10.1", "10.2"]), "lock": names, "deployment": names, "extensions": hashes,
        "config": hashes, "cron_last": st.floats(0, 2e9), "maintenance": st.booleans(), "caches": hashes,
        "roles": st.lists(st.tuples(st.integers(0, 3), names), max_size=5), "admin_roles": st.lists(names, max_size=2),
        "permissions": st.dictionaries(names, st.lists(names, max_size=3), max_size=3),
    },
)  # fmt: skip


@given(st.lists(snapshots, min_size=1, max_size=5))
def test_any_snapshots_can_be_compared_and_the_last_twice_tells_nothing(found: list[dict[str, Any]]) -> None:
    state: dict[str, Any] = {}
    seen: set[str] = set()
    for snapshot in found:
        made: Any = snapshot
        later: Any = {**snapshot, "now": 1.0}
        once, events = step(state, made)
        assert step(state, later)[0] == once
        assert not {event.id for event in events} & seen
        seen |= {event.id for event in events}
        assert step(once, made)[1] == []
        state = json.loads(json.dumps(once))
    assert state.get(NUMBER, 0) == len(seen)
