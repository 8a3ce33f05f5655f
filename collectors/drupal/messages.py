"""Log messages of Drupal as text for people, without what nobody else should see.

Source: https://api.drupal.org/api/drupal/core%21lib%21Drupal%21Core%21Logger%21LogMessageParserInterface.php/11
"""

import html
import ipaddress
import re
from hashlib import blake2b

from collectors.drupal.php_values import Object, Value, unserialize
from collectors.errors import ParseError

LONGEST = 4000  # characters of a message that are looked at
SHOWN = 300
TAG = re.compile(r"<[^<>]{0,500}>")
PERSONAL = re.compile(
    r"[%@:!](user|username|name|account|email|mail|ip|host|hostname|recipient|to|from|address|login)\b"
)
BACKTRACE = ("@backtrace_string", "backtrace", "@backtrace")
HIDDEN = (
    # What an exception of the database quotes of the statement's values.
    (re.compile(r";?\s*Array\s*\(.*", re.DOTALL), ""),
    (re.compile(r"(SQLSTATE\[.{0,300}?)'[^']*'", re.DOTALL), r"\1'…'"),
    (re.compile(r"(Duplicate entry )'[^']*'"), r"\1'…'"),
    (re.compile(r"(Key \([^()]{0,200}\)=)\([^()]{0,500}\)"), r"\1(…)"),
    (re.compile(r"\b([a-z][a-z0-9+.-]{1,20}://)[^\s/@]{1,200}@"), r"\1…@"),
    (re.compile(r"(?i)\b(pass(?:word|wd)?|token|secret|key|sid|session|auth\w*)(\s*[=:]\s*)[^\s&,;]{1,500}"), r"\1\2…"),
    (re.compile(r"\?[^\s\"'<>]{1,2000}"), "?…"),
    (re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}"), "(mail)"),
    (re.compile(r"\b(\d{1,3}\.\d{1,3}\.\d{1,3})\.\d{1,3}\b"), r"\1.x"),
    (re.compile(r"\b[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{0,4}){3,7}\b"), "(address)"),
    (re.compile(r"\b(?=[\w-]{0,200}\d)[A-Za-z0-9_-]{24,200}\b"), "(token)"),
)  # fmt: skip
VARYING = re.compile(r"0x[0-9a-f]+|\d+|\"[^\"]{0,300}\"|'[^']{0,300}'")
SPACE = re.compile(r"\s+")
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")


def variables(serialized: bytes) -> dict[str, str]:
    """Placeholder -> text; nothing where the row has none, or none that can be read."""
    try:
        found = unserialize(serialized)
    except ParseError:
        return {}
    if not isinstance(found, dict):
        return {}
    return {str(name): _text(value) for name, value in found.items() if name not in BACKTRACE}


def _text(value: Value, depth: int = 0) -> str:
    """Objects are those of markup and of translatable text."""
    if isinstance(value, Object):
        inner = value.fields.get("string", "")
        arguments = value.fields.get("arguments")
        text = inner if isinstance(inner, str) else ""
        if isinstance(arguments, dict) and depth < 3:
            return filled(text, {str(name): _text(each, depth + 1) for name, each in arguments.items()})
        return text[:LONGEST]
    if isinstance(value, bool) or value is None:
        return "1" if value else ""
    return str(value)[:LONGEST] if isinstance(value, str | int | float) else ""


def filled(template: str, values: dict[str, str]) -> str:
    """The template with its placeholders filled in, as plain text."""
    names = sorted((name for name in values if name[:1] in "%@:!" and len(name) > 1), key=len, reverse=True)
    template = template[:LONGEST]
    for each in BACKTRACE[:1]:
        template = template.replace(each, "")
    if names:
        any_name = re.compile("|".join(map(re.escape, names[:50])))
        template = any_name.sub(lambda found: values[found[0]], template)
    text = html.unescape(TAG.sub("", template[:LONGEST]))
    return SPACE.sub(" ", CONTROL.sub("", text)).strip()


def shown(template: str, values: dict[str, str]) -> str:
    """What an event may say of a row: no names, mails, addresses, query strings, tokens or values of statements."""
    without = {name: "…" if PERSONAL.match(name) else text for name, text in values.items()}
    return redacted(filled(template, without))


def redacted(text: str) -> str:
    text = text[:LONGEST]
    for pattern, instead in HIDDEN:
        text = pattern.sub(instead, text)
    return text[:SHOWN].strip()


def path_of(location: str) -> str:
    """The path of an address, without host and query."""
    return redacted(re.sub(r"^[a-z]+://[^/]*", "", location[:LONGEST]).partition("?")[0].partition("#")[0])


def group(kind: str, template: str, values: dict[str, str]) -> str:
    """Equal for messages that say the same of the same place."""
    told = values.keys() & {"%type", "%file", "%line"}
    parts = [kind, VARYING.sub("#", template[:LONGEST]), *(f"{name}={values[name]}" for name in sorted(told))]
    return blake2b("\n".join(parts).encode(errors="replace"), digest_size=8).hexdigest()


def network(address: str) -> str:
    """The network that an address is in, as far as it may be told; "" for what is no address."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return ""
    return str(ipaddress.ip_network(f"{known}/{24 if known.version == 4 else 48}", strict=False))
