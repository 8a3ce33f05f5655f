"""Apache configuration text -> its directives as Apache reads them: files included, variables and conditions resolved.

Source: https://httpd.apache.org/docs/2.4/configuring.html
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from collectors.inventory.nginx_conf import glob_matches

DEEPEST = 20
MOST_LINES = 1_000_000
LINES_OF_A_FILE = 100
"""What each file counts at least: those that include each other's folders could go on for ever."""
LONGEST_LINE = 8_192
STATIC = {"core_module", "so_module", "http_module", "log_config_module", "logio_module", "version_module",
          "unixd_module", "watchdog_module", "core.c", "mod_so.c", "http_core.c", "mod_log_config.c", "mod_logio.c",
          "mod_version.c", "mod_unixd.c", "mod_watchdog.c"}  # fmt: skip # of Debian's build
WORD = re.compile(r"""\s*(?:"(?P<double>(?:\\.|[^"\\])*)"|'(?P<single>(?:\\.|[^'\\])*)'|(?P<plain>\S+))""", re.DOTALL)
VARIABLE = re.compile(r"\$\{(\w+)\}")
SHELL_LINE = re.compile(r"\s*(?:export\s+)?(\w+)=(.*)")
SHELL_VARIABLE = re.compile(r"\$\{?(\w+)\}?")


@dataclass
class Directive:
    name: str
    """In lower case; that of a section begins with `<`."""
    args: list[str]
    file: str
    block: list["Directive"] = field(default_factory=list)


Block = list[Directive] | None
"""None: what is in it does not count."""


class Reader:
    """Reads the main file into `top`, and with it what it includes of `texts`."""

    def __init__(self, texts: Mapping[str, str], main: str, root: str, defines: Iterable[str] = ()) -> None:
        self.texts = texts
        self.root = root
        self.defined = set(defines)
        self.variables = environment(texts, root)
        self.modules: dict[str, str] = {}
        """Name -> file."""
        self.patterns: set[str] = set()
        """Absolute glob patterns of the files that are included."""
        self.top: list[Directive] = []
        self._left = MOST_LINES
        self._folders: dict[str, list[str]] = {}
        for path in texts:
            self._folders.setdefault(path.rpartition("/")[0], []).append(path)
        self._read(main, self.top, ())

    def _read(self, path: str, into: list[Directive], within: tuple[str, ...]) -> None:
        if path not in self.texts or path in within or len(within) >= DEEPEST:
            return
        blocks: list[Block] = [into]
        self._left -= LINES_OF_A_FILE
        for line in _lines(self.texts[path]):
            self._left -= 1
            if self._left < 0:
                return
            if line.startswith("</"):
                del blocks[max(1, len(blocks) - 1) :]
            elif line.startswith("<"):
                section = _words(self._expanded(line[1:].rstrip().removesuffix(">")))
                blocks.append(self._open(section, blocks[-1], path, len(blocks)))
            elif (block := blocks[-1]) is not None and (words := _words(self._expanded(line))):
                self._take(words[0].lower(), words[1:], path, block, (*within, path))

    def _open(self, words: list[str], block: Block, path: str, depth: int) -> Block:
        """Where the directives of a section go: a condition that holds is as good as not there."""
        name, args = (words[0].lower(), words[1:]) if words else ("", [])
        if block is None or depth > DEEPEST or name == "macro":
            return None
        if name in ("ifmodule", "ifdefine", "ifversion"):
            return block if self._holds(name, args) else None
        if name == "iffile":  # there is none to be asked
            return block
        directive = Directive(f"<{name}", args, path)
        block.append(directive)
        return directive.block

    def _holds(self, name: str, args: list[str]) -> bool:
        what = args[0] if args else ""
        if name == "ifversion":
            return not what.startswith("<")  # the opposite of what this version is
        is_not, what = what.startswith("!"), what.removeprefix("!")
        if name == "ifdefine":
            return (what in self.defined) != is_not
        there = not self.modules or what in STATIC or any(what in _names_of(each) for each in self.modules)
        return there != is_not

    def _take(self, name: str, args: list[str], path: str, block: list[Directive], within: tuple[str, ...]) -> None:
        first = args[0] if args else ""
        if name in ("include", "includeoptional"):
            self._include(first, block, within)
        elif name == "define":
            self.defined.add(first)
            self.variables[first] = args[1] if len(args) > 1 else ""
        elif name == "undefine":
            self.defined.discard(first)
            self.variables.pop(first, None)
        elif name == "loadmodule":
            self.modules[first] = args[1] if len(args) > 1 else ""
        elif name == "serverroot":
            self.root = first or self.root
        else:
            block.append(Directive(name, args, path))

    def _include(self, pattern: str, block: list[Directive], within: tuple[str, ...]) -> None:
        if not pattern or "\0" in pattern:
            return
        absolute = str(PurePosixPath(self.root, pattern))
        patterns = {absolute} if re.search(r"[*?\[]", pattern) else {absolute, f"{absolute}/*"}  # it may be a folder
        self.patterns |= patterns
        for path in sorted({path for each in patterns for path in self._matching(each)}):
            self._read(path, block, within)

    def _matching(self, pattern: str) -> list[str]:
        folder = pattern.rpartition("/")[0]
        candidates = self.texts if re.search(r"[*?\[]", folder) else self._folders.get(folder, ())
        return [path for path in candidates if glob_matches(path, pattern)]

    def _expanded(self, line: str) -> str:
        text = VARIABLE.sub(lambda found: self.variables.get(found[1], found[0]), line)
        return text if len(text) <= LONGEST_LINE else line[:LONGEST_LINE]


def everywhere(directives: Iterable[Directive]) -> Iterator[Directive]:
    for each in directives:
        yield each
        yield from everywhere(each.block)


def environment(texts: Mapping[str, str], root: str) -> dict[str, str]:
    """What Debian's `envvars` sets before Apache starts."""
    suffix = PurePosixPath(root).name.removeprefix("apache2")
    variables = {"SUFFIX": suffix if suffix.startswith("-") else "", "APACHE_CONFDIR": root}
    for line in texts.get(envvars(root), "").split("\n"):
        if (found := SHELL_LINE.fullmatch(line.rstrip())) and found[1] not in variables:
            value = SHELL_VARIABLE.sub(lambda name: variables.get(name[1], name[0]), found[2].strip("\"'"))
            if not re.search(r"[$`]", value) and len(value) < LONGEST_LINE:
                variables[found[1]] = value
    return variables


def envvars(root: str) -> str:
    return str(PurePosixPath(root, "envvars"))


def _lines(text: str) -> Iterator[str]:
    """Without comments and indentation; one that ends in a backslash goes on in the next."""
    for line in re.sub(r"\\\r?\n", "", text).split("\n"):
        if (stripped := line.strip()) and not stripped.startswith("#"):
            yield stripped


def _words(text: str) -> list[str]:
    return [re.sub(r"\\([\"'\\])", r"\1", found[found.lastgroup]) if found.lastgroup != "plain" else found["plain"]
            for found in WORD.finditer(text) if found.lastgroup]  # fmt: skip


def _names_of(module: str) -> tuple[str, ...]:
    """By which a condition may mean it: `rewrite_module`, `mod_rewrite.c`, and `event.c` of an MPM."""
    short = module.removesuffix("_module")
    return (module, f"mod_{short}.c", f"{short.removeprefix('mpm_')}.c")
