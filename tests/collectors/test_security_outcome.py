"""An attempt in the log, then a change on the host: a suspected success, with the evidence of both."""

from dataclasses import asdict, replace

import pytest

from collectors.model import Event, State
from collectors.security import COLLECTOR, outcome
from collectors.security.config import Security

T = 1_700_000_000.0
ATTACK = Event(
    "security.drupal_exploit:1", "security.drupal_exploit", "info", "web1", "shop", T, T + 20, 3,
    "drupal exploit on shop from 203.0.113.0/24: attempt, 3 requests",
    ({"request": "POST /user/register", "status": "200"},), "shop 203.0.113.0/24 drupal_exploit attempt",
)  # fmt: skip
FILE = Event(
    "security.upload:1", "security.upload", "critical", "web1", "shop", T + 80, T + 80, 1,
    "PHP among the uploads of shop: x.php", ({"path": "x.php"},), "u", "open",
)  # fmt: skip
CHILD = replace(FILE, id="child:1", kind="security.web_child_process", site="", title="php-fpm started sh")
ADMIN = replace(FILE, id="admin:1", kind="drupal.admin_added", severity="warning", title="Account 7 got a role")
ACCOUNT = replace(
    FILE, id="account:1", kind="security.account", severity="info", site="", title="Cron job added: /etc/cron.d/x",
    evidence=({"kind": "cron", "what": "added", "name": "/etc/cron.d/x"},),
)  # fmt: skip


def walked(*steps: list[Event]) -> list[Event]:
    state: State = {}
    found: list[Event] = []
    for events in steps:
        before = repr(state)
        after, told = outcome.step(state, {"events": [asdict(event) for event in events]})
        assert repr(state) == before
        state = after
        found += told
    assert sum(sample.value for sample in outcome.samples(state)) == len(found)
    return found


@pytest.mark.parametrize("sign", [FILE, CHILD, ADMIN, ACCOUNT], ids=lambda event: event.kind)
def test_each_sign_after_an_attack_is_one_event_with_both_evidences(sign: Event) -> None:
    (found,) = walked([ATTACK], [sign])
    assert (found.kind, found.severity, found.site, found.state) == ("security.intrusion", "critical", "shop", "open")
    assert found.title == f"An attack (drupal exploit) on shop may have succeeded: {sign.title}"
    assert (found.first, found.last) == (T, T + 80)
    assert found.evidence == (
        {"event": ATTACK.id, "what": ATTACK.title}, dict(ATTACK.evidence[0]),
        {"event": sign.id, "what": sign.title}, dict(sign.evidence[0]),
    )  # fmt: skip


def test_whichever_is_told_first() -> None:
    assert walked([FILE], [ATTACK]) == walked([ATTACK], [FILE]) == walked([FILE, ATTACK])


def test_once_for_all_that_comes_together() -> None:
    more = [replace(FILE, id=f"security.upload:{number}", last=T + 80 + number) for number in range(2, 5)]
    assert len(walked([ATTACK], [FILE, *more], [replace(ATTACK, id="2", last=T + 300)])) == 1
    assert len(walked([ATTACK], [FILE], [CHILD])) == 2
    late = replace(FILE, id="late", first=T + 700, last=T + 700)
    assert len(walked([ATTACK], [FILE], [replace(ATTACK, id="2", last=T + 690)], [late])) == 2


@pytest.mark.parametrize(
    ("attack", "sign"),
    [
        (ATTACK, replace(FILE, site="blog")),
        (ATTACK, replace(FILE, first=T + 621, last=T + 621)),
        (ATTACK, replace(FILE, first=T - 121, last=T - 121)),
        (replace(ATTACK, dedup_key="shop 203.0.113.0/24 drupal_exploit blocked"), FILE),
        (replace(ATTACK, kind="security.scanner"), FILE),
        (replace(ATTACK, kind="security.traversal"), ADMIN),
        (ATTACK, replace(ACCOUNT, evidence=({"what": "removed"},))),
        (ATTACK, replace(FILE, kind="security.listener", severity="info")),
        (ATTACK, replace(FILE, kind="drupal.cron", severity="info")),
    ],
    ids=["other site", "too late", "before", "refused", "no attack", "not its way", "removed", "expected", "no sign"],
)  # fmt: skip
def test_nothing_where_the_one_did_not_do_the_other(attack: Event, sign: Event) -> None:
    assert walked([attack], [sign]) == []


@pytest.mark.parametrize(
    "sign", [replace(FILE, first=T + 620, last=T + 620), replace(FILE, first=T - 120, last=T - 120)]
)
def test_the_time_is_that_of_both_ends(sign: Event) -> None:
    assert len(walked([ATTACK], [sign])) == 1


def test_a_later_attempt_does_not_hide_the_first() -> None:
    later = replace(ATTACK, id="2", first=T + 500, last=T + 510)
    assert len(walked([ATTACK], [later], [FILE])) == 1


def test_a_flood_is_bounded_and_hides_no_sign() -> None:
    many = [replace(ATTACK, id=str(number), site=f"site{number}") for number in range(1000)]
    state, _ = outcome.step({}, {"events": [asdict(event) for event in many]})
    assert len(state["attacks"]) == outcome.MOST_ATTACKS
    assert len(walked([FILE], [replace(ATTACK, id=f"{number}") for number in range(1000)])) == 1


def test_a_site_is_counted_before_there_is_one() -> None:
    state, _ = outcome.step({}, {"events": [asdict(ATTACK)]})
    assert [(sample.labels, sample.value) for sample in outcome.samples(state)] == [(("",), 0), (("shop",), 0)]
    state, _ = outcome.step(state, {"events": [asdict(CHILD)]})
    assert [(sample.labels, sample.value) for sample in outcome.samples(state)] == [(("",), 0), (("shop",), 1)]


def test_it_hears_of_events() -> None:
    (follower,) = (each for each in COLLECTOR.followers if each.name == "outcome")
    assert follower.source == "events"
    assert follower.read(Security(), 7) == (None, 7)
