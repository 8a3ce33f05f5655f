"""Log formats as web servers spell them -> layouts, and which one a line has when nobody says.

Sources: https://nginx.org/en/docs/http/ngx_http_log_module.html#log_format
https://httpd.apache.org/docs/2.4/mod/mod_log_config.html#formats
https://www.php.net/manual/en/install.fpm.configuration.php#access-format
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from collectors.weblog.json_lines import JSON, JsonLines
from collectors.weblog.layout import (
    COUNT,
    LISTED,
    MOMENT,
    NUMBER,
    PATH,
    SPACED,
    STATUS,
    TIMES,
    WITH_REASON,
    Layout,
    Literal,
    Pattern,
    Token,
    Value,
    pattern,
)

LONGEST = 4_000
"""Characters of a format."""
COMBINED = (
    '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"'
)
COMMON = '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent'
HEADS = (f"$host:$server_port {COMBINED}", COMBINED, COMMON)
"""Debian's vhost_combined for Apache, and everybody's. The longest first: each may go on."""
NGINX = {
    "remote_addr": Value("remote"),
    "realip_remote_addr": Value("remote"),
    "remote_user": Value("", SPACED),
    "time_local": Value("time", MOMENT),
    "time_iso8601": Value("time", MOMENT),
    "msec": Value("time", MOMENT),
    "host": Value("host"),
    "http_host": Value("host"),
    "server_name": Value("host"),
    "request": Value("request"),
    "request_method": Value("method"),
    "request_uri": Value("target"),
    "uri": Value("path", PATH),
    "document_uri": Value("path", PATH),
    "is_args": Value("", r"\??"),
    "args": Value("query"),
    "query_string": Value("query"),
    "status": Value("status", STATUS),
    "body_bytes_sent": Value("bytes", COUNT),
    "bytes_sent": Value("bytes", COUNT),
    "request_time": Value("duration", NUMBER),
    "upstream_response_time": Value("upstream", TIMES),
    "upstream_cache_status": Value("cache"),
    "http_referer": Value("referrer"),
    "http_user_agent": Value("agent"),
}
CACHES = {"x_drupal_cache": "drupal_cache", "x_drupal_dynamic_cache": "dynamic_cache", "x_cache": "cache"}
"""Headers of an answer."""
VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
APACHE = {
    "h": Value("remote"),
    "a": Value("remote"),
    "u": Value("", SPACED),
    "r": Value("request"),
    "m": Value("method"),
    "U": Value("path", PATH),
    "q": Value("query", before=r"\??"),
    "s": Value("status", STATUS),
    "b": Value("bytes", COUNT),
    "B": Value("bytes", COUNT),
    "O": Value("bytes", COUNT),
    "D": Value("duration", NUMBER),
    "T": Value("duration", NUMBER),
    "v": Value("host"),
    "V": Value("host"),
}
APACHE_HEADERS = {"host": "host", "referer": "referrer", "user-agent": "agent"}
DIRECTIVE = re.compile(r"%[!\d,]*[<>]?(?:\{(?P<argument>[^}]*)\})?(?P<letter>\^\w\w|[A-Za-z%])")
FPM = {
    "R": Value("remote"),
    "u": Value("", SPACED),
    "m": Value("method"),
    "r": Value("target"),
    "Q": Value("", r"\??"),
    "q": Value("query"),
    "s": Value("status", STATUS),
    "d": Value("duration", NUMBER),
}
UNITS = (
    {"ms": 1e-3, "us": 1e-6}
    | dict.fromkeys(("milli", "mili", "milliseconds", "miliseconds"), 1e-3)
    | dict.fromkeys(("micro", "microseconds"), 1e-6)
)
NAMED = {
    "rt": "request_time",
    "request_time": "request_time",
    "urt": "upstream_response_time",
    "upstream_response_time": "upstream_response_time",
    "ucs": "upstream_cache_status",
    "cache": "upstream_cache_status",
    "dc": "sent_http_x_drupal_cache",
    "ddc": "sent_http_x_drupal_dynamic_cache",
    "host": "host",
    "vhost": "host",
}
"""What people call a value behind the usual ones: `rt=0.003`."""
EXTRA = re.compile(
    r' (?:([\w.-]{1,40})=)?("[^"\n]*"|\[[^]\n]*\]|[\d.-]+(?:(?:, | : )[\d.-]+)+(?=\s|$)|[^\s"]+)(?=\s|$)'
)


@lru_cache(256)
def layout(text: str, *, php: bool = False) -> Layout | None:
    """None for a format that says too little, or none at all. `php`: an access.format of PHP-FPM."""
    if text == JSON:
        return JsonLines()
    text = text.replace('\\"', '"').replace("\\t", "\t")
    if not 0 < len(text) <= LONGEST or "\n" in text:
        return None
    if "$" in text and not php:
        return pattern(_nginx(text))
    return _percent(text, FPM if php else APACHE)


def detect(lines: Iterable[str]) -> str:
    """The format of the first line that looks like one we know; "" if none does."""
    for line in lines:
        if found := _of(line):
            return found
    return ""


def _nginx(text: str) -> list[Token]:
    tokens: list[Token] = []
    at = 0
    for found in VARIABLE.finditer(text):
        _add(tokens, Literal(text[at : found.start()]), _variable(found[1] or found[2]))
        at = found.end()
    _add(tokens, Literal(text[at:]))
    return tokens


def _variable(name: str) -> Value:
    if name in NGINX:
        return NGINX[name]
    header = re.sub(r"^(sent|upstream)_http_", "", name)
    if header != name:
        return Value(CACHES.get(header, ""), WITH_REASON if header in CACHES else "")
    return Value("", LISTED if name.startswith("upstream_") else "")


def _percent(text: str, letters: dict[str, Value]) -> Pattern | None:
    """Apache's and PHP-FPM's."""
    tokens: list[Token] = []
    at, seconds = 0, 1.0
    for found in DIRECTIVE.finditer(text):
        letter, argument = found["letter"], found["argument"] or ""
        value = _fpm(letter, argument) if letters is FPM else _apache(letter, argument)
        if value == Value("duration", NUMBER):
            seconds = UNITS.get(argument, 1e-6 if letter == "D" else 1.0)
        _add(tokens, Literal(text[at : found.start()]), *_written(letter, argument, value, letters is FPM))
        at = found.end()
    _add(tokens, Literal(text[at:]))
    return pattern(tokens, seconds)


def _written(letter: str, argument: str, value: Value, php: bool) -> tuple[Token, ...]:
    """With what the server puts around it."""
    if letter == "%":
        return (Literal("%"),)
    if letter == "t" and not argument and not php:
        return Literal("["), value, Literal("]")
    return (value,)


def _add(tokens: list[Token], *more: Token) -> None:
    """Literals that touch become one: what a value may hold depends on what follows."""
    for token in more:
        before = tokens[-1] if tokens else None
        if isinstance(token, Literal) and isinstance(before, Literal):
            tokens[-1] = Literal(before.text + token.text)
        elif token != Literal(""):
            tokens.append(token)


def _apache(letter: str, argument: str) -> Value:
    if letter == "i":
        return Value(APACHE_HEADERS.get(argument.lower(), ""))
    if letter == "o":
        field = CACHES.get(argument.lower().replace("-", "_"), "")
        return Value(field, WITH_REASON if field else "")
    if letter == "t":
        return Value("time", MOMENT)
    return APACHE.get(letter, Value())


def _fpm(letter: str, argument: str) -> Value:
    if letter == "t":
        return Value("time", MOMENT)
    if letter == "e":
        return Value({"REQUEST_URI": "target", "HTTP_HOST": "host", "HTTP_USER_AGENT": "agent"}.get(argument, ""))
    return FPM.get(letter, Value())


def _of(line: str) -> str:
    if line.startswith("{"):
        return JSON if JsonLines().columns(line)[0] else ""
    for head in HEADS:
        start = pattern(_nginx(head), whole=False)
        if start and (found := start.regex.match(line)):
            rest = line[found.end() :].rstrip("\r\n")
            forms = [head + _tail(rest), f"{head} $unknown"]
            return next((form for form in forms if (whole := layout(form)) and whole.columns(line)[0]), "")
    return ""


def _tail(text: str) -> str:
    """The format of what follows, as far as it can be told."""
    parts, at, times = [], 0, ["upstream_response_time", "request_time"]
    while found := EXTRA.match(text, at):
        at = found.end()
        key, value = found[1] or "", found[2]
        bare = value.strip('"')
        if key in NAMED:
            name = NAMED[key]
        elif not key and re.fullmatch(r"\d+\.\d{3}([ ,:].*)?|-", bare) and times:
            name = times.pop()
        else:
            name = "unknown"
        quote = '"' if value.startswith('"') else ""
        parts.append(f" {key}{'=' if key else ''}{quote}${name}{quote}")
    return "".join(parts)
