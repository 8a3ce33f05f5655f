"""nginx configuration text -> vhosts."""

from collections.abc import Mapping

from collectors.inventory.model import Vhost


def nginx_vhosts(texts: Mapping[str, str], main: str) -> tuple[Vhost, ...]:
    return ()
