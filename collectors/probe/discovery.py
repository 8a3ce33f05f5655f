"""What of this host is checked without being told: each site of its web server."""

import re
from collections.abc import Iterable

from collectors.inventory import Inventory, Pool, Vhost
from collectors.model import Proposal, Sample
from collectors.probe.config import Fastcgi, Probe
from collectors.probe.families import SUCCESS

PLAIN_NAME = re.compile(r"(?!_$)[\w-]+(\.[\w-]+)*")


def discover(inventory: Inventory) -> Iterable[Proposal]:
    """Each site of an nginx once, TLS first, asked at its own listening address on this host; pools with a ping.path.

    Also what is passed on to another server, or elsewhere; not what has status pages only.
    """
    seen: set[tuple[str, str]] = set()
    for vhost in sorted(inventory.vhosts, key=lambda vhost: not vhost.tls):
        name = next((name for name in vhost.names if PLAIN_NAME.fullmatch(name)), "")
        status_only = vhost.status_paths and not (vhost.root or vhost.fastcgi)
        if (vhost.main, name) in seen or status_only:
            continue
        if url := _local(vhost):
            seen.add((vhost.main, name))
            config = Probe(url=url, host_header=name, height="local", verify_tls=False)
            yield Proposal(f"{vhost.server} serves {name or 'a site without a name'} at {url} ({vhost.file})", config)
    yield from (_ping(pool) for pool in inventory.pools if pool.ping_path)


def _local(vhost: Vhost) -> str:
    """Over TLS where it has both: a certificate has an end that someone should know."""
    for listen in sorted(vhost.listens, key=lambda listen: listen not in vhost.tls_listens):
        host, _, port = listen.rpartition(":")
        if not listen.startswith("unix:") and port.isdecimal():
            tls = listen in vhost.tls_listens
            host = "127.0.0.1" if host in ("*", "0.0.0.0", "") else host.replace("[::]", "[::1]")  # noqa: S104
            return f"{'https' if tls else 'http'}://{host}:{port}/"
    return ""


def _ping(pool: Pool) -> Proposal:
    config = Probe(height="fpm", fastcgi=Fastcgi(address=pool.listen, ping_path=pool.ping_path, expect=""))
    return Proposal(f"PHP-FPM pool {pool.name} ({pool.file}) answers {pool.ping_path} on {pool.listen}", config)


def accepts(samples: Iterable[Sample]) -> bool:
    """Discovery keeps a check that succeeds once: a vhost that never did is not news."""
    return any(sample.family is SUCCESS and sample.value == 1 for sample in samples)
