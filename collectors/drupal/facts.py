"""What the site is and how it is set: version, modules, what keeps its caches, settings that matter.

Source: https://api.drupal.org/api/drupal/core%21lib%21Drupal%21Core%21Extension%21ExtensionList.php/11
"""

from collections.abc import Iterable
from typing import Any

from collectors.config import Secret
from collectors.drupal.php_values import Value, unserialize
from collectors.drupal.site import Site
from collectors.errors import ParseError
from collectors.inventory.backends import backends
from collectors.inventory.php.memory import Dynamic
from collectors.model import Gauge, Sample

INFO = Gauge("drupal_info", "1; what the site runs is its labels.", ("version", "profile", "database"))
BACKEND = Gauge("drupal_backend_info", "1; what keeps the site's caches, locks and the like.", ("subsystem", "backend"))
EXTENSIONS = Gauge("drupal_extensions_enabled", "Modules and themes that are on.", ("type",))
SETTING = Gauge("drupal_setting_enabled", "Whether something that most live sites want is so, 1 or 0.", ("setting",))
MAX_AGE = Gauge("drupal_page_cache_max_age_seconds", "For how long browsers and proxies may keep a page.")
FAMILIES = (INFO, BACKEND, EXTENSIONS, SETTING, MAX_AGE)

CONFIGS = ("core.extension", "system.performance", "system.logging")
VARIABLES = (
    "install_profile", "cache", "page_cache_maximum_age", "preprocess_css", "preprocess_js", "error_level",
)  # fmt: skip


def read(site: Site) -> dict[str, Any]:
    rows = site.tables.rows
    if site.seven:
        marks = ", ".join(["%s"] * len(VARIABLES))
        stored = rows(f"SELECT name, value FROM {{variable}} WHERE name IN ({marks})", VARIABLES, (1,))
        extensions = rows("SELECT type, COUNT(*) FROM {system} WHERE status = 1 GROUP BY type")
    else:
        where = "WHERE collection = '' AND name IN (%s, %s, %s)"
        stored = rows(f"SELECT name, data FROM {{config}} {where}", CONFIGS, (1,))
        extensions = []
    return {
        "version": site.version or ("7" if site.seven else ""),
        "seven": site.seven,
        "database": site.tables.account.driver,
        "backends": backends(site.settings),
        "stored": stored,
        "extensions": extensions,
        "overridden": _overridden(site),
        "said": _said(site),
    }


def _overridden(site: Site) -> dict[str, Any]:
    """What settings.php says beats what the database says."""
    wanted = (*CONFIGS[1:],) if not site.seven else VARIABLES
    found = {name: site.settings.get("conf" if site.seven else "config", name) for name in wanted}
    return {name: _plain(value) for name, value in found.items() if value is not None}


def _plain(value: Value) -> Any:
    """Strings that we do not tell, and what only PHP knows, are None."""
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    return None if isinstance(value, Secret | Dynamic) else value


def _said(site: Site) -> dict[str, bool]:
    """Of settings.php alone; what is not certain is left out."""
    if not site.settings.variables:
        return {}
    salt = site.settings.get("drupal_hash_salt") if site.seven else site.settings.get("settings", "hash_salt")
    hosts = site.settings.get("settings", "trusted_host_patterns")
    found: dict[str, Any] = {"hash_salt": salt}
    if not site.seven:
        found["trusted_host_patterns"] = hosts
    told = {name: bool(value) for name, value in found.items() if not isinstance(value, Dynamic)}
    free = (
        site.settings.get("update_free_access") if site.seven else site.settings.get("settings", "update_free_access")
    )
    return told if isinstance(free, Dynamic) else {**told, "update_access_checked": not free}


def parse(payload: dict[str, Any]) -> Iterable[Sample]:
    stored = {name: unserialize(_bytes(value)) for name, value in payload["stored"]}
    profile = _text(stored.get("install_profile")) if payload["seven"] else _of(stored, "core.extension", "profile")
    yield INFO(1, payload["version"], _text(profile), payload["database"])
    for subsystem, backend in payload["backends"].items():
        yield BACKEND(1, subsystem, backend)
    for setting, value in payload["said"].items():
        yield SETTING(int(value), setting)
    if payload["seven"]:
        yield from _seven({**stored, **payload["overridden"]}, payload["extensions"])
    else:
        yield from _later(stored, payload["overridden"])


def _bytes(value: str) -> bytes:
    try:
        return value.encode("latin-1")
    except UnicodeEncodeError as error:
        raise ParseError("expected one character a byte") from error


def _text(value: Value) -> str:
    return value if isinstance(value, str) else ""


def _of(configs: Value, *path: str) -> Value:
    for key in path:
        configs = configs.get(key) if isinstance(configs, dict) else None
    return configs


def _seven(variables: dict[str, Value], extensions: list[list[Any]]) -> Iterable[Sample]:
    for kind, count in extensions:
        if kind in ("module", "theme"):
            yield EXTENSIONS(count, kind)
    yield SETTING(int(bool(variables.get("cache"))), "page_cache")
    for name in ("css", "js"):
        yield SETTING(int(bool(variables.get(f"preprocess_{name}"))), f"{name}_aggregation")
    yield SETTING(int(str(variables.get("error_level", 2)) == "0"), "errors_hidden")
    yield from _age(variables.get("page_cache_maximum_age", 0))


def _later(stored: dict[str, Value], overridden: dict[str, Value]) -> Iterable[Sample]:
    modules = _of(stored, "core.extension", "module")
    for kind in ("module", "theme"):
        extensions = _of(stored, "core.extension", kind)
        if isinstance(extensions, dict):
            yield EXTENSIONS(len(extensions), kind)
    if isinstance(modules, dict):
        for name in ("page_cache", "dynamic_page_cache"):
            yield SETTING(int(name in modules), name)

    def setting(*path: str) -> Value:
        ours = _of(overridden, *path)
        return _of(stored, *path) if ours is None else ours

    if "system.performance" in stored:
        for name in ("css", "js"):
            yield SETTING(int(bool(setting("system.performance", name, "preprocess"))), f"{name}_aggregation")
        yield from _age(setting("system.performance", "cache", "page", "max_age"))
    if "system.logging" in stored:
        yield SETTING(int(setting("system.logging", "error_level") == "hide"), "errors_hidden")


def _age(value: Value) -> Iterable[Sample]:
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 12:
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        yield MAX_AGE(value)
