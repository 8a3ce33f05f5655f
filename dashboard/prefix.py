"""Paths of ours in templates, below whatever prefix a proxy has us at.

A template writes `href="/alerts"`, or `href="{% if` and a choice of such; when it is compiled, the prefix of the
request is put before it. That is done to the template's own text, never to what is filled in: a path that is data is
written `{{ path|here }}`.
"""

import re

from flask import request
from jinja2 import Environment
from jinja2.ext import Extension

PATH = re.compile(r'\b(href|action|formaction|src)="(?=/(?!/)|\{%)')


class Prefixed(Extension):
    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        environment.filters["here"] = here

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:  # noqa: ARG002
        return PATH.sub(r'\1="{{ request.script_root }}', source)


def here(path: str) -> str:
    return f"{request.script_root}{path}"
