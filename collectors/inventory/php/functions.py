"""Functions of PHP whose result is certain when their arguments are.

Source: https://www.php.net/manual/en/funcref.php
"""

import base64
import binascii
import json
import posixpath
import re
from collections.abc import Callable, Mapping
from typing import Any

from collectors.inventory.php.memory import LONGEST, UNKNOWN, Value, all_known, key_of
from collectors.inventory.php.tokens import Unsure

URL = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?:(?P<user>[^/?#:@]*)(?::(?P<pass>[^/?#@]*))?@)?(?P<host>[A-Za-z0-9._-]+)"
    r"(?::(?P<port>[0-9]{1,5}))?(?P<path>/[^?#]*)?(?:\?(?P<query>[^#]*))?(?:#(?P<fragment>.*))?"
)
SPACE = " \n\r\t\v\0"


def text_of(value: Value) -> str:
    """As `.` makes it; Unsure for what has no certain text."""
    if value is None or value is False:
        return ""
    if value is True:
        return "1"
    if isinstance(value, int | str):
        return str(value)
    raise Unsure


def joined(*values: Value) -> str:
    """Unsure when one has no certain text, or all are longer than any setting."""
    text = "".join(map(text_of, values))
    if len(text) > LONGEST:
        raise Unsure
    return text


def truth(value: Value) -> bool | None:
    """None: unknown."""
    if isinstance(value, dict | bool | int | float | None):
        return bool(value)
    return value not in ("", "0") if isinstance(value, str) else None


def array(found: Any) -> Value:
    """JSON's value as PHP's."""
    if isinstance(found, dict):
        return {_sure_key(key): array(value) for key, value in found.items()}
    return {index: array(value) for index, value in enumerate(found)} if isinstance(found, list) else found


def _sure_key(value: Value) -> str | int:
    key = key_of(value)
    if key is None:
        raise Unsure
    return key


def _json(text: str, associative: bool | None = None, *_: Value) -> Value:
    if associative is not True:  # an object
        raise Unsure
    try:
        return array(json.loads(text))
    except (ValueError, RecursionError) as error:
        raise Unsure from error


def _base64(text: str) -> Value:
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise Unsure from error


def _parse_url(url: str) -> Value:
    found = URL.fullmatch(url)
    if found is None:
        raise Unsure
    parts = {name: value for name, value in found.groupdict().items() if value is not None}
    return {name: int(value) if name == "port" else value for name, value in parts.items()}


def _dirname(path: str, levels: int = 1) -> str:
    if not path.startswith("/") or not 1 <= levels <= 50:
        raise Unsure
    for _ in range(levels):
        path = posixpath.dirname(path.rstrip("/")) or "/"
    return path


def _trim(how: Callable[[str, str], str]) -> Callable[..., str]:
    def trim(text: Value, characters: str = SPACE) -> str:
        if ".." in characters:
            raise Unsure
        return how(text_of(text), characters)

    return trim


def _substr(text: str, start: int, length: int | None = None) -> str:
    if not text.isascii() or start < 0 or (length is not None and length < 0):
        raise Unsure
    return text[start:] if length is None else text[start : start + length]


def _case(how: Callable[[str], str]) -> Callable[[str], str]:
    def change(text: str) -> str:
        if not text.isascii():
            raise Unsure
        return how(text)

    return change


def _merge(*arrays: Mapping[str | int, Value]) -> Value:
    named: dict[str | int, Value] = {}
    for each in arrays:
        for key, value in each.items():
            named[len([k for k in named if isinstance(k, int)]) if isinstance(key, int) else key] = value
    return named


def _replace(*arrays: Mapping[str | int, Value]) -> Value:
    return {key: value for each in arrays for key, value in each.items()}


def replaced_within(first: Mapping[str | int, Value], *others: Mapping[str | int, Value]) -> Value:
    result = dict(first)
    for other in others:
        for key, value in other.items():
            both = isinstance(value, dict) and isinstance(result.get(key), dict)
            result[key] = replaced_within(result[key], value) if both else value
    return result


def _in_array(needle: Value, values: Mapping[str | int, Value], strict: bool = False) -> bool:
    alike = [value for value in values.values() if type(value) is type(needle)]
    if not strict and len(alike) != len(values):
        raise Unsure
    if not strict and isinstance(needle, str) and any(map(_numeric, (needle, *alike))):
        raise Unsure
    return needle in alike


def _numeric(text: str) -> bool:
    return bool(re.fullmatch(r"\s*[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?\s*", text))


def loosely_equal(left: Value, right: Value) -> bool:
    if type(left) is not type(right) or isinstance(left, dict | float):
        raise Unsure
    if isinstance(left, str) and left != right and _numeric(left) and _numeric(right):
        raise Unsure
    return bool(left == right)


def _int(value: Value) -> int:
    if isinstance(value, bool | int):
        return int(value)
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,18}", value):
        return int(value)
    raise Unsure


PURE: dict[str, Callable[..., Value]] = {
    "json_decode": _json,
    "base64_decode": _base64,
    "parse_url": _parse_url,
    "dirname": _dirname,
    "trim": _trim(str.strip),
    "ltrim": _trim(str.lstrip),
    "rtrim": _trim(str.rstrip),
    "substr": _substr,
    "strtolower": _case(str.lower),
    "strtoupper": _case(str.upper),
    "array_merge": _merge,
    "array_replace": _replace,
    "array_replace_recursive": replaced_within,
    "in_array": _in_array,
    "intval": _int,
    "is_array": lambda value: isinstance(value, dict),
    "is_string": lambda value: isinstance(value, str),
    "is_null": lambda value: value is None,
    "array_key_exists": lambda key, values: _sure_key(key) in values,
    "strpos": lambda text, part: text.index(part) if text.isascii() and part and part in text else False,
    "str_contains": lambda text, part: part in text,
    "str_starts_with": lambda text, part: text.startswith(part),
}
JOINING = {"array_merge", "array_replace", "array_replace_recursive"}
HARMLESS = {
    "getenv", "file_exists", "is_file", "is_readable", "is_dir", "realpath", "define", "defined", "count", "sizeof",
    "ini_set", "ini_get", "set_time_limit", "error_reporting", "header", "function_exists", "class_exists", "sprintf",
    "implode", "explode", "str_replace", "preg_match", "md5", "hash", "sha1", "file_get_contents", "php_sapi_name",
    "gethostname", "strstr", "current", "is_numeric", "is_bool", "array_keys", "array_values", "filter_var", "print_r",
    "var_dump", "error_log", "rawurldecode", "urldecode", "strlen", "array_filter", "array_map", "basename",
    "serialize", "unserialize", "version_compare", "is_int", "extension_loaded", "constant", "microtime", "time",
    "date", "getcwd",
} | PURE.keys()  # fmt: skip
"""What they are given stays as it was."""


def call(name: str, arguments: list[Value]) -> Value:
    """UNKNOWN where the result is not certain."""
    function = PURE.get(name)
    known = all(isinstance(each, dict) for each in arguments) if name in JOINING else all(map(all_known, arguments))
    if function is None or not known:
        return UNKNOWN
    try:
        return function(*arguments)
    except (Unsure, TypeError, ValueError, AttributeError, RecursionError):
        return UNKNOWN
