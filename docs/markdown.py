"""Markdown as the reference page needs it."""

from collections.abc import Iterable, Sequence

PIPE = r"\|"
UNITS = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))


def code(text: object) -> str:
    return f"`{text}`" if str(text) else ""


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "".join(_line(cells) for cells in (head, ["---"] * len(head), *rows))


def _line(cells: Iterable[str]) -> str:
    """A pipe or a line's end inside a cell would end it."""
    return f"| {' | '.join(' '.join(cell.split()).replace('|', PIPE) for cell in cells)} |\n"


def duration(seconds: float) -> str:
    """As Prometheus writes it: 90 -> 1m30s."""
    text, rest = "", round(seconds)
    for size, unit in UNITS:
        count, rest = divmod(rest, size)
        text += f"{count}{unit}" if count else ""
    return text or "0s"


def first_paragraph(docstring: str | None) -> str:
    return " ".join((docstring or "").strip().partition("\n\n")[0].split())


def anchor(title: str) -> str:
    """As GitHub makes it from a heading."""
    kept = "".join(letter for letter in title.lower() if letter.isalnum() or letter in " -_")
    return kept.replace(" ", "-")
