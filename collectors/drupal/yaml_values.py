"""YAML as Drupal writes its configuration -> what PHP's arrays would be: every sequence and mapping a dict.

Scalars are what Symfony's YAML says, not what YAML 1.1 says: 12:30 and yes are texts. Read event by event, so that no
text makes the reading deep or long; anchors and aliases, which Drupal never writes, are refused.

Source: https://symfony.com/doc/current/reference/formats/yaml.html
"""

import base64
import re

import yaml

from collectors.drupal.php_values import Value
from collectors.errors import ParseError

MOST_CHARACTERS = 1_000_000
MOST_VALUES = 100_000
DEEPEST = 60
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]{1,15}")
FLOAT = re.compile(r"[-+]?(?:[0-9]{1,40}\.[0-9]{0,40}|\.[0-9]{1,40}|[0-9]{1,40})(?:[eE][-+]?[0-9]{1,3})?")
PHP_KEY = re.compile(r"0|-?[1-9][0-9]{0,17}")
WORDS: dict[str, Value] = {
    "": None, "~": None, "null": None, "true": True, "false": False, ".inf": float("inf"), "-.inf": float("-inf"),
    ".nan": float("nan"),
}  # fmt: skip


def from_yaml(text: str) -> Value:
    """ParseError for what Drupal would not write."""
    if len(text) > MOST_CHARACTERS:
        raise ParseError(f"YAML of {len(text)} characters: expected at most {MOST_CHARACTERS}")
    reader = _Reader()
    try:
        for event in yaml.parse(text, LOADER):
            reader.take(event)
    except (yaml.YAMLError, ValueError, UnicodeError) as error:
        raise ParseError(f"expected YAML: {' '.join(str(error).split())[:120]}") from error
    return reader.document


class _Reader:
    def __init__(self) -> None:
        self.document: Value = None
        self.documents = 0
        self.values = 0
        self.open: list[dict[str | int, Value]] = []
        self.keys: list[str | int | None] = []
        """Of each that is open, the key whose value comes next; None: a mapping's key does."""
        self.sequences: list[bool] = []

    def take(self, event: yaml.Event) -> None:
        if getattr(event, "anchor", None):
            raise ParseError("YAML: expected no anchors and aliases")
        if isinstance(event, yaml.DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                raise ParseError("YAML: expected one document")
        elif isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent | yaml.MappingStartEvent):
            if event.tag:
                raise ParseError("YAML: expected no tags")
            self._begin(isinstance(event, yaml.SequenceStartEvent))
        elif isinstance(event, yaml.SequenceEndEvent | yaml.MappingEndEvent):
            self.open.pop()
            self.keys.pop()
            self.sequences.pop()

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        if self.open and not self.sequences[-1] and self.keys[-1] is None:
            key = int(event.value) if PHP_KEY.fullmatch(event.value) else event.value
            if key in self.open[-1]:
                raise ParseError("YAML: expected each key once")
            self.keys[-1] = key
        else:
            self._put(_value(event))

    def _begin(self, sequence: bool) -> None:
        if len(self.open) >= DEEPEST:
            raise ParseError(f"YAML: expected at most {DEEPEST} levels")
        inner: dict[str | int, Value] = {}
        self._put(inner)
        self.open.append(inner)
        self.keys.append(None)
        self.sequences.append(sequence)

    def _put(self, value: Value) -> None:
        self.values += 1
        if self.values > MOST_VALUES:
            raise ParseError(f"YAML: expected at most {MOST_VALUES} values")
        if not self.open:
            self.document = value
        elif self.sequences[-1]:
            self.open[-1][len(self.open[-1])] = value
        elif (key := self.keys[-1]) is not None:
            self.open[-1][key] = value
            self.keys[-1] = None
        else:
            raise ParseError("YAML: expected a key that is a text")


def _value(event: yaml.ScalarEvent) -> Value:
    if event.tag == "tag:yaml.org,2002:binary":
        return base64.b64decode(event.value).decode(errors="replace")
    if event.tag not in (None, "!", "tag:yaml.org,2002:str"):
        raise ParseError("YAML: expected no tags")
    if event.tag or not event.implicit[0]:
        return event.value
    text = event.value
    if (word := text.lower()) in WORDS:
        return WORDS[word]
    if INTEGER.fullmatch(text):
        return int(text)
    if HEXADECIMAL.fullmatch(text):
        return int(text, 16)
    return float(text) if FLOAT.fullmatch(text) else text
