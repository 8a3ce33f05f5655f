"""Charts of what stands around the sites: attempts at them, caches, checks and jobs, mail, search."""

from alerts.cache_ladder import NAMES
from collectors.weblog.attacks.families import WORDS
from dashboard.charts.model import Chart, Curve, Limit

ATTACKS = Chart(
    "attacks", "Attempts at sites", "requests per second, by kind", "per_second", "web", "requests",
    (Curve("{class}", "sum by (class) (rate(security_requests_total[$__rate_interval]))", called=WORDS),),
)  # fmt: skip
LOGINS = Chart(
    "logins", "Logins to sites", "per second", "per_second", "web", "requests",
    (Curve("{result}", "sum by (result) (rate(security_logins_total[$__rate_interval]))"),),
)  # fmt: skip
SSH = Chart(
    "ssh", "SSH logins", "in the hour before", "count", "security", "auth",
    (Curve("{result}", "sum by (result) (increase(security_ssh_auth_total[1h]))"),),
)  # fmt: skip
CACHE_LADDER = Chart(
    "cache-ladder", "Cache ladder", "hit rate of each cache, where it is worst", "ratio", "", "",
    (Curve("{cache}", "min by (cache) (site:cache_hit_ratio:rate10m)", called=NAMES),),
)  # fmt: skip
OUTBOUND = Chart(
    "outbound", "PHP waits elsewhere", "workers connected elsewhere, not to a database", "count", "phpfpm", "outbound",
    (Curve("{pool}", "max by (pool) (php_fpm_outbound_workers)"),),
)  # fmt: skip
SLOW_PHP = Chart(
    "slow-php", "Slow requests of PHP", "per second, by pool", "per_second", "phpfpm", "slowlog",
    (Curve("{pool}", "sum by (pool) (rate(php_slow_requests_total[$__rate_interval]))"),),
)  # fmt: skip
CERTIFICATES = Chart(
    "certificates", "Certificates", "time until the first of the server's ends", "seconds", "blackbox", "check",
    (Curve("{instance}", "min by (instance) (probe_ssl_earliest_cert_expiry) - time()"),),
    limits=(Limit("a fortnight", "vector(1209600)"),),
)  # fmt: skip
HEARTBEATS = Chart(
    "heartbeats", "Since a job's success", "by heartbeat", "seconds", "heartbeat", "pings",
    (Curve("{instance}", "time() - max by (instance) (heartbeat_last_success_timestamp_seconds)"),),
)  # fmt: skip
MAIL_QUEUE = Chart(
    "mail-queue", "Mail queue", "messages that wait", "count", "mail", "queue",
    (Curve("{queue}", "sum by (queue) (mail_queue_messages)"),),
)  # fmt: skip
_SEARCHES = "sum by (core) (rate(solr_core_requests_total[$__rate_interval]))"
SOLR_REQUESTS = Chart(
    "solr-requests", "Solr requests", "per second, by core", "per_second", "solr", "metrics",
    (Curve("{core}", _SEARCHES),),
)  # fmt: skip
SOLR_TIMES = Chart(
    "solr-times", "Time of Solr's answers", "mean, by core", "seconds", "solr", "metrics",
    (Curve("{core}", f"sum by (core) (rate(solr_core_request_seconds_total[$__rate_interval])) / {_SEARCHES}"),),
)  # fmt: skip
SOLR_HEAP = Chart(
    "solr-heap", "Solr memory", "heap", "bytes", "solr", "metrics",
    (Curve("used", "max by (instance) (solr_jvm_heap_used_bytes)"),),
    kind="area", limits=(Limit("limit", "max by (instance) (solr_jvm_heap_max_bytes)"),), each=("instance",),
)  # fmt: skip
