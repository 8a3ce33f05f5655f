"""Prometheus' HTTP API without HTTP: results and errors as its JSON shapes, and its parameters.

Source: https://prometheus.io/docs/prometheus/latest/querying/api/
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from history import numbers
from history.model import Line, Matrix, Metadata, Point, QueryError, Scalar, Text, Vector

Answer = dict[str, Any]
Result = Vector | Matrix | Scalar | Text

INFO = "PromQL info: "
TRUNCATED = "results truncated due to limit"

MOST_SECONDS = 9e12
"""Beyond, milliseconds are not exact. Nothing is stored there."""
STATUS = {"bad_data": 400, "execution": 422, "timeout": 503, "unavailable": 503}
"""HTTP status by the kind of a QueryError."""


def success(data: Any, warnings: Sequence[str] = ()) -> Answer:
    """What PromQL only remarks, which it marks as such, are `infos` and no warnings."""
    answer: Answer = {"status": "success", "data": data}
    infos = [text for text in warnings if text.startswith(INFO)]
    others = [text for text in warnings if not text.startswith(INFO)]
    return answer | ({"warnings": others} if others else {}) | ({"infos": infos} if infos else {})


def failure(error: QueryError) -> Answer:
    return {"status": "error", "errorType": error.kind, "error": str(error)}


def result(found: Result) -> Answer:
    return success(data(found), found.warnings)


def data(found: Result) -> Answer:
    """Of any JSON library. `quick_data` is the same for orjson."""
    if isinstance(found, Matrix):
        lines = [{"metric": dict(line.labels), "values": orjson.loads(text)} for line, text in _written(found.lines)]
        return {"resultType": "matrix", "result": lines}
    return quick_data(found)


def quick_data(found: Result) -> Answer:
    match found:
        case Vector(points):
            return {"resultType": "vector", "result": [_point(point) for point in points]}
        case Matrix(lines):
            written = [{"metric": dict(line.labels), "values": orjson.Fragment(text)} for line, text in _written(lines)]
            return {"resultType": "matrix", "result": written}
        case Scalar(t, value):
            return {"resultType": "scalar", "result": [_time(t), numbers.number(value)]}
        case Text(t, text):
            return {"resultType": "string", "result": [_time(t), text]}


def limited(found: Result, limit: int) -> Result:
    """At most so many series, and a warning if there are more."""
    match found:
        case Vector(points, warnings) if len(points) > limit:
            return Vector(points[:limit], (*warnings, TRUNCATED))
        case Matrix(lines, warnings) if len(lines) > limit:
            return Matrix(lines[:limit], (*warnings, TRUNCATED))
    return found


def metadata(found: dict[str, list[Metadata]]) -> Answer:
    return success({name: [asdict(one) for one in each] for name, each in found.items()})


def _point(point: Point) -> Answer:
    return {"metric": dict(point.labels), "value": [_time(point.t), numbers.number(point.value)]}


def _written(lines: Iterable[Line]) -> Iterator[tuple[Line, bytes]]:
    """Each line and its points as JSON: a long answer is mostly these, so they never become objects."""
    times: bytes | None = None
    before: list[bytes] = []
    for line in lines:
        if line.times.tobytes() != times:  # most lines of an answer have the same
            times = line.times.tobytes()
            before = [b'"],[' + text + b',"' for text in _decimals(np.round(line.times, 3))]
        pieces = [b""] * (2 * len(before))
        pieces[::2] = before
        pieces[1::2] = _values(line.values)
        yield line, b"[" + b"".join(pieces)[3:] + b'"]]' if pieces else b"[]"


def _values(values: NDArray[np.float64]) -> list[bytes]:
    """As numbers.number, but all at once."""
    texts = _decimals(values)
    for at in np.flatnonzero(_unlike(values)).tolist():
        texts[at] = numbers.number(float(values[at])).encode()
    return texts


def _decimals(values: NDArray[np.float64]) -> list[bytes]:
    """The fewest digits that read back the same, as orjson writes them."""
    if not len(values):
        return []
    text = orjson.dumps(np.ascontiguousarray(values), option=orjson.OPT_SERIALIZE_NUMPY)
    texts = text[1:-1].split(b",")
    for at in np.flatnonzero(values == np.floor(values)).tolist():
        texts[at] = texts[at].removesuffix(b".0")
    return texts


def _unlike(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Where orjson does not write as Prometheus: it has exponents earlier, and nothing for what is no number."""
    size = np.abs(values)
    alike: NDArray[np.bool_] = (size == 0) | ((size >= 1e-5) & (size < 1e16))
    return ~alike


def scientific(value: float) -> str:
    """As Prometheus writes the value of an alert: the fewest digits, and an exponent always."""
    if not math.isfinite(value):
        return numbers.plain(value)
    mantissa, exponent = f"{Decimal(repr(value)).normalize():e}".split("e")
    return f"{mantissa}e{exponent[0]}{exponent[1:]:0>2}"


def moment(t: float | None) -> str:
    """RFC 3339 with as few digits as are exact to the millisecond; None is Go's zero time."""
    if t is None:
        return "0001-01-01T00:00:00Z"
    text = datetime.fromtimestamp(round(t, 3), UTC).isoformat(timespec="milliseconds").removesuffix("+00:00")
    return f"{text.rstrip('0').rstrip('.')}Z"


def duration(seconds: float) -> str:
    """`15s`, `1m30s`, `36h`: Prometheus uses days and longer ones only where nothing is left."""
    left = round(seconds * 1000)
    text = ""
    for unit in numbers.ORDER:
        size = round(numbers.UNITS[unit] * 1000)
        count, rest = divmod(left, size)
        if count and (rest == 0 or unit not in ("y", "w", "d")):
            text += f"{count}{unit}"
            left = rest
    return text or "0s"


def _time(t: float) -> float | int:
    """Milliseconds at most; a whole second is written without a fraction."""
    rounded = round(t, 3)
    return int(rounded) if rounded == int(rounded) else rounded


def time(name: str, text: str | None, default: float) -> float:
    """A parameter that is a time; `default` when it is missing. QueryError if it is none.

    One that is farther away than anything could be stored is moved as near as that.
    """
    if not text:
        return default
    try:
        return max(-MOST_SECONDS, min(MOST_SECONDS, numbers.time(text)))
    except ValueError as error:
        raise QueryError("bad_data", f'invalid parameter "{name}": {error}') from error


def step(text: str | None) -> float:
    """Seconds. QueryError if it is no positive duration."""
    try:
        seconds = numbers.duration(text or "")
    except ValueError as error:
        raise QueryError("bad_data", f'invalid parameter "step": {error}') from error
    if seconds <= 0:
        raise QueryError(
            "bad_data",
            'invalid parameter "step": zero or negative query resolution step widths are not accepted.'
            " Try a positive integer",
        )
    if seconds > MOST_SECONDS:
        raise QueryError(
            "bad_data", f'invalid parameter "step": cannot parse "{text}" to a valid duration. It overflows int64'
        )
    return seconds


def required(name: str, text: str | None) -> float:
    """A time that must be there."""
    if not text:
        raise QueryError("bad_data", f'invalid parameter "{name}": cannot parse "" to a valid timestamp')
    return time(name, text, 0.0)
