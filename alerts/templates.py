"""The part of Go's templates that labels and annotations of public rules use. Pure; never raises at expansion.

Source: https://prometheus.io/docs/prometheus/latest/configuration/template_reference/
What is refused by name: range, if, with, query and every function that is not in FUNCTIONS.
"""

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

Value = str | float | int | Mapping[str, str]

ACTION = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
TRIM = re.compile(r"\s+(?=\{\{- )|(?<= -\}\})\s+")
TOKEN = re.compile(r"""\s*(?P<token>"(?:\\.|[^"\\])*"|`[^`]*`|[|()]|[^\s|()"`]+)""")
FIELD = re.compile(r"(\$labels|\.Labels)\.([a-zA-Z_]\w*)")
VERB = re.compile(r"%(?P<flags>[-+ 0#]*\d*(?:\.\d+)?)(?P<verb>[a-zA-Z%])")


class TemplateError(Exception):
    pass


def expand(text: str, labels: Mapping[str, str], value: float) -> str:
    """The text with its actions carried out, or what Prometheus puts there when they cannot be."""
    try:
        return _expand(text, labels, value)
    except TemplateError as error:
        return f"<error expanding template: {error}>"


def _expand(text: str, labels: Mapping[str, str], value: float) -> str:
    def act(found: re.Match[str]) -> str:
        body = found[1].removeprefix("- ").removesuffix(" -").strip()
        return "" if body.startswith("/*") else show(_Pipeline(body, labels, value).result())

    expanded = ACTION.sub(act, TRIM.sub("", text))
    if "{{" in ACTION.sub("", text):
        raise TemplateError(f"'{{{{' without its '}}}}' in {text!r}")
    return expanded


