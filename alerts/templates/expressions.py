"""What stands in one action: pipelines of commands, read from its words."""

from collections.abc import Sequence, Set

from alerts.templates.lexer import Action, Word, unquoted
from alerts.templates.nodes import Constant, Dot, Field, Function, Operand, Pipe, Variable
from alerts.templates.values import TemplateError

END = Word("end", "", spaced=False)
DEPTH = 40
"""Of brackets in brackets."""
WORDS = {"true": True, "false": False, "nil": None}


class Words:
    """The words of one action, read from left to right."""

    def __init__(self, action: Action, variables: Sequence[str], functions: Set[str]) -> None:
        self.source = action.source
        self._words = action.words
        self._variables = variables
        self._functions = functions
        self._at = 0
        self._depth = 0

    @property
    def next(self) -> Word:
        return self._words[self._at] if self._at < len(self._words) else END

    def keyword(self) -> str:
        return self._take().text

    def name(self) -> str:
        """A constant text, as the name of a template."""
        word = self._take()
        if word.kind not in ("string", "raw"):
            raise self._wrong("a name in quotes", word)
        return unquoted(word.text)

    def rest(self) -> Pipe | None:
        """A pipeline up to the end, or nothing."""
        pipe = None if self.next is END else self.pipe()
        self.end()
        return pipe

    def end(self) -> None:
        if self.next is not END:
            raise self._wrong("the end", self.next)

    def pipe(self, *, two: bool = False) -> Pipe:
        declares, anew = self._declared(two)
        commands = [self._command()]
        while self.next.text == "|" and self.next.kind == "mark":
            self._take()
            commands.append(self._command())
        for command in commands[1:]:
            if not isinstance(command[0], Function | Field):
                raise TemplateError(f"expected a function after '|' in {self.source!r}")
        return Pipe(tuple(commands), declares, anew)

    def _declared(self, two: bool) -> tuple[tuple[str, ...], bool]:
        ahead = self._words[self._at : self._at + 4]
        kinds = [word.kind if word.kind == "variable" else word.text for word in ahead]
        for count, marks in ((1, ["variable"]), (2, ["variable", ",", "variable"])):
            if kinds[: len(marks)] == marks and kinds[len(marks) :][:1] in ([":="], ["="]):
                anew = kinds[len(marks)] == ":="
                names = tuple(word.text for word in ahead[: len(marks)] if word.kind == "variable")
                if count > 1 and not two:
                    raise TemplateError(f"too many declarations in {self.source!r}")
                if not anew:
                    for name in names:
                        self._known(name)
                self._at += len(marks) + 1
                return names, anew
        return (), True

    def _command(self) -> tuple[Operand, ...]:
        operands = [self._operand()]
        while self.next is not END and self.next.text not in ("|", ")"):
            if not self.next.spaced:
                raise self._wrong("a space", self.next)
            operands.append(self._operand())
        return tuple(operands)

    def _operand(self) -> Operand:
        operand = self._term()
        while self.next.kind == "field" and not self.next.spaced:
            if isinstance(operand, Constant | Dot):
                raise self._wrong("a space", self.next)
            operand = Field(operand, self._take().text[1:])
        return operand

    def _term(self) -> Operand:
        word = self._take()
        match word.kind:
            case "field":
                return Field(Dot(), word.text[1:])
            case "variable":
                self._known(word.text)
                return Variable(word.text)
            case "name":
                return self._named(word)
            case "mark":
                return self._marked(word)
        return Constant(self._constant(word))

    def _marked(self, word: Word) -> Operand:
        if word.text == ".":
            return Dot()
        if word.text != "(" or self._depth >= DEPTH:
            raise self._wrong("a value", word)
        self._depth += 1
        inner = self.pipe()
        self._depth -= 1
        if self._take().text != ")":
            raise TemplateError(f"expected ')' in {self.source!r}")
        return inner

    def _constant(self, word: Word) -> str | int | float:
        match word.kind:
            case "string" | "raw":
                return unquoted(word.text)
            case "char":
                return self._character(word)
            case "number":
                return self._number(word)
        raise self._wrong("a value", word)

    def _named(self, word: Word) -> Operand:
        if word.text in WORDS:
            return Constant(WORDS[word.text])
        if word.text not in self._functions:
            raise TemplateError(f"function {word.text!r} is not known, found in {self.source!r}")
        return Function(word.text)

    def _known(self, name: str) -> None:
        if name not in self._variables:
            raise TemplateError(f"variable {name!r} is not known, found in {self.source!r}")

    def _character(self, word: Word) -> int:
        text = unquoted(word.text)
        if len(text) != 1:
            raise self._wrong("one character in quotes", word)
        return ord(text)

    def _number(self, word: Word) -> int | float:
        text = word.text
        if len(text) > 100:
            raise self._wrong("a shorter number", word)
        digits = text.lstrip("+-")
        if digits.isdigit() and digits[:1] == "0" and digits.strip("0"):  # Go's octal
            text = text.replace("0", "0o", 1)
        try:
            whole = int(text, 0)
        except ValueError:
            whole = None
        try:
            value = float(text) if whole is None else whole
        except ValueError as error:
            raise self._wrong("a number", word) from error
        if isinstance(value, int) and not -(2**63) <= value < 2**63:
            raise self._wrong("a number of 64 bits", word)
        return value

    def _take(self) -> Word:
        word = self.next
        self._at += 1
        return word

    def _wrong(self, expected: str, word: Word) -> TemplateError:
        found = repr(word.text) if word is not END else "nothing"
        return TemplateError(f"expected {expected}, found {found} in {self.source!r}")
