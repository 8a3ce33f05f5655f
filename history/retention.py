"""How much history is kept. Numpy-free: the bare agent reads its configuration too."""

from dataclasses import dataclass

DAY = 86_400.0  # seconds


@dataclass(frozen=True)
class Retention:
    """For how long, in seconds, and how much."""

    raw: float = 15 * DAY
    fine: float = 90 * DAY
    hour: float = 730 * DAY
    most_bytes: int = 4 * 2**30

    def of(self, tier: int) -> float:
        """Seconds; a tier is named by the seconds of its buckets."""
        return {0: self.raw, 3600: self.hour}.get(tier, self.fine)
