"""Locust's master over HTTP."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic, sleep
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

TIMEOUT_SECONDS = 30
# How much longer than their spawn rate says users may take to come.
SPAWN_PATIENCE_SECONDS = 30
STOP_PATIENCE_SECONDS = 60
POLL_SECONDS = 0.5


class MasterError(Exception):
    """The master refused, or did not answer."""


@dataclass(frozen=True)
class Outcome:
    """All requests of a run. Times are milliseconds."""

    requests: int
    failures: int
    rps: float
    mean_ms: float
    median_ms: float
    p95_ms: float
    p99_ms: float

    @property
    def failures_percent(self) -> float:
        return 100 * self.failures / self.requests if self.requests else 0.0


class Master:
    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    def swarm(self, users: int, spawn_rate: int, host: str) -> None:
        """Returns when all users are there. Locust may not answer a stop that comes before."""
        answer = self._post("/swarm", {"user_count": users, "spawn_rate": spawn_rate, "host": host})
        if answer.get("success") is not True:
            raise MasterError(f"{self._url}/swarm: {answer.get('message')}")
        deadline = monotonic() + users / spawn_rate + SPAWN_PATIENCE_SECONDS
        while (state := self._state()) != "running":
            if monotonic() >= deadline:
                raise MasterError(f"{self._url}: {state} instead of running {users} users")
            sleep(POLL_SECONDS)

    def stop(self) -> None:
        """Returns when it has. Where a worker was lost Locust may start anew right then, and is told again."""
        deadline = monotonic() + STOP_PATIENCE_SECONDS
        self._post("/stop", {})
        while (state := self._state()) not in ("ready", "stopped"):
            if monotonic() >= deadline:
                raise MasterError(f"{self._url}: {state} {STOP_PATIENCE_SECONDS} s after it was told to stop")
            sleep(POLL_SECONDS)
            if state == "running":
                self._post("/stop", {})

    def reset(self) -> None:
        """Forgets what was counted so far."""
        self._ask("/stats/reset", b"")

    def wait_for_workers(self, count: int, timeout_seconds: float) -> None:
        """Until there are exactly so many, and a lost one is forgotten: when Locust forgets one, a minute after its last sign of life, it starts all users anew."""
        deadline = monotonic() + timeout_seconds
        while (found := self._count_workers()) != (count, 0):
            if monotonic() >= deadline:
                there, missing = found
                raise MasterError(f"{there} workers instead of {count} after {timeout_seconds:g} s, {missing} missing")
            sleep(POLL_SECONDS)

    def outcome(self) -> Outcome:
        report = json.loads(self._ask("/stats/requests"))
        total = next(row for row in report["stats"] if row["name"] == "Aggregated")
        return Outcome(
            requests=total["num_requests"],
            failures=total["num_failures"],
            rps=total["total_rps"],
            mean_ms=total["avg_response_time"],
            median_ms=total["median_response_time"],
            # The reference's column of this name held the 90th percentile (reference behaviour §8.2).
            p95_ms=total["response_time_percentile_0.95"],
            p99_ms=total["response_time_percentile_0.99"],
        )

    def _state(self) -> str:
        return str(json.loads(self._ask("/stats/requests"))["state"])

    def _count_workers(self) -> tuple[int, int]:
        """Workers that are there, and those that were lost and are still listed."""
        states = [worker["state"] for worker in json.loads(self._ask("/stats/requests")).get("workers", [])]
        missing = states.count("missing")
        return len(states) - missing, missing

    def _post(self, path: str, form: Mapping[str, object]) -> dict[str, Any]:
        answer = json.loads(self._ask(path, urlencode(form).encode()))
        return answer if isinstance(answer, dict) else {}

    def _ask(self, path: str, form: bytes | None = None) -> str:
        """A POST where there is a form, however empty."""
        try:
            with urlopen(f"{self._url}{path}", data=form, timeout=TIMEOUT_SECONDS) as answer:
                return answer.read().decode()
        except (URLError, OSError) as error:
            raise MasterError(f"{self._url}{path}: {error}") from error
