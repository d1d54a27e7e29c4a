"""Bodies of `POST /predict`: good ones, and bad ones with the refusal that each deserves."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

FEATURES = (
    "down",
    "up",
    "rnti_count",
    "mcs_down",
    "mcs_down_var",
    "mcs_up",
    "mcs_up_var",
    "rb_down",
    "rb_down_var",
    "rb_up",
    "rb_up_var",
)

# Starts wrap after a year: a server refuses times that lie decades from what its model was trained on.
WRAP_MINUTES = 365 * 24 * 60


def feature_columns(rows: int) -> dict[str, list[float]]:
    """The reference's made-up measurements, the same for every request (reference behaviour §8.1)."""
    cycle = [row % 50 for row in range(rows)]
    return {
        "down": [1e6 * v + 5e6 for v in cycle],
        "up": [1000 * v + 1000 for v in cycle],
        "rnti_count": [2000 + v for v in cycle],
        "mcs_down": [10 + v % 5 for v in cycle],
        "mcs_down_var": [50 + 0.5 * v for v in cycle],
        "mcs_up": [12 + v % 4 for v in cycle],
        "mcs_up_var": [40 + 0.4 * v for v in cycle],
        "rb_down": [0.05 + 0.001 * v for v in cycle],
        "rb_down_var": [1e-7 + 1e-9 * v for v in cycle],
        "rb_up": [0.01 + 0.0005 * v for v in cycle],
        "rb_up_var": [5e-8 + 1e-9 * v for v in cycle],
    }


def timestamps(rows: int, start: datetime, step_minutes: int) -> list[str]:
    """As many different times as there are rows: the reference sent one and the same thirty times, and 80 % of its requests failed."""
    return [(start + timedelta(minutes=row * step_minutes)).strftime("%Y-%m-%d %H:%M:%S") for row in range(rows)]


class PredictBodies:
    """Bodies whose rows begin later from one to the next. All but the times is rendered once: a swarm that waits for nothing makes thousands a second."""

    def __init__(self, rows: int, step_minutes: int, steps: int, epoch: datetime) -> None:
        self._rows = rows
        self._step_minutes = step_minutes
        self._steps = steps
        self._epoch = epoch.replace(second=0, microsecond=0)
        features = json.dumps(feature_columns(rows), separators=(",", ":"))
        self._tail = f'],{features[1:]},"index_col":"ts","inference_length":{steps}}}'.encode()

    def body(self, sequence: int) -> bytes:
        """The body with this number; numbers a year of minutes apart give the same one."""
        start = self._epoch + timedelta(minutes=sequence * self._steps % WRAP_MINUTES)
        times = '","'.join(timestamps(self._rows, start, self._step_minutes))
        return f'{{"data":{{"ts":["{times}"'.encode() + self._tail


CACHED_BODY = b"{}"


@dataclass(frozen=True)
class BadInput:
    name: str
    body: bytes
    refusal: str
    """What the 400's `detail` must hold."""


def bad_inputs(rows: int, start: datetime, step_minutes: int) -> list[BadInput]:
    """Mistakes that clients make, the report's own among them."""
    times = timestamps(rows, start, step_minutes)
    features = feature_columns(rows)

    def bad(name: str, refusal: str, data: dict[str, Any]) -> BadInput:
        return BadInput(name, json.dumps({"data": data}).encode(), refusal)

    return [
        bad("identical times", f"All {rows} timestamps are identical", {"ts": times[:1] * rows, **features}),
        bad("a time twice", "Duplicate timestamps", {"ts": [*times[:-1], times[0]], **features}),
        bad("no times", "Request must include a timestamp column", features),
        bad("text for a number", "Columns contain non-numeric values: down", {"ts": times, **features, "down": ["many"] * rows}),
        bad("columns missing", "Missing required feature columns", {"ts": times, "value": [1] * rows}),
        bad("a column too short", "Failed to interpret 'data' payload", {"ts": times, **features, "up": [1]}),
    ]
