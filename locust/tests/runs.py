"""Summaries of runs that never were."""

from swarm.summary import Failure, Moment, Row, Summary


def row(name: str, requests: int = 1000, failures: int = 0, p50: float = 5, p95: float = 20, rps: float = 40) -> Row:
    return Row(name, requests, failures, rps, mean_ms=6.0, p50_ms=p50, p95_ms=p95, p99_ms=30, max_ms=40)


def summary(*rows: Row, total: Row | None = None, exceptions: int = 0, failures: tuple[Failure, ...] = ()) -> Summary:
    return Summary(
        host="http://inference",
        started="2026-01-01T00:00:00+00:00",
        seconds=60,
        rows=rows,
        total=total or row("all"),
        moments=tuple(Moment(second, 50, 40 + second, 0, 5, 20) for second in range(0, 60, 2)),
        failures=failures,
        exceptions=exceptions,
    )
