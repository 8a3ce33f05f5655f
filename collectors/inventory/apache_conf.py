"""Apache configuration text -> vhosts. What is not understood is skipped; nothing here raises on odd text.

Source: https://httpd.apache.org/docs/2.4/vhosts/
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import NamedTuple

from collectors.inventory.apache_text import Directive, Reader, envvars, everywhere
from collectors.inventory.model import Process, Vhost

HOMES = {"apache2": ("/etc/apache2", "apache2.conf"), "httpd": ("/etc/httpd", "conf/httpd.conf")}
"""Program -> what Debian's and Red Hat's builds have as ServerRoot and main file."""
OPTION = re.compile(r"\s-([dfD])\s*(\S+)")
TO_PHP = {"sethandler", "addhandler", "proxypass", "proxypassmatch", "balancermember", "rewriterule"}
FASTCGI = re.compile(r"(?:unix:(?P<socket>[^|\s]+)\|)?fcgi://(?P<place>[^/\s$]+)", re.IGNORECASE)
BALANCER = re.compile(r"balancer://[^/\s]+", re.IGNORECASE)
FCGI_PORT = 8000  # mod_proxy_fcgi's
MOST_LISTENS = 100


class ApacheMain(NamedTuple):
    """How an Apache was started."""

    file: str
    root: str
    defines: tuple[str, ...] = ()


class Whole(NamedTuple):
    """What all vhosts of a server share."""

    main: ApacheMain
    reader: Reader
    server: list[Directive]
    """Outside of any VirtualHost."""


DEBIAN = ApacheMain("/etc/apache2/apache2.conf", "/etc/apache2")


def apache_main(process: Process) -> ApacheMain | None:
    """From the command line; None for any other process. Those that serve have that of the first."""
    if process.name not in HOMES:
        return None
    options = OPTION.findall(process.title)
    home, file = HOMES[process.name]
    root = next((value for name, value in options if name == "d"), home)
    file = next((value for name, value in options if name == "f"), file)
    defines = tuple(sorted({value for name, value in options if name == "D"}))
    return ApacheMain(str(PurePosixPath(root, file)), root, defines)


def apache_includes(texts: Mapping[str, str], main: ApacheMain) -> set[str]:
    """Absolute glob patterns of the files that belong to it besides the main one."""
    return Reader(texts, *main).patterns | {envvars(main.root)}


def apache_vhosts(texts: Mapping[str, str], main: ApacheMain) -> tuple[Vhost, ...]:
    """Every VirtualHost in the order of the files, then the server itself where it listens and no vhost answers."""
    reader = Reader(texts, *main)
    server = [each for each in reader.top if each.name != "<virtualhost"]
    blocks = [each for each in reader.top if each.name == "<virtualhost"]
    whole = Whole(main, reader, server)
    listens = [found for args in _named(server, "listen") if (found := _place(args[0]))]
    vhosts = [_vhost(each.block, each.file, _reached(each.args, listens), whole) for each in blocks]
    taken = {listen for vhost in vhosts for listen in vhost.listens}
    rest = tuple(f"{host}:{port}" for host, port in listens if not _covered(host, port, taken))
    if rest and main.file in texts:
        vhosts.append(_vhost([], main.file, rest, whole))
    return tuple(vhosts)


def _named(directives: Iterable[Directive], *names: str) -> list[list[str]]:
    """The arguments of each, those without any left out."""
    return [each.args for each in directives if each.name in names and each.args]


def _place(text: str) -> tuple[str, str] | None:
    """(address, port) of a Listen or of a VirtualHost: `*` for any; "" as port when it has none."""
    found = re.fullmatch(r"(?:(\[[^]]*\]|[^:]*):)?(\d{1,5}|\*)|(\[[^]]*\]|[^:]+)", text)
    if not found:
        return None
    host, port = found[1] or found[3] or "*", found[2] or ""
    return ("*" if host.lower() in ("0.0.0.0", "[::]", "_default_", "*") else host), port  # noqa: S104 - not bound


def _reached(args: Iterable[str], listens: list[tuple[str, str]]) -> tuple[str, ...]:
    """Where a VirtualHost of these addresses answers: only where the server listens, too."""
    found: dict[str, None] = {}
    for arg in args:
        if not (place := _place(arg)):
            continue
        host, port = place
        port = port or (listens[-1][1] if listens else "80")
        for at, each in listens or [(host, "80" if port == "*" else port)]:
            if port in ("*", each) and (at == host or "*" in (at, host)):
                found[f"{at if host == '*' else host}:{each}"] = None
    return tuple(found)[:MOST_LISTENS]


def _covered(host: str, port: str, taken: set[str]) -> bool:
    return f"*:{port}" in taken or f"{host}:{port}" in taken


def _vhost(block: list[Directive], file: str, listens: tuple[str, ...], whole: Whole) -> Vhost:
    """What the block does not say is as the server has it."""
    main, reader, server = whole
    names = [_name(name) for args in _named(block or server, "servername", "serveralias") for name in args]
    roots = _named(block, "documentroot") or _named(server, "documentroot")
    logs = _named(block, "customlog", "transferlog") or _named(server, "customlog", "transferlog")
    files = [args for args in logs if not args[0].startswith("|") and "${" not in args[0]]
    formats: dict[str, str] = {}
    for args in files:  # of two formats of one file the first counts
        formats.setdefault(str(PurePosixPath(reader.root, args[0])), _log_format(args, [*server, *block]))
    engine = _named(block, "sslengine") or _named(server, "sslengine")
    https = {found[1] for args in _named(server, "listen") if args[1:] == ["https"] and (found := _place(args[0]))}
    secure = listens if engine and engine[-1][0].lower() != "off" else tuple(
        each for each in listens if each.rpartition(":")[2] in https)  # fmt: skip
    fastcgi = tuple(dict.fromkeys(_fastcgi(block, server))) or tuple(dict.fromkeys(_fastcgi(server, server)))
    return Vhost(
        server="apache",
        names=tuple(dict.fromkeys(filter(None, names))),
        root=str(PurePosixPath(reader.root, roots[-1][0])) if roots else "",
        listens=listens,
        tls=bool(secure),
        logs=tuple(formats),
        log_format=next(iter(formats.values()), ""),
        log_formats=tuple(formats.values()),
        fastcgi=fastcgi,
        status_paths=tuple(dict.fromkeys([*_status_paths(block), *_status_paths(server)])),
        file=file,
        main=main.file,
        tls_listens=secure,
        mod_php=not fastcgi and any(re.match(r"php\d*_module$", name) for name in reader.modules),
    )


def _name(text: str) -> str:
    """A ServerName may have a scheme and a port."""
    return re.sub(r"^\w+://|:\d+$", "", text)


def _log_format(log: list[str], directives: list[Directive]) -> str:
    """The format's text; "" when it is nowhere defined. Without a name it is that of TransferLog."""
    formats = {args[1] if len(args) > 1 else "": args[0] for args in _named(directives, "logformat")}
    wanted = log[1] if len(log) > 1 and not re.match(r"(env|expr)=", log[1]) else ""
    return formats.get(wanted, wanted if "%" in wanted else "")


