"""The rule files that this process runs: found, loaded, and loaded again when one of them changed."""

import glob
import logging
import threading
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from agent.configuration import Configuration
from alerts import rulefile, slo
from alerts.model import Group
from alerts.rulefile import RuleFileError
from collectors.model import Gauge, Sample

log = logging.getLogger("raingauge.alerting")

ERROR = Gauge("raingauge_rule_file_error", "Whether a rule file is refused, and its last good rules run on.", ("file",))

Loaded = tuple[list[Group], list[RuleFileError]]
Stamp = tuple[Path, int, int, int]
"""Path, time of the last change in ns, bytes, inode; zeros for a file that is not there."""


def rule_files(configuration: Configuration) -> list[Path]:
    """The shipped files, then the configuration's, whose `*` are expanded."""
    shipped = Path(str(resources.files("alerts.rules")))
    own = [Path(path) for pattern in configuration.rules for path in sorted(glob.glob(str(pattern))) or [str(pattern)]]  # noqa: PTH207 # absolute
    return [*(sorted(shipped.glob("*.yml")) if configuration.shipped_rules else ()), *own]


class RuleFiles:
    """Any thread."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._stamps: list[Stamp] | None = None
        self._errors: dict[str, str] = {}
        self._lock = threading.Lock()

    def configure(self, configuration: Configuration) -> None:
        """`changed` finds all anew, in the thread that evaluates: two that load could take each other's place."""
        with self._lock:
            self._configuration = configuration
            self._stamps = None

    def load(self, running: Sequence[Group] = ()) -> Loaded:
        """A file that is refused keeps the groups that it has in `running`; why is logged once."""
        with self._lock:
            self._stamps = stamps = self._look()
            groups, errors = rulefile.load([stamp[0] for stamp in stamps], running)
            groups += slo.groups(self._configuration.slos)
            for error in errors:
                if self._errors.get(error.file) != str(error):
                    log.error("rules=refused error=%r", str(error))
            self._errors = {error.file: str(error) for error in errors}
        return groups, errors

    def changed(self, running: Sequence[Group]) -> Loaded | None:
        """All rules anew if a file has come, changed or gone since; None if none has."""
        with self._lock:
            same = self._look() == self._stamps
        if same:
            return None
        loaded = self.load(running)
        log.info("rules=reloaded groups=%d refused=%d", len(loaded[0]), len(loaded[1]))
        return loaded

    def samples(self) -> list[Sample]:
        with self._lock:
            files = dict.fromkeys(str(stamp[0]) for stamp in self._stamps or ())
            return [ERROR(float(file in self._errors), file) for file in files]

    def _look(self) -> list[Stamp]:
        return [_stamp(path) for path in rule_files(self._configuration)]


def _stamp(path: Path) -> Stamp:
    try:
        found = path.stat()
    except OSError:
        return path, 0, 0, 0
    return path, found.st_mtime_ns, found.st_size, found.st_ino
