"""Whether a command that is offered may do harm: what a tired person wants to know before Enter. Pure."""

import re

READS = re.compile(
    r"(sudo (-u \S+ )?)?("
    r"systemctl (status|list-\S+|show|is-\S+)|journalctl|df|du|tail|head|cat|grep|awk|sort|uniq|ss|ps|top|free|uptime"
    r"|iostat|vmstat|dmesg|ls|last|dig|ping|lsof|curl -\S*I\S*|redis-cli (INFO|SLOWLOG|MEMORY|--bigkeys|--latency)"
    r"|mysqladmin \S*processlist|raingauge (query|runbook|why|targets|incidents|alerts)|varnishstat|varnishlog"
    r"|nginx -[tT]|php-fpm\S* -t|drush (status|core:status|core:requirements|watchdog:show|config:get|state:get"
    r"|queue:list|updatedb:status|pm:list|pm:security|search:status)"
    r"|drush sql:query ['\"]?\s*SELECT|SHOW|SELECT|EXPLAIN"
    r")\b.*",
    re.IGNORECASE | re.DOTALL,
)
_PARTS = re.compile(r"\s*(?:;|\|\||&&|\|)\s*(?=(?:[^'\"]|'[^']*'|\"[^\"]*\")*$)")
_WRITES = re.compile(r"(^|[^>&\d])>{1,2}(?!\s*/dev/null|&)|\bkill\b|\bxargs\b|-delete\b|\$\(", re.IGNORECASE)


def only_reads(command: str) -> bool:
    """Whether it certainly changes nothing; False also where that is not known."""
    if not command.strip() or _WRITES.search(re.sub(r"'[^']*'|\"[^\"]*\"", "", command)):
        return False
    return all(READS.fullmatch(part) for part in _PARTS.split(command.strip()))
