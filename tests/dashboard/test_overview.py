"""The lists of the overview: the first few, alike ones in one line, and how many more there are."""

from pathlib import Path

from collectors.model import Event
from tests.dashboard import situations
from tests.dashboard.test_pages import JSON, get
from tests.dashboard.world import NOW


def test_long_lists_on_the_overview_end_and_say_how_much_more_there_is(tmp_path: Path) -> None:
    client = situations.crowded(tmp_path).client()
    data = get(client, "/")
    assert (len(data["alerts"]), data["alerts_left_out"]) == (5, 7)
    assert (len(data["watching"]), data["watching_left_out"]) == (12, 28)
    assert len(data["changes"]) == 6
    assert [layer["left_out"] for layer in data["layers"]] == [0, 0, 4, 0, 0, 0]
    text = client.get("/").get_data(as_text=True)
    assert all(words in text for words in ("7 more", "28 more", "4 more"))


def test_the_units_and_accounts_of_one_installation_are_a_line_each(tmp_path: Path) -> None:
    world = situations.calm(tmp_path)
    for number, title in enumerate(("Unit added: /etc/a", "Account added", "Unit added: /etc/b", "Unit added: /etc/c")):
        event = Event(f"added:{number}", "security.account", "info", "", "", NOW - 90, NOW - 90, 1, title)
        world.events.record(event)
    account, unit = sorted(each["title"] for each in world.client().get("/", headers=JSON).get_json()["changes"])
    assert account == "Account added"
    assert unit.endswith(" and 2 more")


def test_the_chart_of_another_pool_takes_the_same_place(tmp_path: Path) -> None:
    client = situations.trouble(tmp_path).client()
    found = {}
    for span in ("from=now-15m&to=now", "from=now-3h&to=now-1h"):  # in trouble, and before: another pool is fuller
        plots = {plot["id"]: plot for plot in get(client, f"/?{span}")["plots"]}
        found[plots["php-workers"]["subtitle"]] = tuple(plots)
    assert set(found) == {"pool shop", "pool www"}
    assert len(set(found.values())) == 1
