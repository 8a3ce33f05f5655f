"""Expressions: what each would give, as far as that is certain. Assignments in them go to the memory.

Source: https://www.php.net/manual/en/language.operators.precedence.php
"""

import re

from collectors.inventory.php import functions
from collectors.inventory.php.cursor import Cursor, NotRead, Place
from collectors.inventory.php.memory import UNKNOWN, Dynamic, Value, key_of
from collectors.inventory.php.tokens import Unsure

DEEPEST = 40
CASTS = {"int", "integer", "bool", "boolean", "string", "array", "float", "double", "object", "binary", "unset"}
ASSIGNING = {"=", ".=", "??=", "+=", "-=", "*=", "/=", "%=", "**=", "&=", "|=", "^=", "<<=", ">>="}
BINARY = {
    "or": 1, "xor": 2, "and": 3, "?": 5, "??": 6, "||": 7, "&&": 8, "|": 9, "^": 10, "&": 11,
    "==": 12, "!=": 12, "<>": 12, "===": 12, "!==": 12, "<=>": 12, "<": 13, "<=": 13, ">": 13, ">=": 13,
    ".": 14, "<<": 15, ">>": 15, "+": 16, "-": 16, "*": 17, "/": 17, "%": 17, "instanceof": 19, "**": 20,
}  # fmt: skip
UNARY = {"!", "-", "+", "~", "@", "&", "new", "clone", "print", "throw", "yield"}
INCLUDING = {"include", "include_once", "require", "require_once"}
SHOWN = 200  # characters


