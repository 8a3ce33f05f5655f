"""A page for each shipped alert: what it means, what to look at, what to do. To be read offline."""

from functools import cache
from importlib import resources

FOLDER = resources.files("alerts.runbooks")


@cache
def names() -> list[str]:
    return sorted(page.name.removesuffix(".md") for page in FOLDER.iterdir() if page.name.endswith(".md"))


def page(alert: str) -> str:
    """Markdown. KeyError for an alert that has none."""
    if alert not in names():
        raise KeyError(alert)
    return FOLDER.joinpath(f"{alert}.md").read_text(encoding="utf-8")
