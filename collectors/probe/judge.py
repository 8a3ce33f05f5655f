"""Whether an answer is as it should be. Pure: each function raises Failed with what was found."""

import json
import time
from collections.abc import Sequence
from typing import Any

from collectors.probe import jsonpath
from collectors.probe.attempt import Failed
from collectors.probe.config import Request
from collectors.probe.expectations import Certificate, HeaderMatch, Value, compiled
from collectors.probe.request import Answer

DAY_SECONDS = 86400.0
MOST_VALUE = 4000
"""Characters of a value that is carried on."""


def judge(asked: Request, answer: Answer, seconds: float) -> None:
    _status(asked.expect_status, answer.status)
    for header in asked.expect_headers:
        _header(header, answer)
    _body(asked, answer.text)
    if asked.expect_json:
        document = _document(answer)
        for text in asked.expect_json:
            if not jsonpath.assertion(text).holds(document):
                raise Failed("json", f"expected {text}, found otherwise")
    if asked.max_seconds is not None and seconds > asked.max_seconds:
        raise Failed("slow", f"expected an answer within {asked.max_seconds:g} s, found {seconds:.3f} s")


def _status(expected: Sequence[int], found: int) -> None:
    if expected and found not in expected:
        raise Failed("status", f"expected status {' or '.join(map(str, expected))}, found {found}")
    if not expected and not 200 <= found < 400:
        raise Failed("status", f"expected a status from 200 to 399, found {found}")


def _header(expected: HeaderMatch, answer: Answer) -> None:
    values = answer.headers.get_all(expected.name) or []
    if expected.absent:
        if values:
            raise Failed("header", f"expected no header {expected.name}, found one")
    elif not values:
        raise Failed("header", f"expected a header {expected.name}, found none")
    elif expected.matches and not any(compiled(expected.matches).search(_utf8(value)) for value in values):
        raise Failed("header", f"expected a header {expected.name} with {expected.matches!r}, found another value")


def _utf8(value: object) -> str:
    """A header's text without what no UTF-8 can hold."""
    return str(value).encode(errors="replace").decode()


def _body(asked: Request, text: str) -> None:
    if asked.must_contain not in text:
        raise Failed("body", f"expected {asked.must_contain!r} on the page, found none")
    if asked.must_not_contain and asked.must_not_contain in text:
        raise Failed("body", f"expected no {asked.must_not_contain!r} on the page, found it")
    for pattern in asked.must_match:
        if not compiled(pattern).search(text):
            raise Failed("body", f"expected {pattern!r} to match in the page, found nothing")
    for pattern in asked.must_not_match:
        if compiled(pattern).search(text):
            raise Failed("body", f"expected {pattern!r} to match nowhere in the page, found a match")


def _document(answer: Answer) -> Any:
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        raise Failed("json", "expected JSON, found something else") from None


def extracted(wanted: Sequence[Value], answer: Answer) -> dict[str, str]:
    """Values by name; Failed when one is not there, or too long to be one."""
    document = _document(answer) if any(each.json_path is not None for each in wanted) else None
    found = {}
    for each in wanted:
        value = _by_path(each, document) if each.json_path is not None else _by_regex(each, answer.text)
        if len(value) > MOST_VALUE:
            raise Failed("body", f"expected a value {each.name} of at most {MOST_VALUE} characters, found more")
        found[each.name] = value
    return found


def _by_path(wanted: Value, document: Any) -> str:
    try:
        value = jsonpath.look_up(document, jsonpath.path(wanted.json_path or "$"))
    except jsonpath.Missing:
        raise Failed("json", f"expected a value {wanted.name} at {wanted.json_path}, found none") from None
    return value if isinstance(value, str) else json.dumps(value)


def _by_regex(wanted: Value, text: str) -> str:
    found = compiled(wanted.regex).search(text)
    if not found:
        raise Failed("body", f"expected a value {wanted.name} by {wanted.regex!r}, found none")
    return str(found[1] if found.re.groups else found[0]) if found[0] is not None else ""


def certificate(expected: Certificate | None, tls: dict[str, Any] | None, now: float | None = None) -> None:
    """`now`: Unix seconds."""
    if expected is None:
        return
    if tls is None or tls["leaf"] is None or tls["earliest"] is None:
        raise Failed("certificate", "expected a certificate, found none that can be read")
    days = (tls["earliest"] - (time.time() if now is None else now)) / DAY_SECONDS
    if days < expected.days_left:
        raise Failed("certificate", f"expected {expected.days_left:g} days until it ends, found {days:.1f}")
    if expected.name and not any(names(each, expected.name) for each in tls["leaf"]["names"]):
        raise Failed("certificate", f"expected a certificate for {expected.name}, found {tls['leaf']['names'][:5]}")
    if expected.issuer not in tls["leaf"]["issuer"]:
        raise Failed("certificate", f"expected an issuer with {expected.issuer!r}, found {tls['leaf']['issuer']!r}")


def names(given: str, name: str) -> bool:
    """Whether a certificate's name is that one; `*` stands for its first label."""
    given, name = given.lower(), name.lower()
    return given == name or (given.startswith("*.") and given[2:] == name.partition(".")[2])
