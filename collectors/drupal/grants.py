"""The least that an account needs, as the statements that grant it.

Source: https://mariadb.com/kb/en/grant/ https://www.postgresql.org/docs/current/sql-grant.html
"""

from collectors.drupal.account import Account

STATE = ("system.cron_last", "system.maintenance_mode", "install_time", "update.last_check",
         "system.css_js_query_string", "asset.css_js_query_string")  # fmt: skip
VARIABLES = (
    "cron_last", "maintenance_mode", "install_time", "update_last_check", "install_profile", "cache", "error_level",
    "page_cache_maximum_age", "preprocess_css", "preprocess_js", "user_admin_role",
    "css_js_query_string",
)  # fmt: skip
COMMON = {
    "watchdog": "wid, type, message, variables, severity, location, hostname, timestamp",
    "queue": "item_id, name, expire, created",
    "semaphore": "name, expire",
    "sessions": "uid, timestamp",
    "flood": "event, identifier, timestamp, expiration",
    "batch": "bid, timestamp",
    "file_managed": "status, {changed}",
    "search_dataset": "sid, type, reindex",
}
SEVEN = {
    "users": "uid, status, access, created",
    "users_roles": "uid, rid",
    "role": "rid, name",
    "role_permission": "rid, permission",
    "system": "type, status, name, schema_version, filename, info",
    "cache_update": "cid, data, expire",
    "node": "nid, type, status, changed",
    "comment": "status",
}
LATER = {
    "users_field_data": "uid, default_langcode, status, access, created",
    "user__roles": "entity_id, roles_target_id",
    "cachetags": "tag, invalidations",
    "cache_container": "cid, created",
    "node": "nid",
    "node_field_data": "type, status, changed, default_langcode",
    "comment_field_data": "status, default_langcode",
    "content_moderation_state_field_data": "workflow, moderation_state, default_langcode",
}


def statements(account: Account, seven: bool) -> str:
    """To be run by an administrator of the database; tables that are not there yet are left out until they are."""
    columns = {**COMMON, **(SEVEN if seven else LATER)}
    columns["file_managed"] = columns["file_managed"].replace("{changed}", "timestamp" if seven else "changed")
    if account.driver == "mysql":
        return _mysql(account, columns, seven)
    return _pgsql(account, columns, seven)


def _mysql(account: Account, columns: dict[str, str], seven: bool) -> str:
    database = account.database
    local = account.socket or account.address in ("127.0.0.1", "::1", "localhost")
    who = "raingauge@localhost" if local else "raingauge@'%'"
    lines = [f"CREATE USER IF NOT EXISTS {who} IDENTIFIED BY '...';"]
    for name, text in _views(account, seven).items():
        lines += [f"CREATE OR REPLACE VIEW `{database}`.`{name}` AS {text};"]
        lines += [f"GRANT SELECT ON `{database}`.`{name}` TO {who};"]
    lines += [
        f"GRANT SELECT ({names}) ON `{database}`.`{account.prefix(table)}{table}` TO {who};"
        for table, names in columns.items()
    ]
    lines += ["-- and one column of each cache table whose size is to be known, such as"]
    cache = f"{account.prefix('cache_render')}cache_{'page' if seven else 'render'}"
    lines += [f"GRANT SELECT (cid) ON `{database}`.`{cache}` TO {who};"]
    if not seven:
        config = f"`{database}`.`{account.prefix('config')}config`"
        lines += ["-- and for drift all of the configuration, in which there may be passwords of other services:"]
        lines += [f"-- GRANT SELECT (collection, name, data) ON {config} TO {who};"]
    return "\n".join(lines)


def _pgsql(account: Account, columns: dict[str, str], seven: bool) -> str:
    lines = ["CREATE ROLE raingauge LOGIN PASSWORD '...';"]
    lines += [f"GRANT USAGE ON SCHEMA {account.schema or 'public'} TO raingauge;"]
    for name, text in _views(account, seven).items():
        lines += [f"CREATE OR REPLACE VIEW {name} AS {text};", f"GRANT SELECT ON {name} TO raingauge;"]
    for table, names in columns.items():
        lines += [f"GRANT SELECT ({names}) ON {account.prefix(table)}{table} TO raingauge;"]
    if not seven:
        lines += ["-- and for drift all of the configuration, in which there may be passwords of other services:"]
        lines += [f"-- GRANT SELECT (collection, name, data) ON {account.prefix('config')}config TO raingauge;"]
    return "\n".join(lines)


def _views(account: Account, seven: bool) -> dict[str, str]:
    """Whole tables of settings also hold keys and passwords."""
    quote = "`" if account.driver == "mysql" else '"'

    def table(name: str) -> str:
        database = f"{quote}{account.database}{quote}." if account.driver == "mysql" else ""
        return f"{database}{quote}{account.prefix(name)}{name}{quote}"

    def listed(names: tuple[str, ...]) -> str:
        return ", ".join(f"'{name}'" for name in names)

    def named(name: str) -> str:
        return f"{account.prefix(name)}{name}"

    state = named("raingauge_state")
    if seven:
        return {state: f"SELECT name, value FROM {table('variable')} WHERE name IN ({listed(VARIABLES)})"}
    return {
        state: f"SELECT collection, name, value FROM {table('key_value')}"
        f" WHERE collection IN ('system.schema', 'post_update')"
        f" OR (collection = 'state' AND name IN ({listed(STATE)}))",
        named("raingauge_config_hashes"): f"SELECT name, MD5(data) AS hash FROM {table('config')}"
        " WHERE collection = ''",
        named("raingauge_expire"): f"SELECT collection, name, value, expire FROM {table('key_value_expire')}"
        " WHERE collection IN ('update', 'update_available_releases')"
        " OR (collection = 'system' AND name = 'advisories_response')",
        named("raingauge_config"): f"SELECT collection, name, data FROM {table('config')}"
        " WHERE collection = '' AND (name LIKE 'user.role.%' OR name LIKE 'filter.format.%'"
        " OR name IN ('core.extension', 'system.cron',"
        " 'system.logging', 'system.performance'))",
    }
