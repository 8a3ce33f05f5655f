"""PHP-FPM configuration text -> pools. What is not understood is skipped; nothing here raises on odd text.

Source: https://www.php.net/manual/en/install.fpm.configuration.php
"""

import re
from collections.abc import Mapping
from pathlib import PurePosixPath

from collectors.inventory.model import Pool
from collectors.inventory.nginx_conf import glob_matches

PREFIX = "/usr"  # Debian's build; paths that do not start with / start there
ENVIRONMENT = re.compile(r"env\[(\w+)\]")
SECTION = re.compile(r"\[(?P<name>[^]]*)\]")
VALUE = re.compile(r"""\s*(?:"(?P<double>(?:\\.|[^"\\])*)"|'(?P<single>[^']*)'|(?P<plain>[^;]*))""")


def fpm_pools(texts: Mapping[str, str], main: str) -> tuple[Pool, ...]:
    """The pools of the master whose main configuration file this is."""
    sections: dict[str, dict[str, str]] = {}
    error_log = ""
    for path in _files(texts, main):
        for name, key, value in _settings(texts[path]):
            if name == "global":
                error_log = value if key == "error_log" else error_log
            else:
                sections.setdefault(name, {"file": path})[key] = value.replace("$pool", name)
    pools = (_pool(name, {**settings, "master.error_log": error_log}, main) for name, settings in sections.items())
    return tuple(pool for pool in pools if pool)


def fpm_includes(texts: Mapping[str, str], main: str) -> set[str]:
    """Absolute glob patterns of the files that the read ones include."""
    return {pattern for path in _files(texts, main) for pattern in _includes(texts[path])}


def _includes(text: str) -> list[str]:
    return [str(PurePosixPath(PREFIX, value)) for _, key, value in _settings(text) if key == "include" and value]


def _files(texts: Mapping[str, str], main: str) -> list[str]:
    """The main file and all that it includes, as far as they were read."""
    files: list[str] = []
    waiting = [main]
    while waiting:
        path = waiting.pop(0)
        if path in texts and path not in files:
            files.append(path)
            patterns = _includes(texts[path])
            waiting += sorted(each for each in texts if any(glob_matches(each, pattern) for pattern in patterns))
    return files


def _settings(text: str) -> list[tuple[str, str, str]]:
    """(section, key, value) of each line that is one; what stands before any section is global."""
    section = "global"
    found = []
    for line in map(str.strip, text.splitlines()):
        if header := SECTION.match(line):
            section = header["name"].strip()
        elif "=" in line and not line.startswith((";", "#")):
            key, _, rest = line.partition("=")
            value = VALUE.match(rest)
            found.append((section, key.strip(), _plain(value)))
    return found


def _plain(value: re.Match[str] | None) -> str:
    text = value[value.lastgroup].strip() if value and value.lastgroup else ""
    return text.replace('\\"', '"') if value and value.lastgroup == "double" else text


def _pool(name: str, settings: Mapping[str, str], main: str) -> Pool | None:
    if not (listen := _address(settings.get("listen", ""))):
        return None
    children = settings.get("pm.max_children", "")
    return Pool(
        name=name,
        listen=listen,
        status_path=settings.get("pm.status_path", ""),
        status_listen=_address(settings.get("pm.status_listen", "")),
        ping_path=settings.get("ping.path", ""),
        manager=settings.get("pm", "dynamic"),
        max_children=int(children) if re.fullmatch(r"[0-9]{1,9}", children) else 0,
        user=settings.get("user", ""),
        chroot=settings.get("chroot", ""),
        open_basedir=settings.get("php_admin_value[open_basedir]", settings.get("php_value[open_basedir]", "")),
        file=settings["file"],
        main=main,
        access_log=_log(settings.get("access.log", "")),
        access_format=settings.get("access.format", ""),
        slowlog=_log(settings.get("slowlog", "")),
        error_log=_log(settings["master.error_log"]),
        php_error_log=_php_log(settings),
        environment=environment_of(settings),
        inherits=settings.get("clear_env", "yes").lower() in ("no", "off", "0", "false"),
    )


def _log(path: str) -> str:
    return "" if path in ("", "syslog") else str(PurePosixPath(PREFIX, path))


def _php_log(settings: Mapping[str, str]) -> str:
    """PHP itself opens it, in its chroot; a path that is relative is so to each script."""
    path = settings.get("php_admin_value[error_log]", settings.get("php_value[error_log]", ""))
    return f"{settings.get('chroot', '').rstrip('/')}{path}" if path.startswith("/") else ""


def environment_of(settings: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """What its env[] lines set; `$NAME` is taken from the master's environment, which we do not know."""
    lines = ((ENVIRONMENT.fullmatch(key), value) for key, value in settings.items())
    return tuple((found[1], value) for found, value in lines if found and "$" not in value)


def file_environment(text: str) -> dict[str, str]:
    """What the env[] lines of a pool's file set, or lines NAME=value; a name with two values is left out."""
    found: dict[str, set[str]] = {}
    for _, key, value in _settings(text):
        name = ENVIRONMENT.fullmatch(key)
        if (name or re.fullmatch(r"[A-Z_][A-Z0-9_]*", key)) and "$" not in value:
            found.setdefault(name[1] if name else key, set()).add(value)
    return {name: values.pop() for name, values in found.items() if len(values) == 1}


def _address(text: str) -> str:
    """Where to connect: `unix:/path`, or `address:port` with loopback for any address; "" when there is no such thing.

    `9000`, `*:9000`, `0.0.0.0:9000` and `[::]:9000` listen on any address.
    """
    if not text or "${" in text:  # filled from the master's environment, which we do not know
        return ""
    if found := re.fullmatch(r"(?:(\[[^]]*\]|[^:/]*):)?([0-9]{1,5})", text):
        host = found[1] or "*"
        return f"{'127.0.0.1' if host in ('*', '0.0.0.0', '[::]') else host}:{found[2]}"  # noqa: S104
    return f"unix:{PurePosixPath(PREFIX, text)}"
