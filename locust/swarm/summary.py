"""What a run came to, as plain numbers that know nothing of Locust."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from locust.runners import Runner
    from locust.stats import StatsEntry


@dataclass(frozen=True)
class Row:
    """The requests of one name, or all of them. Times are milliseconds."""

    name: str
    requests: int
    failures: int
    rps: float
    mean_ms: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float

    @property
    def failure_percent(self) -> float:
        return 100 * self.failures / self.requests if self.requests else 0.0


@dataclass(frozen=True)
class Moment:
    """One sample while it ran; rates and times of the seconds before it."""

    seconds: float
    users: int
    rps: float
    failures_per_second: float
    p50_ms: float
    p95_ms: float


@dataclass(frozen=True)
class Failure:
    name: str
    error: str
    count: int


@dataclass(frozen=True)
class Summary:
    host: str
    started: str
    seconds: float
    rows: tuple[Row, ...]
    total: Row
    moments: tuple[Moment, ...]
    failures: tuple[Failure, ...]
    exceptions: int
    """Errors of the swarm's own code."""

    def row(self, name: str) -> Row | None:
        return next((row for row in self.rows if row.name == name), None)


def summarize(runner: Runner, host: str) -> Summary:
    """Reads a Locust runner at the end of its run."""
    stats = runner.stats
    total = row_of(stats.total, "all")
    seconds = max(0.0, (stats.total.last_request_timestamp or 0.0) - stats.total.start_time)
    return Summary(
        host=host,
        started=datetime.fromtimestamp(stats.total.start_time).astimezone().isoformat(timespec="seconds"),
        seconds=seconds,
        rows=tuple(row_of(entry, entry.name) for entry in sorted(stats.entries.values(), key=lambda entry: entry.name)),
        total=total,
        moments=tuple(moments_of(stats.history)),
        failures=tuple(
            Failure(error.name, str(error.parse_error(error.error)), error.occurrences)
            for error in sorted(stats.errors.values(), key=lambda error: -error.occurrences)
        ),
        exceptions=sum(int(exception["count"]) for exception in runner.exceptions.values()),
    )


def row_of(entry: StatsEntry, name: str) -> Row:
    return Row(
        name=name,
        requests=entry.num_requests,
        failures=entry.num_failures,
        rps=entry.total_rps,
        mean_ms=entry.avg_response_time,
        p50_ms=entry.get_response_time_percentile(0.5),
        p95_ms=entry.get_response_time_percentile(0.95),
        p99_ms=entry.get_response_time_percentile(0.99),
        max_ms=entry.max_response_time,
    )


def moments_of(history: Iterable[dict[str, object]]) -> Iterable[Moment]:
    """Locust's history: each value is a pair of the time and the number."""
    begun: datetime | None = None
    for sample in history:
        at = datetime.fromisoformat(str(sample["time"]).replace("Z", "+00:00"))
        begun = begun or at

        def value(name: str, of: dict[str, object] = sample) -> float:
            pair = of[name]
            return float(pair[1]) if isinstance(pair, (list, tuple)) else 0.0

        yield Moment(
            seconds=(at - begun).total_seconds(),
            users=int(value("user_count")),
            rps=value("current_rps"),
            failures_per_second=value("current_fail_per_sec"),
            p50_ms=value("response_time_percentile_0.5"),
            p95_ms=value("response_time_percentile_0.95"),
        )
