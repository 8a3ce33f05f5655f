"""nginx configuration text -> vhosts. What is not understood is skipped; nothing here raises on odd text.

Source: https://nginx.org/en/docs/beginners_guide.html#conf_structure
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from collectors.inventory.model import Vhost

DEBIAN_PREFIX = "/usr/share/nginx"
DEBIAN_LOG = "/var/log/nginx/access.log"
COMBINED = (
    '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"'
)
DEEPEST = 40
TOKEN = re.compile(
    r"""\s+ | \#[^\n]* | "(?P<double>(?:\\.|[^"\\])*)" | '(?P<single>(?:\\.|[^'\\])*)'
    | (?P<mark>[{};]) | (?P<word>(?:\$\{[^}]*\}|\\.|[^\s{};])+)""",
    re.VERBOSE | re.DOTALL,
)


@dataclass
class Directive:
    name: str
    args: list[str]
    file: str
    block: list["Directive"] = field(default_factory=list)


def nginx_vhosts(texts: Mapping[str, str], main: str, prefix: str = DEBIAN_PREFIX) -> tuple[Vhost, ...]:
    """Every `server` block in the order of the files. `prefix` is what relative paths of logs and roots start from."""
    tree = _tree(texts, main, str(PurePosixPath(main).parent), ())
    return tuple(
        _vhost(server, http, main, prefix)
        for http in tree
        if http.name == "http"
        for server in http.block
        if server.name == "server"
    )


def nginx_includes(texts: Mapping[str, str], main: str) -> set[str]:
    """Absolute glob patterns of the files that the read ones include."""
    directory = str(PurePosixPath(main).parent)
    patterns: set[str] = set()
    waiting = [main]
    seen = set()
    while waiting:
        path = waiting.pop()
        if path in texts and path not in seen:
            seen.add(path)
            new = {str(PurePosixPath(directory, each.args[0])) for each in _everywhere(_parse(texts[path], path))
                   if each.name == "include" and each.args}  # fmt: skip
            patterns |= new
            waiting.extend(_matching(texts, new))
    return patterns


def _matching(texts: Mapping[str, str], patterns: set[str]) -> list[str]:
    """In the order in which nginx reads them. As in a shell, `*` matches no `/` and no leading dot."""
    return sorted(path for path in texts if any(glob_matches(path, pattern) for pattern in patterns))


def glob_matches(path: str, pattern: str) -> bool:
    names, wanted = path.split("/"), pattern.split("/")
    return len(names) == len(wanted) and all(
        fnmatchcase(name, want) and (want.startswith(".") or not name.startswith("."))
        for name, want in zip(names, wanted, strict=True)
    )


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    """(mark or word, text)."""
    for found in TOKEN.finditer(text):
        if found.lastgroup == "mark":
            yield "mark", found[0]
        elif found.lastgroup:
            yield "word", re.sub(r"\\([\"'\\])", r"\1", found[found.lastgroup])


def _parse(text: str, file: str) -> list[Directive]:
    top: list[Directive] = []
    open_blocks = [top]
    words: list[str] = []
    for kind, text_of in _tokens(text):
        if kind == "word":
            words.append(text_of)
            continue
        if text_of == "}":
            del open_blocks[max(1, len(open_blocks) - 1) :]
        elif words or text_of == "{":
            directive = Directive(words[0] if words else "", words[1:], file)
            open_blocks[-1].append(directive)
            if text_of == "{":
                open_blocks.append(directive.block if len(open_blocks) < DEEPEST else [])
        words = []
    return top


def _tree(texts: Mapping[str, str], path: str, directory: str, within: tuple[str, ...]) -> list[Directive]:
    """The file with everything that it includes in place. A file that includes itself stops there."""
    if path not in texts or path in within or len(within) > DEEPEST:
        return []
    return _expand(_parse(texts[path], path), texts, directory, (*within, path))


def _expand(
    directives: list[Directive], texts: Mapping[str, str], directory: str, within: tuple[str, ...]
) -> list[Directive]:
    result = []
    for each in directives:
        if each.name == "include" and each.args:
            for path in _matching(texts, {str(PurePosixPath(directory, each.args[0]))}):
                result += _tree(texts, path, directory, within)
        else:
            result.append(replace(each, block=_expand(each.block, texts, directory, within)))
    return result


def _everywhere(directives: list[Directive]) -> Iterator[Directive]:
    for each in directives:
        yield each
        yield from _everywhere(each.block)


def _named(directives: list[Directive], name: str) -> list[list[str]]:
    """The arguments of each, those without any left out."""
    return [each.args for each in directives if each.name == name and each.args]


def _vhost(server: Directive, http: Directive, main: str, prefix: str) -> Vhost:
    inside = list(_everywhere(server.block))
    listens = _named(server.block, "listen") or [["80"]]
    all_secure = ["on"] in _named(server.block, "ssl")  # before nginx 1.25
    secure = [args for args in listens if all_secure or "ssl" in args[1:]]
    roots = _named(server.block, "root") or _named(inside, "root") or _named(http.block, "root")
    own = _named(server.block, "access_log") or _named(http.block, "access_log") or [[DEBIAN_LOG]]
    logs = [args for args in own + _named(inside, "access_log") if _is_file(args[0])]
    upstreams = {each.args[0]: [_address(args[0]) for args in _named(each.block, "server")]
                 for each in http.block if each.name == "upstream" and each.args}  # fmt: skip
    formats = _log_formats(logs, http, prefix)
    passed = [args[0] for args in _named(inside, "fastcgi_pass")]
    return Vhost(
        server="nginx",
        names=tuple(dict.fromkeys(name for args in _named(server.block, "server_name") for name in args if name)),
        root=str(PurePosixPath(prefix, roots[0][0])) if roots else "",
        listens=tuple(dict.fromkeys(_listen(args[0]) for args in listens)),
        tls=bool(secure),
        logs=tuple(formats),
        log_format=next(iter(formats.values()), ""),
        fastcgi=tuple(dict.fromkeys(each for name in passed for each in upstreams.get(name) or [_address(name)])),
        status_paths=tuple(dict.fromkeys(_paths(server.block, "stub_status"))),
        traffic_paths=tuple(dict.fromkeys(_paths(server.block, "vhost_traffic_status_display"))),
        api_paths=tuple(dict.fromkeys(_paths(server.block, "api"))),
        file=server.file,
        main=main,
        tls_listens=tuple(dict.fromkeys(_listen(args[0]) for args in secure)),
        log_formats=tuple(formats.values()),
    )


def _is_file(log: str) -> bool:
    return log != "off" and not log.startswith("syslog:") and "$" not in log


def _log_formats(logs: list[list[str]], http: Directive, prefix: str) -> dict[str, str]:
    """Log -> its format's text; "" when that is nowhere defined."""
    formats = {args[0]: "".join(part for part in args[1:] if not part.startswith("escape="))
               for args in _named(http.block, "log_format")}  # fmt: skip
    found: dict[str, str] = {}
    for args in logs:
        name = next((arg for arg in args[1:] if "=" not in arg), "combined")
        text = formats.get(name, COMBINED if name == "combined" else "")
        found.setdefault(str(PurePosixPath(prefix, args[0])), text)
    return found


def _paths(directives: list[Directive], name: str) -> Iterator[str]:
    """Of the locations that have this directive."""
    for each in directives:
        answers = each.name == "location" and any(inner.name == name for inner in each.block)
        if answers and each.args and each.args[0] in ("=", "^~", each.args[-1]) and each.args[-1].startswith("/"):
            yield each.args[-1]  # a pattern names no one path
        yield from _paths(each.block, name)


def _listen(text: str) -> str:
    """`80`, `*:80`, `0.0.0.0`, `[::]:80` -> `*:80`; an address without port has port 80."""
    if text.startswith("unix:"):
        return text
    found = re.fullmatch(r"(?:(\[[^]]*\]|[^:]*):)?(\d+)|(\[[^]]*\]|[^:]+)", text)
    if not found:
        return text
    host, port = found[1] or found[3] or "*", found[2] or "80"
    return f"{'*' if host in ('0.0.0.0', '[::]') else host}:{port}"  # noqa: S104 - nothing is bound here


def _address(text: str) -> str:
    """Of a fastcgi_pass or an upstream's server: `unix:/path` or `address:port`."""
    return text if text.startswith("unix:") or re.search(r":\d+$", text) else f"{text}:80"
