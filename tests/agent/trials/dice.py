"""How many trials, and which: RAINGAUGE_TRIALS and RAINGAUGE_SEED."""

import os
import random

TRIALS = int(os.environ.get("RAINGAUGE_TRIALS", "25"))
SEED = int(os.environ.get("RAINGAUGE_SEED", "0")) or random.SystemRandom().randrange(1, 2**32)


def dice() -> random.Random:
    print(f"seed {SEED}, {TRIALS} trials")  # noqa: T201
    return random.Random(SEED)
