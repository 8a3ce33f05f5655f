"""PHP-FPM configuration text -> pools."""

from collections.abc import Mapping

from collectors.inventory.model import Pool


def fpm_pools(texts: Mapping[str, str], main: str) -> tuple[Pool, ...]:
    return ()
