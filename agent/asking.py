"""Which history answers: our own samples, or another server's."""

from agent.configuration import Configuration, ConfigurationError
from history.embedded import Embedded
from history.model import Source
from history.remote import Remote
from history.store import Store


def source(configuration: Configuration, store: Store) -> Source:
    """ConfigurationError when a secret cannot be read or sent."""
    try:
        address = configuration.history.remote()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"history: cannot read the file of a secret: {error}") from error
    except ValueError as error:
        raise ConfigurationError(f"history: {error}") from error
    if address is not None:
        return Remote(address, configuration.history.limits.seconds)
    return Embedded(store, *configuration.history.query)
