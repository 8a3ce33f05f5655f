from hypothesis import given
from hypothesis import strategies as st

from alerts.notices import Notice, Told, fingerprint
from alerts.path.deciding import View, why
from alerts.path.flow import Heard
from alerts.path.plan import Route
from tests.alerts.examples import T, alert

LABELS = st.dictionaries(st.text(max_size=3), st.text(max_size=3))
REPEAT = 3600.0
ROUTE = Route(repeat_interval=REPEAT)


def seen(firing: str = "", heard: str = "", held: str = "", flapping: str = "") -> View:
    """Each letter is an alert."""
    return View(
        {key: alert(disk=key) for key in firing},
        {},
        {key: Heard(T, held=key in held) for key in heard},
        {key: T if key in flapping else 0.0 for key in firing},
    )


def reason(view: View, ended: str = "", told_at: float = T) -> str:
    over = {key: alert(disk=key, state="resolved") for key in ended}
    return why(view, over, Told(frozenset(), told_at, received=True), T + 60, ROUTE)


def test_the_reasons_are_alertmanagers() -> None:
    assert why(seen("a"), {}, None, T, ROUTE) == "first firing"
    assert reason(seen("ab", "a")) == "new in the group"
    assert reason(seen("a", "ab"), ended="b") == "some resolved"
    assert reason(seen("", "ab"), ended="ab") == "all resolved"
    assert reason(seen("a", "a"), told_at=T + 60 - REPEAT) == "repeated"
    assert reason(seen("a", "a")) == ""
    assert reason(seen("", "a"), told_at=T - 2 * REPEAT) == ""


def test_and_three_more() -> None:
    escalated = why(seen("a"), {}, None, T, Route(is_escalation=True))
    assert escalated == "escalated: nobody acknowledged it"
    assert reason(seen("a", "a", held="a")) == "no longer suppressed"
    assert reason(seen("a", "a", flapping="a")) == "flapping"


def test_the_group_key_names_route_and_labels() -> None:
    notice = Notice("ops", {"host": 'a"b', "alertname": "x"}, (alert(),), route='{}/{severity="critical"}')
    assert notice.group_key == '{}/{severity="critical"}:{alertname="x", host="a\\"b"}'
    assert Notice("ops", {}, (alert(),)).group_key == "{}:{}"


@given(LABELS, LABELS)
def test_fingerprints_tell_labels_apart(one: dict[str, str], other: dict[str, str]) -> None:
    assert (fingerprint(one) == fingerprint(other)) == (one == other)
