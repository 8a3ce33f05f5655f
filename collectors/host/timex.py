"""How well the clock is kept, asked from the kernel with adjtimex(2), which changes nothing when modes is 0.

Source: https://man7.org/linux/man-pages/man2/adjtimex.2.html
"""

import ctypes
import os
from collections.abc import Callable, Iterable

from collectors.errors import Denied
from collectors.host.config import Host
from collectors.model import Counter, Family, Gauge, Sample

_long = ctypes.c_long
FIELDS = (
    ("modes", ctypes.c_uint), ("offset", _long), ("freq", _long), ("maxerror", _long), ("esterror", _long),
    ("status", ctypes.c_int), ("constant", _long), ("precision", _long), ("tolerance", _long), ("seconds", _long),
    ("microseconds", _long), ("tick", _long), ("ppsfreq", _long), ("jitter", _long), ("shift", ctypes.c_int),
    ("stabil", _long), ("jitcnt", _long), ("calcnt", _long), ("errcnt", _long), ("stbcnt", _long),
    ("tai", ctypes.c_int), ("padding", ctypes.c_int * 11),
)  # fmt: skip


class Timex(ctypes.Structure):
    _fields_ = FIELDS


UNSYNCHRONISED = 5
"""TIME_ERROR: what adjtimex returns when the clock is not synchronised."""
IN_NANOSECONDS = 0x2000
MICRO, NANO = 1e6, 1e9
PPM = 65536e6
"""Frequencies are millionths, scaled by 2^16."""

OFFSET = Gauge("node_timex_offset_seconds", "Time between the clock and its reference.")
SYNCED = Gauge("node_timex_sync_status", "1 if the clock is synchronised to a reliable server.")
PARTS: tuple[tuple[Family, str, Callable[[float, float], float]], ...] = (
    (OFFSET, "offset", lambda value, unit: value / unit),
    (Gauge("node_timex_frequency_adjustment_ratio", "How fast the clock is made to run."), "freq",
     lambda value, _: 1 + value / PPM),
    (Gauge("node_timex_maxerror_seconds", "Most that the clock may be wrong."), "maxerror",
     lambda value, _: value / MICRO),
    (Gauge("node_timex_estimated_error_seconds", "How wrong the clock is, as estimated."), "esterror",
     lambda value, _: value / MICRO),
    (Gauge("node_timex_status", "The kernel's status bits of the clock."), "status", lambda value, _: value),
    (Gauge("node_timex_loop_time_constant", "Time constant of the loop that keeps the clock."), "constant",
     lambda value, _: value),
    (Gauge("node_timex_tick_seconds", "Time between ticks of the clock."), "tick", lambda value, _: value / MICRO),
    (Gauge("node_timex_pps_frequency_hertz", "Frequency of the pulse each second."), "ppsfreq",
     lambda value, _: value / PPM),
    (Gauge("node_timex_pps_jitter_seconds", "Jitter of the pulse each second."), "jitter",
     lambda value, unit: value / unit),
    (Gauge("node_timex_pps_shift_seconds", "Time between two measurements of the pulse."), "shift",
     lambda value, _: value),
    (Gauge("node_timex_pps_stability_hertz", "Mean change of the pulse's frequency."), "stabil",
     lambda value, _: value / PPM),
    (Counter("node_timex_pps_jitter_total", "Times that the pulse's jitter was too much."), "jitcnt",
     lambda value, _: value),
    (Counter("node_timex_pps_calibration_total", "Measurements of the pulse."), "calcnt", lambda value, _: value),
    (Counter("node_timex_pps_error_total", "Measurements of the pulse that failed."), "errcnt", lambda value, _: value),
    (Counter("node_timex_pps_stability_exceeded_total", "Times that the pulse was not stable enough."), "stbcnt",
     lambda value, _: value),
    (Gauge("node_timex_tai_offset_seconds", "International atomic time less the clock's."), "tai",
     lambda value, _: value),
)  # fmt: skip
FAMILIES = (SYNCED, *(family for family, _, _ in PARTS))


def read(_config: Host) -> dict[str, int]:
    """The host's clock, whatever /proc we are given: containers share it."""
    asked = Timex()
    state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(asked))
    if state < 0:
        raise Denied(f"adjtimex: {os.strerror(ctypes.get_errno())}")
    return {"state": state, **{name: getattr(asked, name) for name, _ in FIELDS if name != "padding"}}


def parse(facts: dict[str, int]) -> Iterable[Sample]:
    unit = NANO if facts["status"] & IN_NANOSECONDS else MICRO
    yield SYNCED(facts["state"] != UNSYNCHRONISED)
    for family, name, of in PARTS:
        yield family(of(facts[name], unit))
