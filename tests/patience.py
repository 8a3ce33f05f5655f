"""What only many trials wait for: tests of minutes, and those that go by the clock on the wall."""

import os

import pytest

TRIALS = int(os.environ.get("RAINGAUGE_TRIALS", "10"))
MANY = 50

of_many_trials = pytest.mark.skipif(
    TRIALS < MANY, reason=f"for a machine that does nothing else: RAINGAUGE_TRIALS={MANY} or more"
)
