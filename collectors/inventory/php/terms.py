"""What expressions are made of: literals, arrays, constants, and the calls whose result is certain.

Source: https://www.php.net/manual/en/language.types.array.php https://www.php.net/manual/en/language.constants.php
"""

import posixpath

from collectors.inventory.php import functions
from collectors.inventory.php.cursor import NotRead, Place
from collectors.inventory.php.expressions import ASSIGNING, Expressions
from collectors.inventory.php.memory import UNKNOWN, Dynamic, Key, Value, key_of, next_index
from collectors.inventory.php.tokens import Token, Unsure

CONSTANTS: dict[str, Value] = {
    "true": True, "false": False, "null": None, "php_eol": "\n", "directory_separator": "/", "php_int_size": 8,
    "json_throw_on_error": 4194304, "php_url_host": UNKNOWN,
}  # fmt: skip
FILE_TESTS = {"file_exists", "is_file", "is_readable"}
CLOSING = {"(": ")", "[": "]", "{": "}"}


class Terms(Expressions):
    def _primary(self) -> Value:
        token = self.next()
        if token.kind in ("string", "number"):
            return token.value
        if token.kind == "template":
            return self._template(token)
        if token.kind == "name":
            return self._name(token)
        if token.kind == "other":
            return UNKNOWN
        if token.text == "(" and token.kind == "mark":
            value = self.expression()
            self.expect(")")
            return value
        if token.text == "[" and token.kind == "mark":
            return self._array("]")
        raise NotRead

    def _template(self, token: Token) -> Value:
        try:
            parts = (part if isinstance(part, str) else self.read((part[0], *part[1])) for part in token.value)
            return functions.joined(*parts)
        except Unsure:
            return UNKNOWN

    def _name(self, token: Token) -> Value:
        name = token.text
        if name == "array" and self.takes("("):
            return self._array(")")
        if name in ("function", "fn", "static"):
            return self._closure()
        if name == "match" and self.sees("("):
            start = self.at
            self.brackets()
            self.brackets()
            self.forget_between(start)
            return UNKNOWN
        if name == "list":
            raise NotRead
        if self.sees("(") or name in ("exit", "die"):
            return self._call(name)
        if name.startswith("__") and name.endswith("__"):
            return {"__dir__": posixpath.dirname(self.path), "__file__": self.path}.get(name, UNKNOWN)
        return self.memory.constants.get(str(token.value).removeprefix("\\"), CONSTANTS.get(name, UNKNOWN))

    def _array(self, closing: str) -> Value:
        """UNKNOWN as a whole where a key is not certain: it might be any of the others."""
        found: dict[Key, Value] = {}
        sure = True
        while not self.takes(closing):
            if self.takes("..."):
                value = self.expression()
                sure = sure and self._spread(found, value)
            else:
                constant = self._constant_key()
                value = self.expression()
                if self.takes("=>"):
                    key = constant or (None if isinstance(value, Dynamic) else key_of(value))
                    value = self.expression()
                else:
                    key = next_index(found)
                if key is None:
                    sure = False
                else:
                    found[key] = value
            if not self.takes(",") and not self.sees(closing):
                raise NotRead
        return found if sure else UNKNOWN

    def _constant_key(self) -> str:
        """PDO::SOMETHING is a number that we do not know, and no key of ours."""
        here = self.tokens[self.at : self.at + 4]
        if [token.kind for token in here] == ["name", "mark", "name", "mark"] and here[1].text == "::":
            return f"{here[0].value}::{here[2].value}" if here[3].text == "=>" else ""
        return ""

    @staticmethod
    def _spread(found: dict[Key, Value], value: Value) -> bool:
        if not isinstance(value, dict):
            return False
        for key, inner in value.items():
            index = next_index(found) if isinstance(key, int) else key
            if index is None:
                return False
            found[index] = inner
        return True

    def _closure(self) -> Value:
        """Its body is not run where it stands."""
        start = self.at
        while not self.sees("{", "=>", ";") and self.token.kind != "end":
            self.next()
        if self.takes("=>"):
            with self.memory.when(False):
                self.expression()
        else:
            self.brackets()
        self.touches(start)
        return UNKNOWN

    def touches(self, start: int) -> None:
        """What a function, from there to here, may change outside of it."""
        here = self.tokens[start : self.at]
        if any(token.text in ("global", "GLOBALS", "&") for token in here):
            self.world.touched |= {token.text for token in here if token.kind == "variable"}
            self.world.touched |= {str(token.value) for token in here if token.kind == "string"}

    def brackets(self) -> None:
        """Over what stands between brackets, those included."""
        open_ones: list[str] = []
        while True:
            token = self.next()
            if token.kind == "end":
                raise NotRead
            if token.kind == "mark" and token.text in CLOSING:
                open_ones.append(CLOSING[token.text])
            elif token.kind == "mark" and open_ones and token.text == open_ones[-1]:
                open_ones.pop()
            if not open_ones:
                return

    def forget_between(self, start: int) -> None:
        """Whatever may have been assigned from there to here."""
        skipped = self.tokens[start : self.at]
        if any(token.kind == "mark" and token.text in (*ASSIGNING, "&", "++", "--") for token in skipped):
            for name in {token.text for token in skipped if token.kind == "variable"}:
                self.forget(Place(None, name))

    def _call(self, name: str) -> Value:
        if name in ("isset", "empty", "unset"):
            return self._about_variables(name)
        if name in ("exit", "die"):
            self.leave()
            if not self.sees("("):
                return UNKNOWN
        arguments = self.arguments(name in functions.HARMLESS)
        for each in arguments:
            self.memory.pay(each)
        first = arguments[0] if arguments else UNKNOWN
        if name == "getenv" and arguments and isinstance(first, str):
            return self.world.environment.get(first, False if self.world.complete else UNKNOWN)
        if name in FILE_TESTS and isinstance(first, str):
            return True if posixpath.normpath(first) in self.world.texts else UNKNOWN
        if name in ("define", "defined") and isinstance(first, str):
            return self._define(arguments) if name == "define" else True if first in self.memory.constants else UNKNOWN
        if name in ("extract", "eval", "parse_str", "putenv"):
            self._anything_happened(name, first)
        return functions.call(name, arguments)

    def leave(self) -> None:
        """What follows is not reached; where we do not know whether we are here, nobody knows whether that is."""
        if self.memory.doubt:
            self.memory.doubt += 1
        elif not self.memory.dead:
            self.memory.dead += 1

    def _define(self, arguments: list[Value]) -> Value:
        memory = self.memory
        if not memory.dead and len(arguments) > 1:
            memory.constants[arguments[0]] = UNKNOWN if memory.doubt else arguments[1]
        return True

    def _anything_happened(self, name: str, first: Value) -> None:
        if self.memory.dead:
            return
        if name == "putenv":
            self.world.complete = False
        elif name == "extract" and isinstance(first, dict):
            for key, value in first.items():
                self.memory.assign((key,), value)
        else:
            self.memory.forget_all()

    def _about_variables(self, name: str) -> Value:
        self.expect("(")
        found: list[bool | None] = []
        while not self.takes(")"):
            if self.token.kind == "variable" and name == "unset":
                place = self.place()
                if place.path is None or place.append:
                    self.forget(place)
                else:
                    self.memory.unset(place.path)
                found.append(None)
            else:
                value = self.expression()
                known = None if isinstance(value, Dynamic) else value is not None
                found.append(known if name == "isset" else functions.truth(value))
            if not self.takes(",") and not self.sees(")"):
                raise NotRead
        if name == "unset":
            return None
        if False in found:
            return name == "empty"
        if None in found or not found:
            return UNKNOWN
        return name == "isset"
