from hypothesis import given
from hypothesis import strategies as st

from alerts.notices import REPEAT_SECONDS, Told, decide, fingerprint, group
from tests.alerts.examples import T, alert

FIRST = fingerprint(alert().labels)
SECOND = fingerprint(alert(disk="sda").labels)


def told(*firing: str, received: bool = True, waiting: bool = False, at: float = T) -> Told:
    return Told(frozenset(firing), at, received, waiting)


def test_groups_by_name_and_host_and_leaves_pending_out() -> None:
    alerts = [alert(), alert(disk="sda"), alert(host="web2"), alert(name="Other", state="pending")]
    assert {key: len(members) for key, (_, members) in group(alerts).items()} == {
        '{}:{alertname="Broken", host="web1"}': 2,
        '{}:{alertname="Broken", host="web2"}': 1,
    }


def test_a_label_that_is_not_there_is_left_out() -> None:
    assert list(group([alert()], by=("site", "alertname"))) == ['{}:{alertname="Broken"}']


def test_first_firing_is_told() -> None:
    assert decide([alert()], None, T, send_resolved=True) == (alert(),)


def test_the_same_again_is_not() -> None:
    assert decide([alert()], told(FIRST), T + 60, send_resolved=True) == ()


def test_a_new_one_in_the_group_is_told_with_the_others() -> None:
    assert len(decide([alert(), alert(disk="sda")], told(FIRST), T, send_resolved=True)) == 2


def test_some_and_all_resolved() -> None:
    over, on = alert(state="resolved"), alert(disk="sda")
    assert decide([over, on], told(FIRST, SECOND), T, send_resolved=True) == (on, over)
    assert decide([over], told(FIRST), T, send_resolved=True) == (over,)
    assert decide([over, on], told(FIRST, SECOND), T, send_resolved=False) == ()


def test_resolved_goes_only_to_who_heard_of_it() -> None:
    over = [alert(state="resolved")]
    assert decide(over, None, T, send_resolved=True) == ()
    assert decide(over, told(), T, send_resolved=True) == ()
    assert decide(over, told(FIRST, received=False), T, send_resolved=True) == ()
    assert decide(over, told(FIRST, received=False, waiting=True), T, send_resolved=True) == tuple(over)


def test_repeated_after_the_repeat_interval_while_it_fires() -> None:
    later = T + REPEAT_SECONDS
    assert decide([alert()], told(FIRST), later - 1, send_resolved=True) == ()
    assert decide([alert()], told(FIRST), later, send_resolved=True) == (alert(),)
    assert decide([alert(state="resolved")], told(), later, send_resolved=True) == ()


def test_of_two_rules_with_equal_labels_the_firing_one_counts() -> None:
    for alerts in ([alert(), alert(state="resolved")], [alert(state="resolved"), alert()]):
        assert decide(alerts, told(FIRST), T, send_resolved=True) == ()


@given(
    st.dictionaries(st.text(max_size=3), st.text(max_size=3)), st.dictionaries(st.text(max_size=3), st.text(max_size=3))
)
def test_fingerprints_tell_labels_apart(one: dict[str, str], other: dict[str, str]) -> None:
    assert (fingerprint(one) == fingerprint(other)) == (one == other)
