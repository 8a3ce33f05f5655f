"""`make docs`: write docs/reference.md from the code."""

from pathlib import Path

from docs.charts import charts
from docs.commands import commands
from docs.http import dashboard, exporter
from docs.markdown import anchor
from docs.metrics import metrics, tested_versions
from docs.rules import rules
from docs.settings import environment, exit_codes, settings

PATH = Path(__file__).with_suffix(".md")
SECTIONS = {
    "Command line": commands,
    "Configuration": settings,
    "Environment": environment,
    "Exit codes": exit_codes,
    "HTTP: the exporter": exporter,
    "HTTP: the dashboard": dashboard,
    "Metrics": metrics,
    "Tested versions": tested_versions,
    "Shipped rules": rules,
    "Charts": charts,
}
HEAD = "# Reference\n\nMade from the code by `make docs`; a change here is lost at the next run.\n"


def reference() -> str:
    contents = "".join(f"- [{title}](#{anchor(title)})\n" for title in SECTIONS)
    return "\n".join([HEAD, contents, *(f"## {title}\n\n{body()}" for title, body in SECTIONS.items())])


if __name__ == "__main__":
    PATH.write_text(reference(), encoding="utf-8")
