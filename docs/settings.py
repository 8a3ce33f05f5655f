"""Configuration, environment and exit codes."""

import json

from agent import schema
from docs.markdown import code, table

FILE = """\
No file is needed. `raingauge config example` prints one with every key, `raingauge config check` says what is wrong
with yours. A running Raingauge reads it again at SIGHUP: targets, rules and `interval` change at once; addresses,
channels and the host's name at the next start.

Durations are seconds or text such as `10s`, `5m`, `1h30m`. `[]` stands for each entry of a list, `NAME` for a name of
your choice.

"""
ENVIRONMENT = {
    "RAINGAUGE_CONFIG": "The configuration file, if `--config` does not give one.",
    "RAINGAUGE_STATE_DIR": "Folder for everything that is written. Else `/var/lib/raingauge` for root and the user "
    "`raingauge`, and `$XDG_STATE_HOME/raingauge` for others.",
    "RAINGAUGE_PASSWORD": "Password of the dashboard; counts before `dashboard.password` and "
    "`dashboard.password_file`.",
    "XDG_CONFIG_HOME": "`$XDG_CONFIG_HOME/raingauge/raingauge.yml` is read where `/etc/raingauge/raingauge.yml` is "
    "not; `~/.config` if not set.",
    "XDG_STATE_HOME": "`~/.local/state` if not set.",
}
EXIT_CODES = {
    "0": "Done. `run`, `agent` and `dashboard`: ended by SIGTERM or Ctrl-C.",
    "1": "Failed. The message says what was attempted and what was found.",
    "2": "Wrong usage or a wrong configuration.",
}


def settings() -> str:
    rows = [(code(option.key), _default(option), option.text) for option in schema.options()]
    return FILE + table(("Key", "Default", "What it decides"), rows)


def _default(option: schema.Option) -> str:
    """Empty for a mapping, and for what has none: the key is needed, or its text says what is taken."""
    if not option.is_leaf or option.key in schema.EXAMPLES or option.default is None:
        return ""
    whole = isinstance(option.default, float) and option.default.is_integer()
    return code(json.dumps(int(option.default) if whole else option.default))


def environment() -> str:
    return table(("Variable", "What it does"), [(code(name), text) for name, text in ENVIRONMENT.items()])


def exit_codes() -> str:
    return table(("Code", "Meaning"), list(EXIT_CODES.items()))
