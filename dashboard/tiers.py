"""What is kept of the history, tier by tier."""

from dataclasses import dataclass

from dashboard import units
from dashboard.moments import span
from history.inventory import Holding

TIERS = {0: "Samples", 60: "Each minute", 300: "Each 5 minutes", 3600: "Each hour"}


@dataclass(frozen=True)
class TierRow:
    name: str
    since: float  # Unix seconds
    kept: str
    size: str


def kept(holding: Holding | None) -> tuple[TierRow, ...]:
    if holding is None:
        return ()
    return tuple(
        TierRow(
            TIERS[tier.tier],
            tier.since / 1000,
            span(kept),
            units.text(tier.bytes, "bytes") if tier.bytes else "not packed yet",
        )
        for tier, kept in zip(holding.tiers, holding.spans, strict=True)
    )
