"""The catalogue of charts, and which of them each page shows."""

from dashboard.charts.around import (
    ATTACKS,
    CACHE_LADDER,
    CERTIFICATES,
    HEARTBEATS,
    LOGINS,
    MAIL_QUEUE,
    OUTBOUND,
    SLOW_PHP,
    SOLR_HEAP,
    SOLR_REQUESTS,
    SOLR_TIMES,
    SSH,
)
from dashboard.charts.host import (
    CPU,
    DISK,
    DISK_BUSY,
    DISK_REQUESTS,
    GROUP_CPU,
    GROUP_MEMORY,
    LOAD,
    MEMORY,
    NETWORK,
    NETWORK_FAULTS,
    PRESSURE,
    SPACE,
    SWAP,
    SWITCHES,
    TASKS,
)
from dashboard.charts.model import MOST_LINES, RATE_INTERVAL, Chart, Curve, Limit
from dashboard.charts.objectives import BUDGET_LEFT, BURN_RATE, GOOD
from dashboard.charts.others import (
    APACHE_REQUESTS,
    APACHE_WORKERS,
    MEMCACHED_HITS,
    MEMCACHED_MEMORY,
    POSTGRES_CONNECTIONS,
    POSTGRES_TRANSACTIONS,
    VARNISH_HITS,
    VARNISH_REQUESTS,
)
from dashboard.charts.services import (
    CACHE_HITS,
    CACHE_MEMORY,
    CHECKS,
    DATABASE_CONNECTIONS,
    DATABASE_QUERIES,
    PHP_WORKERS,
    REQUESTS,
    WEB_CONNECTIONS,
)
from dashboard.charts.sites import (
    ANSWERS,
    DRUPAL_CRON,
    DRUPAL_ERRORS,
    DRUPAL_QUEUES,
    SITE_ANSWERS,
    SITE_CRON,
    SITE_ERRORS,
    SITE_QUEUES,
    SITE_REQUESTS,
    SITE_TIMES,
    TIMES,
    of_site,
)

__all__ = ["MOST_LINES", "RATE_INTERVAL", "Chart", "Curve", "Limit", "of_site"]

OVERVIEW = (
    TIMES, ANSWERS, PHP_WORKERS, DATABASE_QUERIES, CACHE_HITS, CHECKS, REQUESTS, CPU, MEMORY, DISK, NETWORK
)  # fmt: skip
"""What tells most first: the first few that have something to show are shown."""
HOST: tuple[tuple[str, tuple[Chart, ...]], ...] = (
    ("Processor", (CPU, LOAD, GROUP_CPU, PRESSURE, TASKS, SWITCHES)),
    ("Memory", (MEMORY, SWAP, GROUP_MEMORY)),
    ("Disks", (SPACE, DISK, DISK_REQUESTS, DISK_BUSY)),
    ("Network", (NETWORK, NETWORK_FAULTS)),
)
TRENDS: tuple[tuple[str, tuple[Chart, ...]], ...] = (
    ("Web", (ANSWERS, TIMES, REQUESTS, APACHE_REQUESTS, WEB_CONNECTIONS, APACHE_WORKERS)),
    ("PHP", (PHP_WORKERS, SLOW_PHP, OUTBOUND)),
    ("Database", (DATABASE_QUERIES, POSTGRES_TRANSACTIONS, DATABASE_CONNECTIONS, POSTGRES_CONNECTIONS)),
    (
        "Cache",
        (CACHE_LADDER, CACHE_HITS, VARNISH_HITS, MEMCACHED_HITS, CACHE_MEMORY, MEMCACHED_MEMORY, VARNISH_REQUESTS),
    ),
    ("Drupal", (DRUPAL_CRON, DRUPAL_ERRORS, DRUPAL_QUEUES)),
    ("Search", (SOLR_TIMES, SOLR_REQUESTS, SOLR_HEAP)),
    ("Mail", (MAIL_QUEUE,)),
    ("Checks", (CHECKS, CERTIFICATES, HEARTBEATS)),
    ("Security", (ATTACKS, LOGINS, SSH)),
    ("SLOs", (BUDGET_LEFT, BURN_RATE)),
    ("Host", (CPU, MEMORY, PRESSURE, SPACE, DISK, NETWORK)),
)
"""By layer, what tells most first: where there are many, the last ones are folded away."""
SITE = (SITE_REQUESTS, SITE_ANSWERS, SITE_TIMES, SITE_CRON, SITE_QUEUES, SITE_ERRORS)
"""Each asks with `$site` for the site's name."""
SLO = (BUDGET_LEFT, BURN_RATE, GOOD)
CHARTS = tuple(dict.fromkeys(
    [*OVERVIEW, *(chart for group in (HOST, TRENDS) for _, charts in group for chart in charts), *SITE, *SLO]
))  # fmt: skip
