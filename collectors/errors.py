"""What can go wrong when a system is read. The runner counts each class as its `reason`.

CollectError
├── Unreachable   refused, no socket, or no answer in time: the target is down
├── Denied        it is there, but does not let us read
├── Unsupported   it answered, but this is not something we can read (no status page here)
└── ParseError    it answered something that we do not understand

Absent is no error: an optional thing is not there (no replication, no /proc/pressure).
A message says what was attempted, on what, and what was found; never a secret.
"""

from typing import ClassVar


class CollectError(Exception):
    reason: ClassVar[str] = "error"


class Unreachable(CollectError):
    reason = "unreachable"


class Denied(CollectError):
    reason = "denied"


class Unsupported(CollectError):
    reason = "unsupported"


class ParseError(CollectError):
    reason = "parse"


class Absent(Exception):
    """The thing is optional and not there; the part yields nothing and has not failed."""
