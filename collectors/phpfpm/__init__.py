"""PHP-FPM: one target a pool, from its status page, its processes and the kernel's view of its socket.

Source: https://www.php.net/manual/en/install.fpm.configuration.php
"""

from collectors.model import Collector, Part
from collectors.phpfpm import pool, status
from collectors.phpfpm.config import Phpfpm, instance
from collectors.phpfpm.discovery import discover

COLLECTOR = Collector(
    "phpfpm",
    "phpfpm",
    Phpfpm,
    parts=(
        Part("status", status.FAMILIES, status.read, status.parse),
        Part("pool", pool.FAMILIES, pool.read, pool.parse),
    ),
    instance=instance,
    discover=discover,
    up=lambda config, value: status.UP(value, config.pool, config.scrape_uri),
    grants="`pm.status_path` in the pool's file, and the right to connect to its socket.",
)
