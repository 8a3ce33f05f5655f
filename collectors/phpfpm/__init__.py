"""PHP-FPM: one target a pool, from its status page, its processes, the kernel's view of its socket, and its logs.

Source: https://www.php.net/manual/en/install.fpm.configuration.php
"""

from collectors.model import Collector, Part
from collectors.phpfpm import memory, opcache, outbound, pool, status
from collectors.phpfpm.config import Phpfpm, instance
from collectors.phpfpm.discovery import discover
from collectors.phpfpm.logs import FOLLOWERS

COLLECTOR = Collector(
    "phpfpm",
    "phpfpm",
    Phpfpm,
    parts=(
        Part("status", status.FAMILIES, status.read, status.parse),
        Part("pool", pool.FAMILIES, pool.read, pool.parse),
        Part("outbound", outbound.FAMILIES, outbound.read, outbound.parse),
        Part("memory", memory.FAMILIES, memory.read, memory.parse, interval=60),
        Part("opcache", opcache.FAMILIES, opcache.read, opcache.parse, interval=30),
    ),
    followers=FOLLOWERS,
    instance=instance,
    discover=discover,
    of_read=status.of_read,
    read_families=(status.SCRAPE_FAILURES,),
    up=lambda config, value: status.UP(value, config.pool, config.scrape_uri),
    grants="`pm.status_path` in the pool's file, and the right to connect to its socket. For OPcache and APCu the "
    "script of `raingauge php-probe`, see docs/php.md. For the logs the right to read them, such as the group adm.",
)
