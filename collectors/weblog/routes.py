"""A path -> the class of Drupal's routes that it belongs to, so that a site has few of them whatever is asked for.

No text of a path becomes a class but the first part of one that has answered: `alias/blog`, and few of those a site.
Source: https://www.drupal.org/docs/drupal-apis/routing-system
"""

import re
from urllib.parse import unquote, unquote_plus

from collectors.weblog.known import Known

ALIAS, ALIAS_OTHER, SECTION = "alias", "alias-other", "alias/"
OTHER, INVALID = "other", "invalid"
WHOLE = {
    "robots.txt": "robots.txt",
    "session/token": "session/token",
    "rest/session/token": "session/token",
    "views/ajax": "views/ajax",
}
SCRIPTS = {
    "core/install.php": "install.php",
    "install.php": "install.php",
    "update.php": "update.php",
    "core/cron.php": "cron",
    "cron.php": "cron",
    "statistics.php": "history",
    "core/modules/statistics/statistics.php": "history",
}
FIRST = {
    "_batch": "batch",
    ".well-known": "system/*",
    "autocomplete": "autocomplete",
    "batch": "batch",
    "big_pipe": "big_pipe",
    "block": "block",
    "block-category": "autocomplete",
    "cart": "cart",
    "checkout": "checkout",
    "ckeditor5": "editor",
    "comment": "comment",
    "comments": "history",
    "contact": "contact",
    "contextual": "contextual",
    "core": "assets",
    "cron": "cron",
    "editor": "editor",
    "entity_reference_autocomplete": "autocomplete",
    "file": "system/*",
    "files": "files",
    "filter": "editor",
    "form": "webform",
    "graphql": "graphql",
    "history": "history",
    "jsonapi": "jsonapi/*",
    "layout_builder": "layout_builder",
    "libraries": "assets",
    "media": "media",
    "media-library": "media",
    "misc": "assets",
    "modules": "assets",
    "profiles": "assets",
    "quickedit": "contextual",
    "search": "search",
    "search_api_autocomplete": "autocomplete",
    "sitemaps": "sitemap",
    "system": "system/*",
    "themes": "assets",
    "toolbar": "contextual",
    "update.php": "update.php",
    "upgrade": "update.php",
    "webform": "webform",
}
ADMIN = ("appearance", "config", "content", "modules", "people", "reports", "structure")
USER = {"login": "user/login", "logout": "user/logout", "register": "user/register", "password": "user/password",
        "reset": "user/password", "login_status": "user/login", "edit": "user/{id}/edit"}  # fmt: skip
STATIC = re.compile(
    r".*\.(?:avif|bmp|css|csv|docx?|eot|gif|gz|ico|jpe?g|js|json|map|mjs|mp[34]|og[gv]|otf|pdf|png|pptx?|svg|tar|tgz|ttf"
    r"|txt|wasm|wav|web[mp]|webmanifest|woff2?|xlsx?|xml|zip)"
)
FEEDS = frozenset(("feed", "rss", "rss.xml", "feed.xml", "atom.xml", "atom"))
LANGUAGE = re.compile(
    r"(?:af|am|ar|ast|az|be|bg|bn|bo|br|bs|ca|cs|cy|da|de|dz|el|en|eo|es|et|eu|fa|fi|fil|fo|fr|fy|ga|gd|gl|gu|he|hi|hr|ht"
    r"|hu|hy|id|is|it|ja|jv|ka|kk|km|kn|ko|ku|ky|lo|lt|lv|mg|mi|mk|ml|mn|mr|ms|my|nb|ne|nl|nn|no|oc|pa|pl|pt|ro|ru|sc|se"
    r"|si|sk|sl|sq|sr|sv|sw|ta|te|th|ti|tr|ug|uk|ur|vi|xh|zh)(?:-[a-z0-9]{2,8})?"
)
SECTIONS = re.compile(r"(?=[a-z0-9_-]*[a-z])[a-z0-9][a-z0-9_-]{1,29}")
HASH = re.compile(r"[0-9a-f-]{12,}")
DRUPAL_7 = re.compile(r"(?:^|&)q=([^&]*)")
FORMAT = re.compile(r"(?:^|&)_format=[^&]")
TO_REST = {ALIAS, ALIAS_OTHER, "comment", "front", "media", "node", "node/{id}", "taxonomy/term/{id}", "user"}


