"""What part an alert has in an incident: what users notice, tells of something else, or starts of itself. Pure."""

from alerts.model import Labels
from alerts.silences import is_security

OUTAGES = ("outage", "resource")
WEAK = ("config", "security")
SYMPTOM_LAYERS = ("uptime",)
SYMPTOM_LABELS = ("slo",)
SYMPTOMS = ("SiteErrors", "SiteSlow")
SECOND_HAND = (
    "ServiceFailed", "ServiceRestarting", "WebTrafficCollapsed", "VarnishNoBackend", "VarnishBackendSick",
    "CollectorFailing", "DataStale",
)  # fmt: skip
"""What says that something else is down, and not why."""
IDLE = ("CronStale",)
"""Starts of itself, but what does not run burdens nothing else."""


def is_symptom(labels: Labels) -> bool:
    return (
        labels.get("alertname", "") in SYMPTOMS
        or labels.get("layer", "") in SYMPTOM_LAYERS
        or any(name in labels for name in SYMPTOM_LABELS)
    )


def strength(labels: Labels) -> int:
    """0 explains an outage by itself, 1 may, 2 hardly, 3 is only good to know."""
    kind = labels.get("class", "")
    if labels.get("severity") == "info":
        return 3
    if kind in WEAK or labels.get("alertname", "") in SECOND_HAND:
        return 2
    return 0 if kind in OUTAGES else 1


def starts(labels: Labels) -> bool:
    """It has a reason of its own, unless the graph says otherwise: what is slow or full may have any."""
    if is_symptom(labels):
        return False
    return strength(labels) == 0 or is_security(labels)


def tied(one: Labels, other: Labels) -> bool:
    """Two that start may still be one story: a host carries all that runs on it, an intrusion has many steps."""
    return "host" in (one.get("layer"), other.get("layer")) or (is_security(one) and is_security(other))
