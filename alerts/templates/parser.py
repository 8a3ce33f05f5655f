"""Template text -> nodes.

Source: https://pkg.go.dev/text/template
"""

from collections.abc import Iterator, Set
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

from alerts.templates.expressions import Words
from alerts.templates.lexer import Action, pieces
from alerts.templates.nodes import Branch, Leave, Node, Output, Template, Text, Use
from alerts.templates.values import TemplateError

GIVEN = ("$labels", "$externalLabels", "$externalURL", "$value")
"""Variables that Prometheus sets before the text begins; a `define` does not see them."""
LENGTH = 65_536  # characters
DEPTH = 40
"""Of blocks in blocks, and of brackets in brackets."""


@dataclass
class _Parser:
    functions: Set[str]
    pieces: Iterator[str | Action]
    defined: dict[str, tuple[Node, ...]] = field(default_factory=dict)
    depth: int = 0
    loops: int = 0

    def nodes(self, variables: list[str], closing: tuple[str, ...]) -> tuple[tuple[Node, ...], Words | None]:
        """Up to one of the closing words, which is still to be read; the variables set here end here."""
        self.depth += 1
        if self.depth > DEPTH:
            raise TemplateError(f"blocks nest deeper than {DEPTH}")
        found: list[Node] = []
        here = list(variables)
        for piece in self.pieces:
            if isinstance(piece, str):
                found += [Text(piece)] if piece else []
                continue
            words = Words(piece, here, self.functions)
            if words.next.text in closing and words.next.kind == "name":
                self.depth -= 1
                return tuple(found), words
            found += self._node(words, here)
        if closing:
            raise TemplateError("unexpected end of the text: an {{end}} is missing")
        return tuple(found), None

    def _node(self, words: Words, variables: list[str]) -> Iterator[Node]:
        word = words.next
        if word.kind == "name":
            match word.text:
                case "if" | "with" | "range":
                    yield self._branch(words, words.keyword(), variables)
                    return
                case "define" | "block":
                    yield from self._definition(words)
                    return
                case "template":
                    words.keyword()
                    yield Use(words.name(), words.rest(), words.source)
                    return
                case "break" | "continue":
                    yield self._leave(words)
                    return
                case "end" | "else":
                    raise TemplateError(f"unexpected {words.source}")
        pipe = words.pipe()
        words.end()
        if pipe.declares and pipe.anew:
            variables += pipe.declares
        yield Output(pipe, words.source)

    def _leave(self, words: Words) -> Leave:
        kind: Any = words.keyword()
        words.end()
        if not self.loops:
            raise TemplateError(f"{words.source} outside of a range")
        return Leave(kind)

    def _branch(self, words: Words, kind: Any, variables: list[str]) -> Branch:
        pipe = words.pipe(two=kind == "range")
        words.end()
        inner = [*variables, *pipe.declares]
        self.loops += kind == "range"
        body, end = self.nodes(inner, ("end", "else"))
        self.loops -= kind == "range"
        otherwise = self._otherwise(end, kind, inner)
        return Branch(kind, pipe, body, otherwise, words.source)

    def _otherwise(self, end: Words | None, kind: Literal["if", "with", "range"], inner: list[str]) -> tuple[Node, ...]:
        assert end
        if end.keyword() == "end":
            end.end()
            return ()
        if end.next.text == kind != "range":
            self.depth += 1
            chained = self._branch(end, end.keyword(), inner)  # its own {{end}} ends both
            self.depth -= 1
            return (chained,)
        end.end()
        otherwise, last = self.nodes(inner, ("end",))
        assert last
        last.keyword()
        last.end()
        return otherwise

    def _definition(self, words: Words) -> Iterator[Node]:
        kind = words.keyword()
        if kind == "define" and self.depth > 1:
            raise TemplateError(f"{words.source} inside of a block")
        name = words.name()
        if name in self.defined:
            raise TemplateError(f"multiple definition of template {name!r}")
        pipe = words.rest()
        if (pipe is not None) != (kind == "block"):
            raise TemplateError(f"unexpected words in {words.source}")
        loops, self.loops = self.loops, 0
        self.defined[name], end = self.nodes(["$"], ("end",))
        self.loops = loops
        assert end
        end.keyword()
        end.end()
        if pipe is not None:
            yield Use(name, pipe, words.source)


@lru_cache(maxsize=4096)
def parse(text: str, functions: frozenset[str]) -> Template:
    """TemplateError for the first thing that is wrong."""
    if len(text) > LENGTH:
        raise TemplateError(f"a text of {len(text):,} characters; at most {LENGTH:,} are taken")
    parser = _Parser(functions, pieces(text))
    body, _ = parser.nodes(["$", *GIVEN], ())
    return Template(body, parser.defined)