class Expressions(Cursor):
    _nested = 0

    def expression(self, least: int = 0) -> Value:
        self._nested += 1
        try:
            if self._nested > DEEPEST:
                raise NotRead
            start = self.token.start
            value = self._binary(self._unary(), least)
        finally:
            self._nested -= 1
        return Dynamic(self._since(start)) if isinstance(value, Dynamic) else value

    def _since(self, start: int) -> str:
        end = self.tokens[max(0, self.at - 1)].end
        return re.sub(r"\s+", " ", self.text[start : min(end, start + 4 * SHOWN)])[:SHOWN]

    def _binary(self, left: Value, least: int) -> Value:
        bare = 0
        """Of the last operator without brackets."""
        while self.token.kind in ("mark", "name") and (strength := BINARY.get(self.token.text, 0)) > least:
            operator = self.next().text
            if operator == "?":
                left = self._choice(left)
            elif operator in ("??", "||", "&&", "or", "and"):
                left = self._lazily(operator, left, strength)
            else:
                mixed = operator in "+-." and bare and operator != "." and bare == 14
                right_at = self.at
                right = self.expression(strength - 1 if operator == "**" else strength)
                mixed = mixed or (operator == "." and self._sums(right_at))
                left = UNKNOWN if mixed else self._apply(operator, left, right)
            bare = strength
        return left

    def _sums(self, start: int) -> bool:
        """Whether there is + or - from there on outside of brackets: versions of PHP differ beside a dot."""
        depth = 0
        for token in self.tokens[start : self.at]:
            if token.kind == "mark":
                depth += (token.text in "([{") - (token.text in ")]}")
                if depth == 0 and token.text in ("+", "-"):
                    return True
        return False

    def _choice(self, condition: Value) -> Value:
        known = functions.truth(condition)
        if self.takes(":"):
            other = self._if(otherwise(known), 5)
            return UNKNOWN if known is None else condition if known else other
        yes = self._if(known, 0)
        self.expect(":")
        no = self._if(otherwise(known), 5)
        return UNKNOWN if known is None else yes if known else no

    def _if(self, reached: bool | None, least: int) -> Value:
        """The expression that comes, which is reached or not, or nobody knows."""
        with self.memory.when(reached):
            return self.expression(least)

    def _lazily(self, operator: str, left: Value, strength: int) -> Value:
        if operator == "??":
            known = None if isinstance(left, Dynamic) else left is None
            right = self._if(known, strength - 1)
            return UNKNOWN if known is None else right if known else left
        both = operator in ("&&", "and")
        first = functions.truth(left)
        second = functions.truth(self._if(first if both else otherwise(first), strength))
        if first is (not both) or second is (not both):
            return not both
        return UNKNOWN if first is None or second is None else both

    def _apply(self, operator: str, left: Value, right: Value) -> Value:
        if isinstance(left, Dynamic) or isinstance(right, Dynamic):
            return UNKNOWN
        try:
            return apply(operator, left, right)
        except Unsure:
            return UNKNOWN

    def _unary(self) -> Value:
        if self.sees("(") and self.following.text in CASTS:
            after = self.tokens[min(self.at + 2, len(self.tokens) - 1)]
            if after.text == ")" and after.kind == "mark":
                kind = self._cast()
                return self._as(kind, self.expression(18))
        if self.token.kind in ("mark", "name") and self.token.text in UNARY:
            return self._signed(self.next().text)
        if self.token.kind == "name" and self.token.text in INCLUDING:
            once = self.next().text.endswith("once")
            self.include(self.expression(0), once)
            return UNKNOWN
        if self.token.kind == "variable" or self.sees("$"):
            return self._variable()
        return self._after(self._primary())

    def _cast(self) -> str:
        self.next()
        kind = self.next().text
        self.next()
        return kind

    @staticmethod
    def _as(kind: str, value: Value) -> Value:
        try:
            if isinstance(value, Dynamic):
                return UNKNOWN
            if kind in ("bool", "boolean"):
                return functions.truth(value)
            if kind in ("int", "integer"):
                return functions.call("intval", [value])
            return functions.text_of(value) if kind == "string" else value if isinstance(value, dict) else UNKNOWN
        except Unsure:
            return UNKNOWN

    def _signed(self, sign: str) -> Value:
        if sign == "&" and self.token.kind == "variable":
            self.forget(self.place())
            return UNKNOWN
        value = self.expression(18)
        if sign == "!":
            known = functions.truth(value)
            return UNKNOWN if known is None else not known
        if sign in "+-" and isinstance(value, int | float) and not isinstance(value, bool):
            return -value if sign == "-" else value
        return value if sign == "@" else UNKNOWN

    def _variable(self) -> Value:
        place = self.place()
        if self.token.kind == "mark" and self.token.text in ASSIGNING:
            return self._assign(place, self.next().text)
        if self.sees("++", "--"):
            self.next()
            self.forget(place)
            return UNKNOWN
        value = UNKNOWN if place.path is None or place.append else self.read(place.path)
        return self._after(value)

    def _assign(self, place: Place, operator: str) -> Value:
        if operator == "=" and self.takes("&"):
            source = self.place() if self.token.kind == "variable" else None
            for each in (place, source):
                if each:
                    self.forget(each)
            return self._after(UNKNOWN)
        before = self.read(place.path) if place.path and operator != "=" else UNKNOWN
        if operator == "??=":
            known = None if isinstance(before, Dynamic) else before is None
            value = self._if(known, 4)
            value = UNKNOWN if known is None else value if known else before
        else:
            value = self.expression(4)
            if operator != "=":
                value = self._apply(operator[:-1], before, value)
        self.store(place, value)
        return value

    def _after(self, value: Value) -> Value:
        """What follows a value: keys, properties, calls."""
        while True:
            if self.takes("["):
                key = key_of(self.expression())
                self.expect("]")
                value = value.get(key) if isinstance(value, dict) and key is not None else UNKNOWN
            elif self.takes("->", "?->", "::"):
                if self.takes("{"):
                    self.expression()
                    self.expect("}")
                else:
                    self.next()
                value = UNKNOWN
            elif self.sees("("):
                self.arguments(harmless=False)
                value = UNKNOWN
            elif self.sees("++", "--"):
                self.next()
                value = UNKNOWN
            else:
                return value

    def arguments(self, harmless: bool) -> list[Value]:
        """Of a call that we do not know: a variable that it is given may be another one afterwards."""
        self.expect("(")
        found = []
        while not self.takes(")"):
            spread = self.takes("...")
            alone = self.token.kind == "variable"
            start = self.at
            found.append(self.expression())
            if alone and not harmless:
                here, self.at = self.at, start
                place = self.place()
                direct, self.at = self.at == here, here
                if direct:
                    self.forget(place)
            if spread or self.sees(":"):
                found.append(UNKNOWN)
                if self.takes(":"):
                    self.expression()
            if not self.takes(",") and not self.sees(")"):
                raise NotRead
        return found

    def _primary(self) -> Value:
        raise NotImplementedError

    def include(self, target: Value, once: bool) -> None:
        raise NotImplementedError


def otherwise(known: bool | None) -> bool | None:
    return None if known is None else not known


def apply(operator: str, left: Value, right: Value) -> Value:
    """Unsure where types or versions decide."""
    if operator == ".":
        return functions.joined(left, right)
    if operator in ("===", "!=="):
        if isinstance(left, dict) or isinstance(right, dict):
            raise Unsure
        return (type(left) is type(right) and left == right) is (operator == "===")
    if operator in ("==", "!=", "<>"):
        return functions.loosely_equal(left, right) is (operator == "==")
    if operator == "+" and isinstance(left, dict) and isinstance(right, dict):
        return {**right, **left}
    if type(left) is int and type(right) is int:
        numbers = {"+": left + right, "-": left - right, "*": left * right}
        if operator in numbers and abs(numbers[operator]) < 2**63:
            return numbers[operator]
        compared = {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}
        if operator in compared:
            return compared[operator]
    raise Unsure
