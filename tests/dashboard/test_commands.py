"""Whether an offered command changes something: every one that we ship is judged, and no doubt is taken for safety."""

import pytest

from alerts.incidents.catalogue import signatures
from dashboard.commands import only_reads

CHANGES = (
    "systemctl restart php8.2-fpm", "systemctl status nginx; systemctl restart nginx",
    "df -h && rm -rf /var/cache",
    "KILL 17", "drush cache:rebuild", "drush sql:query 'DELETE FROM watchdog'", "redis-cli FLUSHALL",
    "echo 1 > /proc/x",
    "find /tmp -delete", "SELECT 1; DROP TABLE users", "ps aux | xargs kill", "tail -n 1 x > /etc/passwd", "", "make",
    "cat $(which reboot)",
)  # fmt: skip
READS = (
    "SHOW FULL PROCESSLIST", "systemctl status 'php*-fpm'", "df -h; du -xh /var --max-depth=2 | sort -h | tail -20",
    "raingauge query php_fpm_outbound_connections",
    "tail -n 40 /var/log/php*-fpm-slow.log", "journalctl -u nginx -n 50",
    "ss -tnp state established '( dport = :443 )' | grep php-fpm", "redis-cli INFO memory",
    "grep -c 'a > b' /var/log/syslog",
)  # fmt: skip


@pytest.mark.parametrize("command", CHANGES)
def test_what_may_change_something_is_not_called_harmless(command: str) -> None:
    assert not only_reads(command)


@pytest.mark.parametrize("command", READS)
def test_what_only_reads_is(command: str) -> None:
    assert only_reads(command)


def test_signatures_offer_what_only_reads() -> None:
    assert {each.command for each in signatures() if not only_reads(each.command)} <= {"drush image:flush --help"}
