"""The questions that are asked at night, each answered in a sentence and the lines that prove it; "not known" is one.

A file a group of questions; each answer is made from one `Scope`, without a request or a clock.
"""

from collections.abc import Callable

from dashboard.answers import backend, reach, safety, site, traffic
from dashboard.answers.scope import Answer, Scope

QUESTIONS: tuple[Callable[[Scope], Answer], ...] = (
    reach.down, reach.where, backend.workers, backend.database, traffic.routes, traffic.visitors, site.caches,
    site.stalled, safety.exposed, safety.runs_out, safety.bed,
)  # fmt: skip
ORDER = ("crit", "warn", "none", "ok")


def answers(scope: Scope) -> tuple[Answer, ...]:
    """Those that tell of trouble first, otherwise as they are asked."""
    found = [question(scope) for question in QUESTIONS]
    return tuple(sorted(found, key=lambda answer: ORDER.index(answer.state)))
