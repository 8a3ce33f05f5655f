"""Regular expressions of matchers and relabelling: RE2, as everywhere in Prometheus. Numpy-free."""

from typing import Any

import re2

from history.model import QueryError

REGEX_LENGTH = 5000


def compile_regex(text: str) -> Any:
    """RE2, where `.` matches a newline too. QueryError if it is not one."""
    if len(text) > REGEX_LENGTH:
        raise QueryError("bad_data", f"regular expression of {len(text)} characters, at most {REGEX_LENGTH} are taken")
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(f"(?s:{text})", options)
    except re2.error as error:
        raise QueryError("bad_data", f"invalid regular expression {text!r}: {error}") from error
