"""Events that people and their scripts declare, such as a deploy from CI: checked before they are recorded. Pure."""

from collectors.model import Event, Severity

MOST_KIND, MOST_TITLE, MOST_SITE = 50, 250, 200
SEVERITIES: dict[str, Severity] = {"info": "info", "warning": "warning", "critical": "critical"}
OURS = ("alert", "security")
"""What only Raingauge itself tells."""


def kind_of(text: str) -> str:
    """ValueError for what is no word such as deploy."""
    plain = text.replace(".", "").replace("_", "").replace("-", "")
    if not (plain.isascii() and plain.isalnum() and text[:1].isalpha() and len(text) <= MOST_KIND):
        raise ValueError(f"expected a word such as deploy, of letters, digits, '.', '_' and '-', found {text!r}")
    if text.lower().partition(".")[0] in OURS:
        raise ValueError(f"expected a kind of your own, found {text!r}, which Raingauge tells itself")
    return text.lower()


def declared(
    event_id: str, kind: str, title: str, *, site: str = "", severity: str = "info", host: str, at: float, source: str
) -> Event:
    """`at`: Unix seconds. Above info it is an alert until it is closed. ValueError names what is wrong."""
    words = "".join(each if each.isprintable() else " " for each in title).strip()
    if not words or len(words) > MOST_TITLE:
        raise ValueError(f"title: expected 1 to {MOST_TITLE} characters, found {len(words)}")
    if len(site) > MOST_SITE or not site.isprintable():
        raise ValueError("site: expected the name of a site")
    if severity not in SEVERITIES:
        raise ValueError(f"severity: expected info, warning or critical, found {severity!r}")
    try:
        plain = kind_of(kind)
    except ValueError as error:
        raise ValueError(f"kind: {error}") from error
    return Event(
        f"{source}:{event_id}", plain, SEVERITIES[severity], host, site, at, at, 1,
        words, dedup_key=f"{source}:{plain}:{site}", state="closed" if severity == "info" else "open", source=source,
    )  # fmt: skip
