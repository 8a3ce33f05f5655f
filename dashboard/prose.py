"""Markdown of our own pages as HTML."""

from markdown_it import MarkdownIt
from markupsafe import Markup


def html(text: str) -> Markup:
    """Raw HTML in it stays text."""
    return Markup(MarkdownIt("commonmark", {"html": False}).render(text))  # noqa: S704 # rendered without raw HTML
