"""Every collector by name. Modules are imported when asked for, so that what is not used costs nothing."""

from importlib import import_module

from collectors.model import Collector

MODULES = {
    "host": "collectors.host",
    "nginx": "collectors.nginx",
    "apache": "collectors.apache",
    "phpfpm": "collectors.phpfpm",
    "mysql": "collectors.mysql",
    "postgres": "collectors.postgres",
    "redis": "collectors.redis",
    "memcached": "collectors.memcached",
    "varnish": "collectors.varnish",
    "solr": "collectors.solr",
    "mail": "collectors.mail",
    "probe": "collectors.probe",
    "weblog": "collectors.weblog",
    "drupal": "collectors.drupal",
    "security": "collectors.security",
}


def collector(name: str) -> Collector:
    """KeyError for a name that is not in MODULES."""
    found: Collector = import_module(MODULES[name]).COLLECTOR
    return found


def collectors() -> tuple[Collector, ...]:
    return tuple(collector(name) for name in MODULES)
