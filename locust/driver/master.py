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
        while (state := json.loads(self._ask("/stats/requests"))["state"]) != "running":
            if monotonic() >= deadline:
                raise MasterError(f"{self._url}: {state} instead of running {users} users")
            sleep(POLL_SECONDS)

    def stop(self) -> None:
        self._post("/stop", {})

    def reset(self) -> None:
        """Forgets what was counted so far."""
        self._ask("/stats/reset", b"")

    def workers(self) -> int:
        """Workers that are there: one that was lost stays in the list, as missing."""
        listed = json.loads(self._ask("/stats/requests")).get("workers", [])
        return sum(worker["state"] != "missing" for worker in listed)

    def wait_for_workers(self, count: int, timeout_seconds: float) -> None:
        deadline = monotonic() + timeout_seconds
        while (found := self.workers()) != count:
            if monotonic() >= deadline:
                raise MasterError(f"{found} workers instead of {count} after {timeout_seconds:g} s")
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
