"""What is looked at each minute: not more often when it cannot be read."""

import pytest

from collectors.config import Config
from collectors.errors import Denied
from collectors.sources import looking


def test_what_cannot_be_read_is_asked_again_after_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    now, asked = 1000.0, []

    def look(_config: Config, _cursor: object, at: float) -> tuple[None, dict[str, float]]:
        asked.append(at)
        if len(asked) < 3:
            raise Denied("not you")
        return None, {"looked": at}

    monkeypatch.setattr(looking, "clock", lambda: now)
    read = looking.seldom("test", look)
    for now in (1000.0, 1001.0, 1059.0, 1060.0):  # noqa: B007 # the clock
        with pytest.raises(Denied, match="not you"):
            read(Config(), None)
    now = 1120.0
    assert read(Config(), None) == (None, {"looked": 1120.0})
    now = 1121.0
    assert read(Config(), {"looked": 1120.0}) == (None, {"looked": 1120.0})
    assert asked == [1000.0, 1060.0, 1120.0]
