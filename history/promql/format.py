"""An expression as people read it: the layout of promtool's and Prometheus' formatters, by promql-parser."""

import promql_parser

from history.promql.parse import parse


def format_expression(text: str) -> str:
    """The same expression, over several lines if it is long. QueryError("bad_data") for what is no PromQL."""
    parse(text)  # refuses what would overflow the native parser
    return promql_parser.parse(text).prettify()
