"""For all tests: how many examples property tests take."""

import os

from hypothesis import settings

# No deadline: a machine that is busy is no defect. `make check` takes fewer examples to stay under a minute.
settings.register_profile("raingauge", max_examples=int(os.environ.get("RAINGAUGE_EXAMPLES", "100")), deadline=None)
settings.load_profile("raingauge")
