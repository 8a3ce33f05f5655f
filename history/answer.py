"""Prometheus' HTTP API without HTTP: results and errors as its JSON shapes, and its parameters.

Source: https://prometheus.io/docs/prometheus/latest/querying/api/
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from history import numbers
from history.model import Line, Matrix, Metadata, Point, QueryError, Scalar, Text, Vector

Answer = dict[str, Any]

MOST_SECONDS = 9e12
"""Beyond, milliseconds are not exact. Nothing is stored there."""
STATUS = {"bad_data": 400, "execution": 422, "timeout": 503, "unavailable": 503}
"""HTTP status by the kind of a QueryError."""


def success(data: Any, warnings: Sequence[str] = ()) -> Answer:
    answer: Answer = {"status": "success", "data": data}
    return {**answer, "warnings": list(warnings)} if warnings else answer


def failure(error: QueryError) -> Answer:
    return {"status": "error", "errorType": error.kind, "error": str(error)}


def result(found: Vector | Matrix | Scalar | Text) -> Answer:
    match found:
        case Vector(points):
            data = _data("vector", [_point(point) for point in points])
        case Matrix(lines):
            data = _data("matrix", [_line(line) for line in lines])
        case Scalar(t, value):
            data = _data("scalar", [_time(t), numbers.number(value)])
        case Text(t, text):
            data = _data("string", [_time(t), text])
    return success(data, found.warnings)


def metadata(found: dict[str, list[Metadata]]) -> Answer:
    return success({name: [asdict(one) for one in each] for name, each in found.items()})


def _data(kind: str, content: list[Any]) -> Answer:
    return {"resultType": kind, "result": content}


def _point(point: Point) -> Answer:
    return {"metric": dict(point.labels), "value": [_time(point.t), numbers.number(point.value)]}


def _line(line: Line) -> Answer:
    pairs = zip(_times(line.times), _texts(line.values), strict=True)
    return {"metric": dict(line.labels), "values": list(map(list, pairs))}


def _times(times: NDArray[np.float64]) -> list[float | int]:
    whole = times.astype(np.int64)
    return whole.tolist() if (whole == times).all() else [_time(t) for t in times.tolist()]


def _texts(values: NDArray[np.float64]) -> list[str]:
    """As numbers.number, but most at once: a long answer is mostly this."""
    if not len(values):
        return []
    found = orjson.dumps(np.ascontiguousarray(values), option=orjson.OPT_SERIALIZE_NUMPY).decode()[1:-1].split(",")
    return [
        text.removesuffix(".0") if "e" not in text and text != "null" else numbers.number(value)
        for text, value in zip(found, values.tolist(), strict=True)
    ]


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