def fold(path: str) -> str:
    """Of the path alone. A path with several parts that no route of core has is `alias/<first part>`."""
    if not path.startswith("/"):
        if "://" not in path[:10]:
            return OTHER if path == "*" else INVALID
        path = "/" + path.partition("://")[2].partition("/")[2]  # as it is asked of a proxy
    plain = unquote(path) if "%" in path else path
    parts = [part for part in plain.lower().split("/") if part][:8]
    if parts and parts[0] in ("index.php", "index.html"):
        parts = parts[1:]
    if parts and (len(parts[0]) < 4 or "-" in parts[0][:4]) and LANGUAGE.fullmatch(parts[0]):
        parts = parts[1:]
    return _of(parts)


def with_query(found: str, query: str) -> str:
    """The class of a path, knowing its query too."""
    if found == "front" and (asked := DRUPAL_7.search(query)):
        found = fold(f"/{unquote_plus(asked[1])}")
    if "_format=" in query and FORMAT.search(query) and (found in TO_REST or found.startswith(SECTION)):
        return "rest"
    return found


def _of(parts: list[str]) -> str:
    if not parts:
        return "front"
    first, last = parts[0], parts[-1]
    if last in FEEDS:
        return "feed"
    if last.endswith(".php"):
        return SCRIPTS.get("/".join(parts), "php")
    if first in ENTITIES:
        return ENTITIES[first](parts)
    return FIRST.get(first) or _unknown(parts)


def _unknown(parts: list[str]) -> str:
    """Hardly a route of core."""
    whole = "/".join(parts)
    if whole in WHOLE:
        return WHOLE[whole]
    if parts[0].startswith("sitemap"):
        return "sitemap"
    if parts[0].startswith("."):
        return "dotfile"
    return "static" if STATIC.fullmatch(parts[-1]) else _alias(parts)


def _alias(parts: list[str]) -> str:
    if len(parts) == 1:
        return ALIAS
    good = SECTIONS.fullmatch(parts[0]) and not HASH.fullmatch(parts[0])
    return f"{SECTION}{parts[0]}" if good else ALIAS_OTHER


def _admin(parts: list[str]) -> str:
    return f"admin/{parts[1]}" if len(parts) > 1 and parts[1] in ADMIN else "admin/*"


def _node(parts: list[str]) -> str:
    if len(parts) == 1 or parts[1] == "add":
        return "/".join(parts[:2])
    return "node/{id}" if len(parts) == 2 else "node/{id}/edit"


def _user(parts: list[str]) -> str:
    if len(parts) == 1:
        return "user"
    return USER.get(parts[1]) or ("user" if len(parts) == 2 else "user/{id}/edit")


def _taxonomy(parts: list[str]) -> str:
    return "taxonomy/term/{id}" if len(parts) <= 3 else "taxonomy/term/{id}/edit"


def _sites(parts: list[str]) -> str:
    """`sites/<site>/files/...`, and private files at `system/files/...`."""
    if "files" not in parts[1:3]:
        return "system/*" if parts[0] == "system" else "assets"
    below = parts[parts.index("files") + 1 :]
    if below[:1] in (["css"], ["js"], ["advagg_css"], ["advagg_js"]):
        return "files/aggregates"
    return "files/styles" if below[:1] == ["styles"] else "files"


ENTITIES = {"admin": _admin, "node": _node, "user": _user, "taxonomy": _taxonomy, "sites": _sites, "system": _sites}
BESIDE = (
    "dotfile", "feed", "files/aggregates", "files/styles", "front", "node", "node/add", "node/{id}", "node/{id}/edit",
    "php", "rest", "sitemap", "static", "taxonomy/term/{id}", "taxonomy/term/{id}/edit", "user",
    *(f"admin/{name}" for name in (*ADMIN, "*")), ALIAS, ALIAS_OTHER, OTHER, INVALID,
)  # fmt: skip
CLASSES = tuple(sorted({*BESIDE, *WHOLE.values(), *SCRIPTS.values(), *FIRST.values(), *USER.values()}))
"""All but `alias/...`."""
FILES = frozenset(("assets", "files", "files/styles", "files/aggregates", "static", "robots.txt", "sitemap"))
"""Answered without Drupal, mostly."""
ROUTES = Known(fold)
