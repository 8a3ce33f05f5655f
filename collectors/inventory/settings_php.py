"""What settings.php and sites.php say, read as text: PHP is never run.

Where we cannot be certain what PHP would make of it, a value is Dynamic and shows the expression instead.
Source: https://www.drupal.org/docs/getting-started/installing-drupal/step-3-create-settingsphp-and-the-files-directory
"""

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from collectors.config import Secret
from collectors.inventory.php.cursor import World
from collectors.inventory.php.memory import Dynamic, Key, Memory, Path, TooLong, Value
from collectors.inventory.php.statements import Statements

MOST_CHARACTERS = 512_000
MOST_STEPS = 400_000
KNOWN: dict[str, Value] = {
    "databases": {}, "settings": {}, "config": {}, "conf": {}, "sites": {}, "config_directories": {},
    "drupal_hash_salt": "", "update_free_access": None, "base_url": None, "cookie_domain": None, "db_prefix": None,
}  # fmt: skip
"""What is told; each with what it holds before the file is read."""
SECRET = re.compile(r"pass(word|wd|phrase)?|.*(hash_salt|secret|token|password|private_key|api_?key|access_?key|salt)")
ACCOUNT = re.compile(r"[a-z][a-z0-9+.-]*://[^/\s]*:[^/\s]*@", re.IGNORECASE)
NOT_NAMES = re.compile(
    r"""(?P<name>(?:getenv\(|\$_(?:ENV|SERVER)\[)\s*(?:'\w+'|"\w+")|(?<=[\w\]])\[(?:'\w+'|"\w+")\])
    | '(?:[^'\\]|\\.)*+'? | "(?:[^"\\]|\\.)*+"?""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True)
class Settings:
    variables: Mapping[str, Value] = field(default_factory=dict)
    """Those of KNOWN that are set; passwords and the like are Secret."""
    conditional: frozenset[Path] = frozenset()
    """Places whose last assignment stands where we cannot tell whether it is reached."""
    wanted: tuple[str, ...] = ()
    """Files of the site that it includes, whether there or not."""
    unread: tuple[str, ...] = ()
    """What it includes and we do not read: paths outside of the site, expressions."""
    whole: bool = True
    """False: too long, or it ends within a quote, a comment or brackets. Nothing is told then."""

    def get(self, *path: Key) -> Value:
        """None where nothing is set; a Dynamic on the way is the answer."""
        value: Value = self.variables
        for key in path:
            if isinstance(value, Dynamic):
                return value
            value = value.get(key) if isinstance(value, dict | Mapping) else None
        return value

    def is_certain(self, *path: Key) -> bool:
        """Neither it nor anything in it depends on a condition that we cannot tell."""
        return not any(path[: len(at)] == at or at[: len(path)] == path for at in self.conditional)


def read_settings(
    path: str,
    texts: Mapping[str, str],
    docroot: str = "",
    environment: Mapping[str, str] | None = None,
    complete: bool = False,
) -> Settings:
    """`path` is that of the file in `texts`. `complete`: what is not in the environment is not set at all."""
    directory = posixpath.dirname(path)
    docroot = docroot or posixpath.dirname(posixpath.dirname(directory))
    project = _project(docroot)
    if len(texts.get(path, "")) > MOST_CHARACTERS:
        return Settings(whole=False)
    complete = complete and not re.search(r"dotenv", texts[path], re.IGNORECASE)
    small = {name: text for name, text in texts.items() if len(text) <= MOST_CHARACTERS}
    world = World(small, environment or {}, complete, lambda file: _within(file, project), MOST_STEPS)
    site = posixpath.relpath(directory, docroot) if _within(directory, docroot) else directory
    memory = Memory({**KNOWN, "app_root": docroot, "site_path": site})
    memory.constants["DRUPAL_ROOT"] = docroot
    try:
        whole = Statements(path, memory, world, 0).run()
    except TooLong:
        whole = False
    if not whole:
        return Settings(wanted=tuple(world.wanted), whole=False)
    for name in world.touched & KNOWN.keys():
        memory.dead = 0
        memory.forget((name,))
    found = {name: memory.variables.get(name) for name in KNOWN}
    return Settings(
        {name: _safe(value, (name,)) for name, value in found.items() if value != KNOWN[name]},
        frozenset(at for at in memory.conditional if at[0] in KNOWN),
        tuple(world.wanted),
        tuple(dict.fromkeys(_hidden(each) for each in world.unread)),
        whole,
    )


def _project(docroot: str) -> str:
    """Composer's layouts keep the docroot in a folder of the project."""
    inner = posixpath.basename(docroot) in ("web", "docroot", "html", "public", "public_html", "www", "app")
    parent = posixpath.dirname(docroot)
    return parent if inner and parent.count("/") > 1 else docroot


def _within(path: str, directory: str) -> bool:
    return path == directory or path.startswith(f"{directory.rstrip('/')}/")


def _safe(value: Value, path: tuple[str, ...]) -> Value:
    if isinstance(value, dict):
        return {key: _safe(inner, (*path, str(key))) for key, inner in value.items()}
    secret = any(SECRET.fullmatch(key.lower()) for key in path[-2:])
    if isinstance(value, Dynamic):
        return Dynamic(_hidden(value.expression))
    if isinstance(value, str) and value and (secret or ACCOUNT.match(value)):
        return Secret(value)
    return value


def _hidden(expression: str) -> str:
    """Texts in an expression may be secrets; paths and names of variables are not."""
    if expression.startswith("/"):
        return expression
    return NOT_NAMES.sub(lambda found: found[0] if found["name"] else "'***'", expression.partition("<<<")[0])