class _Pipeline:
    """`operand... | function operand... | ...`, parsed and carried out in one pass."""

    def __init__(self, body: str, labels: Mapping[str, str], value: float) -> None:
        self._body = body
        self._labels = labels
        self._value = value
        self._tokens = [found["token"] for found in TOKEN.finditer(body)]
        self._at = 0

    def result(self) -> Value:
        value = self._pipe()
        if self._at < len(self._tokens):
            raise TemplateError(f"expected the end, found {self._tokens[self._at]!r} in {self._body!r}")
        return value

    def _pipe(self) -> Value:
        value = self._command(())
        while self._next() == "|":
            self._at += 1
            value = self._command((value,))
        return value

    def _command(self, piped: tuple[Value, ...]) -> Value:
        word = self._next()
        if word[:1].isalpha():
            self._at += 1
            if word not in FUNCTIONS:
                raise TemplateError(f"{word!r} is not supported, found in {self._body!r}")
            arguments: list[Value] = []
            while self._next() not in ("", "|", ")"):
                arguments.append(self._operand())
            return self._call(word, [*arguments, *piped])
        if piped:
            raise TemplateError(f"expected a function after '|', found {word!r} in {self._body!r}")
        return self._operand()

    def _call(self, name: str, arguments: Sequence[Value]) -> Value:
        try:
            return FUNCTIONS[name](*arguments)
        except (TypeError, ValueError) as error:
            raise TemplateError(f"{name} cannot take {arguments!r} in {self._body!r}") from error

    def _operand(self) -> Value:
        word = self._next()
        self._at += 1
        if word == "(":
            value = self._pipe()
            if self._next() != ")":
                raise TemplateError(f"expected ')' in {self._body!r}")
            self._at += 1
            return value
        if word in ("$value", ".Value"):
            return self._value
        if word in ("$labels", ".Labels"):
            return self._labels
        if field := FIELD.fullmatch(word):
            return self._labels.get(field[2], "")
        return _literal(word, self._body)

    def _next(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""


def _literal(word: str, body: str) -> Value:
    try:
        if word.startswith("`"):
            return word[1:-1]
        if word.startswith('"'):
            return str(json.loads(word, strict=False))
        return int(word) if re.fullmatch(r"-?\d+", word) else float(word)
    except ValueError as error:
        found = repr(word) if word else "nothing"
        raise TemplateError(f"{found} is not supported, found in {body!r}") from error


def show(value: Value) -> str:
    """As Go prints the value: 1e+06, not 1000000.0."""
    if isinstance(value, float):
        return go_float(value)
    if isinstance(value, Mapping):
        return "map[" + " ".join(f"{name}:{value[name]}" for name in sorted(value)) + "]"
    return str(value)


def go_float(value: float) -> str:
    """The shortest text that reads back the same, with an exponent below 1e-4 and from 1e+06."""
    if not math.isfinite(value):
        return _four(value)
    shortest = next(text for digits in range(17) if float(text := f"{value:.{digits}e}") == value)
    mantissa, _, exponent = shortest.partition("e")
    if -4 <= int(exponent) < 6:
        return f"{value:.{max(0, len(mantissa.partition('.')[2]) - int(exponent))}f}"
    return f"{mantissa}e{exponent}"


def _four(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return f"{value:.4g}" if math.isfinite(value) else f"{value:+}".title()


def _scaled(value: float, prefixes: Sequence[str], base: float) -> str:
    prefix = ""
    for candidate in prefixes:
        if abs(value) < base:
            break
        prefix, value = candidate, value / base
    return _four(value) + prefix


def _small(value: float) -> str:
    prefix = ""
    for candidate in "munpfazy":
        if abs(value) >= 1:
            break
        prefix, value = candidate, value * 1000
    return _four(value) + prefix


def humanize(number: Value) -> str:
    value = _number(number)
    if value == 0 or not math.isfinite(value):
        return _four(value)
    return _scaled(value, "kMGTPEZY", 1000) if abs(value) >= 1 else _small(value)


def humanize1024(number: Value) -> str:
    value = _number(number)
    if abs(value) <= 1 or not math.isfinite(value):
        return _four(value)
    return _scaled(value, [f"{prefix}i" for prefix in "kMGTPEZY"], 1024)


def humanize_duration(number: Value) -> str:
    value = _number(number)
    if not math.isfinite(value):
        return _four(value)
    if value == 0:
        return "0s"
    if abs(value) < 1:
        return _small(value) + "s"
    minutes, seconds = divmod(int(abs(value)), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    sign = "-" if value < 0 else ""
    if days:
        return f"{sign}{days}d {hours}h {minutes}m {seconds}s"
    if hours:
        return f"{sign}{hours}h {minutes}m {seconds}s"
    return f"{sign}{minutes}m {seconds}s" if minutes else f"{sign}{abs(value):.4g}s"


def humanize_percentage(number: Value) -> str:
    return _four(_number(number) * 100) + "%"


def humanize_timestamp(number: Value) -> str:
    value = _number(number)
    if not math.isfinite(value):
        return _four(value)
    try:
        at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=math.floor(value * 1000))
    except OverflowError as error:
        raise TemplateError(f"{_four(value)} is no point in time") from error
    fraction = f".{at.microsecond:06d}".rstrip("0") if at.microsecond else ""
    return f"{at:%Y-%m-%d %H:%M:%S}{fraction} +0000 UTC"


def printf(form: Value, *arguments: Value) -> str:
    rest = iter(arguments)

    def verb(found: re.Match[str]) -> str:
        if found["verb"] == "%":
            return "%"
        argument = next(rest, None)
        if argument is None:
            return f"%!{found['verb']}(MISSING)"
        return _formatted(found["flags"], found["verb"], argument)

    return VERB.sub(verb, str(form))


def _formatted(flags: str, verb: str, argument: Value) -> str:
    fits = {float: "feEgGv", int: "dxXv", str: "sqvxX"}.get(type(argument), "v")  # as Go, which converts nothing
    if verb not in fits:
        kind = {float: "float64", int: "int", str: "string"}.get(type(argument), "map")
        return f"%!{verb}({kind}={show(argument)})"
    if verb == "q":
        return json.dumps(argument, ensure_ascii=False)
    if verb == "v" or (verb == "g" and "." not in flags):
        return f"%{flags}s" % show(argument)
    return f"%{flags}{verb}" % argument


def _number(value: Value) -> float:
    if isinstance(value, Mapping):
        raise TypeError("a map is no number")
    return float(value)


FUNCTIONS: dict[str, Callable[..., Value]] = {
    "humanize": humanize,
    "humanize1024": humanize1024,
    "humanizeDuration": humanize_duration,
    "humanizePercentage": humanize_percentage,
    "humanizeTimestamp": humanize_timestamp,
    "printf": printf,
    "title": lambda text: re.sub(r"(?<!\S)\S", lambda first: first[0].upper(), show(text)),
    "toUpper": lambda text: show(text).upper(),
    "toLower": lambda text: show(text).lower(),
}
