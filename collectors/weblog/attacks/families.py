"""What is told of attacks: counters and the severity of each class."""

from collections.abc import Iterable

from collectors.model import Counter, Sample, Severity, State
from collectors.weblog.attacks.outcome import OUTCOMES

CLASSES: dict[str, Severity] = {
    "bruteforce": "warning",
    "bruteforce_then_success": "critical",
    "command": "critical",
    "drupal_exploit": "critical",
    "flood": "info",
    "inclusion": "critical",
    "jndi": "critical",
    "php_object": "critical",
    "probe": "info",
    "scanner": "info",
    "sensitive_file": "critical",
    "setup": "warning",
    "spam": "info",
    "sqli": "warning",
    "ssrf": "warning",
    "template": "critical",
    "traversal": "critical",
    "user_enum": "warning",
    "webshell": "critical",
    "xss": "warning",
}
"""Class -> severity of a suspected success. That an SQL statement broke does not say that more happened."""
WORDS = {
    "bruteforce": "password guessing",
    "bruteforce_then_success": "login after password guessing",
    "command": "command injection",
    "drupal_exploit": "exploit of a known Drupal flaw",
    "flood": "flood of requests",
    "inclusion": "file inclusion",
    "jndi": "Log4Shell (JNDI lookup)",
    "php_object": "PHP object injection",
    "probe": "search for weak spots",
    "scanner": "scanning tool",
    "sensitive_file": "search for secret files",
    "setup": "search for open installers",
    "spam": "spam",
    "sqli": "SQL injection",
    "ssrf": "server-side request forgery",
    "template": "template injection",
    "traversal": "path traversal",
    "user_enum": "search for account names",
    "webshell": "web shell",
    "xss": "cross-site scripting",
}
"""Class -> what people call it."""
LOGINS = ("succeeded", "failed", "blocked")
REQUESTS = Counter(
    "security_requests_total",
    "Requests that look like an attack by class; outcome is attempt, blocked or success_suspected.",
    ("site", "class", "outcome"),
    bounds={"class": len(CLASSES), "outcome": len(OUTCOMES)},
)
LOGIN_RESULTS = Counter(
    "security_logins_total",
    "Logins to Drupal by what it answered: succeeded, failed, or blocked by its flood control.",
    ("site", "result"),
    bounds={"result": len(LOGINS)},
)
EVICTED = Counter("security_keys_evicted_total", "Sources that were forgotten before their time, to make room.")
FAMILIES = (REQUESTS, LOGIN_RESULTS, EVICTED)
COUNTS, KEYS, RATES = "attacks ", "attack keys", "attack rates"
"""What the state's keys begin with that hold a site's counts, and the keys of what is known of sources."""


def samples(state: State) -> Iterable[Sample]:
    """Each class of each site, so that the first attack is an increase."""
    for key, counts in state.items():
        if not key.startswith(COUNTS):
            continue
        site = key.removeprefix(COUNTS)
        for found in CLASSES:
            for outcome in OUTCOMES:
                yield REQUESTS(counts.get(f"{found} {outcome}", 0), site, found, outcome)
        for result in LOGINS:
            yield LOGIN_RESULTS(counts.get(f"login {result}", 0), site, result)
    if KEYS in state:
        yield EVICTED(state[KEYS]["evicted"])