def _fastcgi(directives: list[Directive], server: list[Directive]) -> Iterator[str]:
    """Where PHP is sent from these directives, balancers resolved."""
    members = {each.args[0].lower().rstrip("/"): list(_addresses(each.block))
               for each in everywhere([*server, *directives]) if each.name == "<proxy" and each.args}  # fmt: skip
    for each in everywhere(each for each in directives if each.name != "<proxy"):
        if each.name in TO_PHP:
            yield from _addresses([each])
            for balancer in BALANCER.findall(" ".join(each.args)):
                yield from members.get(balancer.lower(), ())


def _addresses(directives: Iterable[Directive]) -> Iterator[str]:
    for found in FASTCGI.finditer("\n".join(" ".join(args) for args in _named(directives, *TO_PHP))):
        if found["socket"]:
            yield f"unix:{found['socket']}"
        else:
            place = found["place"]
            yield place if re.search(r":\d+$", place) else f"{place}:{FCGI_PORT}"


def _status_paths(directives: list[Directive]) -> Iterator[str]:
    for each in everywhere(directives):
        handlers = [args[0].lower() for args in _named(each.block, "sethandler")]
        answers = each.name == "<location" and "server-status" in handlers
        if answers and len(each.args) == 1 and re.fullmatch(r"/[^*?\[\s]*", each.args[0]):
            yield each.args[0]  # a pattern names no one path
