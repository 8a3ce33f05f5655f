"""Go's templates as rule files use them in labels and annotations. Pure but for `query`; never raises at expansion.

Source: https://prometheus.io/docs/prometheus/latest/configuration/template_reference/
"""

from collections.abc import Mapping

from alerts.templates.around import NOTHING, Around
from alerts.templates.functions import NAMES
from alerts.templates.parser import parse
from alerts.templates.running import Run
from alerts.templates.values import Data, TemplateError, go_float

__all__ = ["NOTHING", "Around", "TemplateError", "check", "expand", "go_float"]


def expand(text: str, labels: Mapping[str, str], value: float, around: Around = NOTHING) -> str:
    """The text with its actions carried out, or what Prometheus puts there when they cannot be."""
    if "{{" not in text:
        return text
    data = Data(Labels=labels, ExternalLabels=around.external_labels, ExternalURL=around.external_url, Value=value)
    try:
        return Run(parse(text, NAMES), around).text(data)
    except TemplateError as error:
        return f"<error expanding template: {error}>"


def check(text: str) -> str:
    """What is wrong with how the text is written; "" if nothing is."""
    try:
        parse(text, NAMES)
    except TemplateError as error:
        return str(error)
    return ""
