"""Alerts, groups and silences in the shapes of Alertmanager's API, and back.

Source: https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from urllib.parse import quote_plus

from alerts.desk import Standing, standing
from alerts.matchers import Matchers, matcher, matches
from alerts.model import Alert, Labels
from alerts.notices import fingerprint
from alerts.path.flow import Flow
from alerts.path.written import NOBODY
from alerts.received import RESOLVE_SECONDS, Posted
from alerts.silences import Silence
from history import answer

LABEL = re.compile(r"[a-zA-Z_]\w*", re.ASCII)
STATES = ("active", "pending", "expired")


@dataclass(frozen=True)
class Asked:
    """Which alerts."""

    active: bool = True
    silenced: bool = True
    inhibited: bool = True
    matchers: Matchers = ()
    receiver: Callable[[str], bool] = lambda _name: True

    def takes(self, one: Standing) -> bool:
        mark = one.mark
        suppressed = bool(mark.silenced_by or mark.inhibited_by)
        return (
            (self.active or suppressed)
            and (self.silenced or not mark.silenced_by)
            and (self.inhibited or not mark.inhibited_by)
            and matches(self.matchers, one.alert.labels)
        )


def alerts(flow: Flow, asked: Asked, external_url: str) -> list[dict[str, Any]]:
    found = [one for one in _firing(flow) if asked.takes(one) and any(map(asked.receiver, _receivers(one)))]
    shown = [_alert(one, flow.known.now, external_url) for one in found]
    return sorted(shown, key=lambda one: one["fingerprint"])


def groups(flow: Flow, asked: Asked, external_url: str) -> list[dict[str, Any]]:
    """As the routes make them; what is told in a digest is in its own group here too."""
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for one in _firing(flow):
        for route in flow.known.plan.root.taken(one.alert.labels):
            receiver = route.receiver or NOBODY
            if not (asked.receiver(receiver) and asked.takes(one)):
                continue
            labels = route.group_labels(one.alert.labels)
            at = (route.key, receiver, fingerprint(labels))
            group = found.setdefault(at, {"labels": dict(labels), "receiver": {"name": receiver}, "alerts": []})
            group["alerts"].append(_alert(one, flow.known.now, external_url))
    for group in found.values():
        group["alerts"].sort(key=lambda one: sorted(one["labels"].items()))
    return sorted(found.values(), key=lambda group: (sorted(group["labels"].items()), group["receiver"]["name"]))


def _firing(flow: Flow) -> list[Standing]:
    return [standing(flow, alert) for alert in flow.alerts.values() if alert.state == "firing"]


def _receivers(one: Standing) -> tuple[str, ...]:
    return one.receivers or (NOBODY,)


def _alert(one: Standing, now: float, external_url: str) -> dict[str, Any]:
    alert, mark = one.alert, one.mark
    return {
        "annotations": dict(alert.annotations),
        "endsAt": answer.moment(now + RESOLVE_SECONDS),
        "fingerprint": one.fingerprint,
        "receivers": [{"name": name} for name in _receivers(one)],
        "startsAt": answer.moment(alert.fired_at),
        "status": {
            "inhibitedBy": [fingerprint(source.labels) for source in mark.inhibited_by],
            "silencedBy": [silence.id for silence in mark.silenced_by],
            "mutedBy": [],
            "state": "suppressed" if mark.text else "active",
        },
        "updatedAt": answer.moment(alert.seen or alert.fired_at),
        "generatorURL": _source(alert, external_url),
        "labels": dict(alert.labels),
    }


def _source(alert: Alert, external_url: str) -> str:
    return f"{external_url}/alerts?name={quote_plus(alert.name)}" if external_url else ""


def silence(one: Silence, now: float) -> dict[str, Any]:
    return {
        "id": one.id,
        "status": {"state": one.state(now)},
        "updatedAt": answer.moment(one.updated),
        "comment": one.comment,
        "createdBy": one.author,
        "endsAt": answer.moment(one.ends),
        "startsAt": answer.moment(one.starts),
        "kind": one.kind,
        "matchers": [
            {
                "isEqual": each.op in ("=", "=~"),
                "isRegex": each.op in ("=~", "!~"),
                "name": each.name,
                "value": each.value,
            }
            for each in one.matchers
        ],
    }


def silences(found: Sequence[Silence], filters: Matchers, now: float) -> list[dict[str, Any]]:
    """Active ones first, each kind by its end. A filter looks at the silence's matchers as if they were labels."""
    taken = [one for one in found if matches(filters, {each.name: each.value for each in one.matchers})]
    taken.sort(key=lambda one: (STATES.index(one.state(now)), one.ends))
    return [silence(one, now) for one in taken]


def posted_silence(body: Any, now: float) -> Silence:
    """ValueError for what is none."""
    if not isinstance(body, Mapping):
        raise ValueError("expected a silence as a JSON object")
    matchers = body.get("matchers")
    if not isinstance(matchers, list) or not all(isinstance(each, Mapping) for each in matchers):
        raise ValueError("expected matchers, a list of objects")
    kind: Literal["silence", "maintenance"] = "maintenance" if body.get("kind") == "maintenance" else "silence"
    return Silence(
        tuple(_matcher(each) for each in matchers),
        _time(body, "startsAt", now),
        _time(body, "endsAt"),
        _text(body, "createdBy"),
        _text(body, "comment"),
        kind,
        _text(body, "id"),
    )


def _matcher(fields: Mapping[str, Any]) -> Any:
    name, value = _text(fields, "name"), _text(fields, "value")
    if not LABEL.fullmatch(name):
        raise ValueError(f"expected the name of a label, found {name!r}")
    op = ("=" if fields.get("isEqual", True) else "!") + ("~" if fields.get("isRegex") else "")
    return matcher(name, {"!": "!="}.get(op, op), value)


def posted_alert(body: Any) -> Posted:
    """ValueError for what is none."""
    if not isinstance(body, Mapping):
        raise ValueError("expected alerts as JSON objects")
    labels, annotations = _labels(body, "labels"), _labels(body, "annotations")
    starts, ends = (_time(body, name) if _text(body, name) else None for name in ("startsAt", "endsAt"))
    ends = None if ends is not None and ends <= 0 else ends  # Go's zero time
    starts = None if starts is not None and starts <= 0 else starts
    if starts is not None and ends is not None and ends < starts:
        raise ValueError("expected endsAt after startsAt")
    return Posted(labels, annotations, starts, ends)


def _labels(body: Mapping[str, Any], name: str) -> Labels:
    found = body.get(name) or {}
    if not isinstance(found, Mapping) or not all(isinstance(value, str) for value in found.values()):
        raise ValueError(f"expected {name}, an object of texts")
    if wrong := next((key for key in found if not LABEL.fullmatch(key)), None):
        raise ValueError(f"expected the name of a label, found {wrong!r}")
    if name == "labels" and not any(found.values()):
        raise ValueError("expected at least one label with a value")
    return dict(found)


def _text(body: Mapping[str, Any], name: str) -> str:
    found = body.get(name) or ""
    if not isinstance(found, str):
        raise ValueError(f"expected {name} as text")
    return found


def _time(body: Mapping[str, Any], name: str, default: float | None = None) -> float:
    text = _text(body, name)
    if not text and default is not None:
        return default
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError(text)
    except ValueError:
        raise ValueError(f"expected {name} as a time such as 2030-01-31T12:00:00Z, found {text!r}") from None
    return 0.0 if moment.year <= 1 else moment.timestamp()
