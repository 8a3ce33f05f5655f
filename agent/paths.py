"""Where state and configuration live: what the environment says, else the system's places, else the user's."""

import os
import pwd
from pathlib import Path

SYSTEM_STATE = Path("/var/lib/raingauge")
SYSTEM_CONFIG = Path("/etc/raingauge/raingauge.yml")


def _home(variable: str, fallback: str) -> Path:
    return Path(os.environ.get(variable) or Path.home() / fallback)


def state_dir() -> Path:
    """For root and the service's own user the system's; it need not be there yet."""
    if chosen := os.environ.get("RAINGAUGE_STATE_DIR"):
        return Path(chosen)
    user = pwd.getpwuid(os.geteuid()).pw_name
    if user in ("root", "raingauge"):
        return SYSTEM_STATE
    return _home("XDG_STATE_HOME", ".local/state") / "raingauge"


def config_path() -> Path | None:
    """The configuration file that is there; None: none is, and none is needed."""
    if chosen := os.environ.get("RAINGAUGE_CONFIG"):
        return Path(chosen)
    own = _home("XDG_CONFIG_HOME", ".config") / "raingauge/raingauge.yml"
    return next((path for path in (SYSTEM_CONFIG, own) if path.exists()), None)
