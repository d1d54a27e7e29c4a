"""What a load test asks of a service, and whether it got it."""

from __future__ import annotations

from dataclasses import dataclass

from .summary import Summary


@dataclass(frozen=True)
class Thresholds:
    failure_percent: float
    """Of all requests."""
    p50_ms: float
    """Of `predict`: cheap requests beside it must not make it look faster."""
    p95_ms: float
    rps: float
    """Of all requests, over the whole run."""


# `report`: what the validation report asks for (§7, "Load Testing"). `strict`: what is asked here unless somebody says otherwise.
PRESETS = {
    "strict": Thresholds(failure_percent=0.1, p50_ms=25, p95_ms=100, rps=30),
    "report": Thresholds(failure_percent=5, p50_ms=50, p95_ms=200, rps=30),
}


@dataclass(frozen=True)
class Criterion:
    name: str
    limit: str
    measured: str
    met: bool


@dataclass(frozen=True)
class Verdict:
    criteria: tuple[Criterion, ...]

    @property
    def passed(self) -> bool:
        return all(criterion.met for criterion in self.criteria)


def judge(summary: Summary, thresholds: Thresholds) -> Verdict:
    """Nothing asked is nothing shown: a run without `predict` fails."""
    total = summary.total
    predict = summary.row("predict")
    criteria = [
        Criterion("predict requests", "> 0", str(predict.requests if predict else 0), bool(predict and predict.requests)),
        Criterion(
            "failures",
            f"< {thresholds.failure_percent:g} %",
            f"{total.failure_percent:.3g} %",
            total.failure_percent < thresholds.failure_percent,
        ),
        latency("predict p50", predict.p50_ms if predict else None, thresholds.p50_ms),
        latency("predict p95", predict.p95_ms if predict else None, thresholds.p95_ms),
        Criterion("throughput", f"> {thresholds.rps:g}/s", f"{total.rps:.1f}/s", total.rps > thresholds.rps),
        Criterion("errors in the swarm itself", "none", str(summary.exceptions), summary.exceptions == 0),
    ]
    return Verdict(tuple(criteria))


def latency(name: str, measured_ms: float | None, limit_ms: float) -> Criterion:
    shown = "–" if measured_ms is None else f"{measured_ms:g} ms"
    return Criterion(name, f"< {limit_ms:g} ms", shown, measured_ms is not None and measured_ms < limit_ms)
