"""Are we compromised or exposed, what runs out next, and can one go back to bed."""

from collections.abc import Iterator

from alerts.incidents.model import Mover
from collectors.weblog.attacks.families import WORDS
from dashboard import sites, trouble, units
from dashboard.answers.scope import Answer, Scope
from dashboard.budgets import budgets
from dashboard.incident_cards import without_host
from dashboard.moments import span
from dashboard.mover_charts import is_it
from dashboard.running_out import running_out

MOST = 4
NOTHING = "Nothing within 90 days, as it went in the last hours."
BACK = 0.3
"""Share of the way from usual to moved within which a series counts as back."""


def exposed(scope: Scope) -> Answer:
    question = "Are we compromised or exposed?"
    events = scope.attacks
    likely = [each for each in events if each.severity == "critical"]
    waiting = [
        f"{one.name}: updates {sign.text}"
        for one in sites.readings(scope.source, scope.now)
        for sign in sites.signs(one)
        if sign.name == "Updates" and sign.state == "warn"
    ]
    lines = (*(each.title for each in events[:MOST]), *waiting[:MOST])
    watched = any(status.target.job in ("security", "web") for status in scope.targets)
    kinds = list(dict.fromkeys(_words(each.kind) for each in likely))
    if len(kinds) > 1:
        where = f" on {likely[0].site}" if likely[0].site else ""
        state, text = (
            "crit",
            f"Possibly compromised{where}: {', '.join(kinds[:-1])} and {kinds[-1]} may have succeeded.",
        )
    elif likely:
        state, text = "crit", f"Possibly compromised: {likely[0].title}."
    elif events or waiting:
        state, text = "warn", f"No sign of an intrusion; exposed: {(*waiting, *(each.title for each in events))[0]}."
    elif watched:
        state, text = "ok", "Nothing in the last day that needs a look, and no security update waits."
    else:
        state, text = "none", "Not known: neither logs nor files are watched for it."
    return Answer("exposed", question, state, text, lines, "/security", "Security, with the evidence")


def _words(kind: str) -> str:
    name = kind.removeprefix("security.")
    return WORDS.get(name, name.replace("_", " "))


def runs_out(scope: Scope) -> Answer:
    question = "What will run out next, and when?"
    found = running_out(scope.source, scope.now)
    lines = tuple(f"{each.what}: in {span(each.at - scope.now)}, {each.how}" for each in found[:MOST])
    if not found:
        return Answer(
            "runs-out",
            question,
            "ok",
            "Nothing within 90 days, as it went in the last hours.",
            (),
            "/host#runs-out",
            "Host",
        )
    text = f"{found[0].what}, in {span(found[0].at - scope.now)}."
    return Answer("runs-out", question, found[0].state, text, lines, "/host#runs-out", "With dates")


def bed(scope: Scope) -> Answer:
    """Who has it, whether it gets better, what is left of the budget, what cannot be seen."""
    moved = [_effect(scope, mover) for mover in scope.incident.movers]
    back = bool(moved) and all(moved_back for moved_back, _ in moved)
    lines = [scope.held[:1].upper() + scope.held[1:] if scope.held else "nobody has taken it yet"]
    lines += [line for _, line in moved]
    mine = [each for each in budgets(scope.source, scope.now) if scope.site in ("", each.site)]
    lines += [f"budget {each.name}: {each.left_text} left, empty {each.empty}" for each in mine[:2]]
    unseen = list(_blind(scope))
    lines += unseen[:MOST]
    if scope.incident.ended is not None:
        state, text = "ok", "Yes: it is over."
    elif back:
        state, text = "ok", "Soon: what had moved is back to usual; the alerts end by themselves."
    else:
        still = "what moved is not back to usual" if moved else "its alerts still fire"
        state, text = (
            ("warn", f"Not yet: it is taken, but {still}.")
            if scope.held
            else ("crit", f"Not yet: nobody has it, and {still}.")
        )
    seen = (
        "All that is watched can be seen"
        if not unseen
        else f"{len(unseen)} thing{'' if len(unseen) == 1 else 's'} cannot be seen"
    )
    return Answer(
        "bed", "Can I go back to bed?", state, f"{text} {seen}.", tuple(lines), "/targets", "What cannot be seen"
    )


def _effect(scope: Scope, mover: Mover) -> tuple[bool, str]:
    """Whether the last minute is nearer to what was usual: what somebody did shows here within a minute."""
    mine = (point for point in scope.points(mover.expr) if is_it(mover, point.labels, scope.incident.host))
    found, title = next(mine, None), without_host(mover.title, scope.incident)
    if found is None:
        return False, f"{title}: no value now"
    now = found.value
    way = abs(mover.now - mover.before)
    is_back = way > 0 and abs(now - mover.before) <= BACK * way
    before = units.text(mover.before, mover.unit)
    said = f"{title}: {units.text(now, mover.unit)} in the last minute, usually {before}"
    return is_back, f"{said}, {'back' if is_back else 'not back yet'}"


def _blind(scope: Scope) -> Iterator[str]:
    for status in scope.targets:
        if trouble.failing(status):
            yield f"blind: {trouble.name(status)} {trouble.words(status)}"
    yield from (f"blind: {sentence}" for sentence in scope.blind)
