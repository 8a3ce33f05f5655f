"""Statements in their order: what is reached, what may be, what other files it reads.

Source: https://www.php.net/manual/en/language.control-structures.php
"""

import posixpath

from collectors.inventory.php import functions
from collectors.inventory.php.cursor import NotRead, Place
from collectors.inventory.php.memory import UNKNOWN, Dynamic, Value
from collectors.inventory.php.terms import CLOSING, Terms

INCLUDES = 2
"""How deep files may include each other."""
DEEPEST = 40
DECLARATIONS = {"class", "interface", "trait", "enum", "final", "abstract", "readonly", "namespace", "use", "declare"}
LEAVING = {"return", "throw", "goto"}


class Statements(Terms):
    """`run` once. What it finds is in the memory and the world."""

    _within = 0
    _broken = 0
    """How often a loop was left, so that we do not know how it would have gone on."""

    def run(self) -> bool:
        """False: a quote or comment does not end, or brackets do not match."""
        whole = True
        while self.token.kind != "end":
            if self.takes("}", ")", "]"):
                whole = False
            else:
                self.statement()
        return whole and self.token.text != "cut"

    def statement(self) -> None:
        start = self.at
        self._within += 1
        try:
            if self._within > DEEPEST:
                raise NotRead
            self._statement()
        except NotRead:
            self._skip(start)
        finally:
            self._within -= 1

    def _skip(self, start: int) -> None:
        """To the end of the statement; whatever it may have assigned is unknown from here on."""
        self.at = start
        open_ones: list[str] = []
        while self.token.kind != "end":
            if not open_ones and self.sees("}") and self.at > start:
                break
            token = self.next()
            if token.kind != "mark":
                continue
            if token.text in CLOSING:
                open_ones.append(CLOSING[token.text])
            elif open_ones and token.text == open_ones[-1]:
                open_ones.pop()
                if not open_ones and token.text == "}" and not self.sees("else", "elseif", ")", ",", ";", "(", "."):
                    break
            elif not open_ones and token.text == ";":
                break
        self.forget_between(start)

    def _statement(self) -> None:
        word = self.token.text if self.token.kind in ("name", "mark") else ""
        following = self.following
        if word == ";":
            self.next()
        elif word == "{":
            self._block()
        elif word in ("if", "foreach", "switch", "while", "for", "do", "try"):
            self._controlled(word)
        elif (word == "function" and following.kind == "name") or word in DECLARATIONS:
            self._over()
        elif word in LEAVING:
            self._leave()
        elif word in ("break", "continue"):
            self._break()
        elif word == "const":
            self._constants()
        elif word in ("echo", "global", "static") and following.text != "::":
            self._echo()
        else:
            self.expression()
            self._end()

    def _controlled(self, word: str) -> None:
        if word == "if":
            self._conditions()
        elif word == "foreach":
            self._foreach()
        elif word == "switch":
            self._switch()
        elif word == "try":
            self._try()
        elif word == "do":
            self.next()
            self._body(None)
            self.expect("while")
            self.brackets()
            self._end()
        else:
            self.next()
            start = self.at
            self.brackets()
            self.forget_between(start)
            self._body(None, f"end{word}")

    def _end(self) -> None:
        if self.token.kind != "end":
            self.expect(";")

    def _block(self) -> None:
        self.expect("{")
        while not self.takes("}"):
            if self.token.kind == "end":
                return
            self.statement()

    def _body(self, reached: bool | None, *ends: str) -> None:
        """One statement, or those from a colon to one of these words, the last of which ends it all."""
        with self.memory.when(reached):
            if not ends or not self.takes(":"):
                self.statement()
                return
            while not self.sees(*ends) and self.token.kind != "end":
                self.statement()
        if self.takes(ends[-1]):
            self._end()

    def _conditions(self) -> None:
        """What is certainly not reached is read, but not run."""
        open_still: bool | None = True
        """Whether no condition before this one held."""
        again = self.takes("if")
        while again:
            self.expect("(")
            with self.memory.when(open_still):
                holds = functions.truth(self.expression())
            self.expect(")")
            if open_still is False or holds is False:
                taken: bool | None = False
            else:
                taken = True if open_still and holds else None
            self._body(taken, "elseif", "else", "endif")
            if holds is not False and open_still is not False:
                open_still = False if holds else None
            again = self.takes("elseif")
            if self.sees("else") and self.following.text == "if":
                self.next()
                again = self.takes("if")
        if self.takes("else"):
            self._body(open_still, "endif")

    def _foreach(self) -> None:
        self.next()
        self.expect("(")
        subject_at = self.at
        subject = self.expression()
        self.expect("as")
        first, second = self._loop_variable(subject_at), None
        if self.takes("=>"):
            second = self._loop_variable(subject_at)
        self.expect(")")
        key, value = (first, second) if second else (None, first)
        if isinstance(subject, dict) and subject and not self.memory.doubt:
            body = self.at
            for index, inner in list(subject.items()):
                self.at = body
                if key:
                    self.store(key, index)
                self.store(value, inner)
                self._body(True, "endforeach")
        else:
            for each in filter(None, (key, value)):
                self.forget(each)
            self._body(False if isinstance(subject, dict) and not subject else None, "endforeach")
        self.memory.doubt -= self._broken
        self._broken = 0

    def _loop_variable(self, subject_at: int) -> Place:
        """With & it changes what is looped over."""
        if self.takes("&"):
            here, self.at = self.at, subject_at
            if self.token.kind == "variable":
                self.forget(self.place())
            self.at = here
        if self.token.kind != "variable":
            raise NotRead
        return self.place()

    def _switch(self) -> None:
        self.next()
        self.expect("(")
        self.expression()
        self.expect(")")
        ends = ("}",) if self.takes("{") else ("endswitch",)
        if ends == ("endswitch",):
            self.expect(":")
        with self.memory.when(None):
            while not self.sees(*ends) and self.token.kind != "end":
                if self.takes("case"):
                    self.expression()
                    if not self.takes(":"):
                        self.expect(";")
                elif self.takes("default"):
                    if not self.takes(":"):
                        self.expect(";")
                else:
                    self.statement()
        self.takes(*ends)

    def _try(self) -> None:
        """What is tried may stop anywhere."""
        self.next()
        self._body(None)
        while self.takes("catch"):
            self.brackets()
            self._body(None)
        if self.takes("finally"):
            self._body(True)

    def _over(self) -> None:
        """A declaration does nothing where it stands."""
        start = self.at
        while not self.sees(";", "{") and self.token.kind != "end":
            self.next()
        if self.sees("{"):
            self.brackets()
        else:
            self.takes(";")
        self.touches(start)

    def _leave(self) -> None:
        self.next()
        if not self.sees(";") and self.token.kind != "end":
            self.expression()
        self._end()
        self.leave()

    def _break(self) -> None:
        self.next()
        if self.token.kind == "number":
            self.next()
        self._end()
        if not self.memory.doubt and not self.memory.dead:
            self.memory.doubt += 1
            self._broken += 1

    def _constants(self) -> None:
        self.next()
        while True:
            name = self.next()
            self.expect("=")
            value = self.expression()
            if name.kind == "name" and not self.memory.dead:
                self.memory.constants[str(name.value)] = UNKNOWN if self.memory.doubt else value
            if not self.takes(","):
                break
        self._end()

    def _echo(self) -> None:
        self.next()
        while not self.sees(";") and self.token.kind != "end":
            self.expression()
            if not self.takes(","):
                break
        self._end()

    def include(self, target: Value, once: bool) -> None:
        """What the file assigns, where it is one of the site's and was read."""
        world, memory = self.world, self.memory
        if memory.dead:
            return
        if not isinstance(target, str):
            world.unread.append(target.expression if isinstance(target, Dynamic) else "")
            return
        path = posixpath.normpath(posixpath.join(posixpath.dirname(self.path), target))
        if self.depth >= INCLUDES or not world.inside(path):
            world.unread.append(path)
            return
        if path not in world.wanted:
            world.wanted.append(path)
        if path not in world.texts or (once and path in world.included):
            return
        world.included.add(path)
        dead, doubt = memory.dead, memory.doubt
        other = Statements(path, memory, world, self.depth + 1)
        if not other.run():
            world.unread.append(path)
        # A return ends that file only.
        memory.dead, memory.doubt = dead, doubt
