"""Charts of the other servers of each layer: Apache, PostgreSQL, Memcached, Varnish."""

from dashboard.charts.model import Chart, Curve, Limit

APACHE_REQUESTS = Chart(
    "apache-requests", "Apache requests", "per second", "per_second", "apache", "status",
    (Curve("requests", "sum by (instance) (rate(apache_accesses_total[$__rate_interval]))"),),
    kind="area", each=("instance",),
)  # fmt: skip
APACHE_WORKERS = Chart(
    "apache-workers", "Apache workers", "", "count", "apache", "status",
    (
        Curve("busy", 'sum by (instance) (apache_workers{state="busy"})', tone=3),
        Curve("idle", 'sum by (instance) (apache_workers{state="idle"})', tone=5),
    ),
    kind="area", each=("instance",),
)  # fmt: skip
POSTGRES_TRANSACTIONS = Chart(
    "postgres-transactions", "PostgreSQL transactions", "per second", "per_second", "postgres", "status",
    (
        Curve("committed", "sum by (instance) (rate(pg_stat_database_xact_commit[$__rate_interval]))"),
        Curve("rolled back", "sum by (instance) (rate(pg_stat_database_xact_rollback[$__rate_interval]))",
              dotted=True, tone=4),
    ),
    kind="area", each=("instance",),
)  # fmt: skip
POSTGRES_CONNECTIONS = Chart(
    "postgres-connections", "PostgreSQL connections", "open now", "count", "postgres", "status",
    (Curve("open", "sum by (instance) (pg_stat_database_numbackends)", tone=3),),
    kind="area", limits=(Limit("limit", "max by (instance) (pg_settings_max_connections)"),), each=("instance",),
)  # fmt: skip
_GETS = 'sum by (instance) (rate(memcached_commands_total{command="get"}[$__rate_interval]))'
_GOT = 'sum by (instance) (rate(memcached_commands_total{command="get",status="hit"}[$__rate_interval]))'
MEMCACHED_HITS = Chart(
    "memcached-hits", "Memcached hit rate", "share of lookups", "ratio", "memcached", "stats",
    (Curve("hits", f"{_GOT} / {_GETS}"),),
    idle="No lookups in this time.", each=("instance",),
)  # fmt: skip
MEMCACHED_MEMORY = Chart(
    "memcached-memory", "Memcached memory", "", "bytes", "memcached", "stats",
    (Curve("used", "max by (instance) (memcached_current_bytes)"),),
    kind="area", limits=(Limit("limit", "max by (instance) (memcached_limit_bytes)"),), each=("instance",),
)  # fmt: skip
VARNISH_REQUESTS = Chart(
    "varnish-requests", "Varnish requests", "per second", "per_second", "varnish", "counters",
    (
        Curve("all", "sum by (instance) (rate(varnish_main_client_req[$__rate_interval]))"),
        Curve("backend", "sum by (instance) (rate(varnish_main_backend_req[$__rate_interval]))", tone=2),
    ),
    kind="area", each=("instance",),
)  # fmt: skip
_FOUND = "sum by (instance) (rate(varnish_main_cache_hit[$__rate_interval]))"
VARNISH_HITS = Chart(
    "varnish-hits", "Varnish hit rate", "share of lookups", "ratio", "varnish", "counters",
    (
        Curve(
            "hits",
            f"{_FOUND} / ({_FOUND} + sum by (instance) (rate(varnish_main_cache_miss[$__rate_interval])))",
        ),
    ),
    idle="No lookups in this time.", each=("instance",),
)  # fmt: skip
