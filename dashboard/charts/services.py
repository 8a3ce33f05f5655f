"""Charts of what serves the sites: web server, PHP, database, cache, checks."""

from dashboard.charts.model import Chart, Curve, Limit

REQUESTS = Chart(
    "requests", "Requests", "per second, of nginx", "per_second", "nginx", "status",
    (Curve("requests", "sum by (instance) (rate(nginx_http_requests_total[$__rate_interval]))"),),
    kind="area", each=("instance",),
)  # fmt: skip
WEB_CONNECTIONS = Chart(
    "web-connections", "Web connections", "open now", "count", "nginx", "status",
    (
        Curve("all", "sum by (instance) (nginx_connections_active)"),
        Curve("serving", "sum by (instance) (nginx_connections_writing)", tone=2),
    ),
    kind="area", each=("instance",),
)  # fmt: skip
# The status page knows more, and the kernel's view remains where a pool has no status page.
PHP_WORKERS = Chart(
    "php-workers", "PHP workers", "", "count", "phpfpm", "pool",
    (
        Curve(
            "busy",
            "max by (instance, pool) (phpfpm_active_processes) or max by (instance, pool) (php_fpm_pool_workers_busy)",
            tone=3,
        ),
        Curve("idle", "max by (instance, pool) (phpfpm_idle_processes)", tone=5),
        Curve(
            "queue",
            "max by (instance, pool) (phpfpm_listen_queue) or max by (instance, pool) (php_fpm_pool_accept_queue)",
            dotted=True, tone=4,
        ),
    ),
    kind="area", limits=(Limit("limit", "max by (instance, pool) (php_fpm_pool_max_children)"),),
    each=("instance", "pool"),
)  # fmt: skip
DATABASE_QUERIES = Chart(
    "database-queries", "Database queries", "per second", "per_second", "mysql", "status",
    (
        Curve("all", "sum by (instance) (rate(mysql_global_status_queries[$__rate_interval]))"),
        Curve("slow", "sum by (instance) (rate(mysql_global_status_slow_queries[$__rate_interval]))", dotted=True,
              tone=4),
    ),
    kind="area", each=("instance",),
)  # fmt: skip
DATABASE_CONNECTIONS = Chart(
    "database-connections", "Database connections", "open now", "count", "mysql", "status",
    (
        Curve("open", "max by (instance) (mysql_global_status_threads_connected)", tone=3),
        Curve("running", "max by (instance) (mysql_global_status_threads_running)", tone=2),
    ),
    kind="area", limits=(Limit("limit", "max by (instance) (mysql_global_variables_max_connections)"),),
    each=("instance",),
)  # fmt: skip
CACHE_HITS = Chart(
    "cache-hits", "Cache hit rate", "share of lookups", "ratio", "redis", "info",
    (
        Curve(
            "hits",
            "sum by (instance) (rate(redis_keyspace_hits_total[$__rate_interval]))"
            " / (sum by (instance) (rate(redis_keyspace_hits_total[$__rate_interval]))"
            " + sum by (instance) (rate(redis_keyspace_misses_total[$__rate_interval])))",
        ),
    ),
    idle="No lookups in this time.", each=("instance",),
)  # fmt: skip
CACHE_MEMORY = Chart(
    "cache-memory", "Cache memory", "", "bytes", "redis", "info",
    (Curve("used", "max by (instance) (redis_memory_used_bytes)"),),
    kind="area", limits=(Limit("limit", "max by (instance) (redis_memory_max_bytes) > 0"),),
    each=("instance",),
)  # fmt: skip
CHECKS = Chart(
    "checks", "Checks", "time to the whole answer", "seconds", "blackbox", "check",
    (Curve("{instance}", "max by (instance) (probe_duration_seconds)"),),
)  # fmt: skip
