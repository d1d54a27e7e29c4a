"""Replicas and CPU while a load runs, in the form of the validation report's §4.5."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event, Thread
from time import monotonic

from .cluster import Cluster, ClusterError


@dataclass(frozen=True)
class Sample:
    seconds: float
    cpu_percent: int | None
    replicas: int
    ready: int


def render(samples: Sequence[Sample]) -> str:
    return "".join(
        f"Time: T+{sample.seconds:.0f}s → CPU: {'–' if sample.cpu_percent is None else f'{sample.cpu_percent}%'} "
        f"→ Replicas: {sample.replicas} ({sample.ready} ready)\n"
        for sample in samples
    )


@dataclass(frozen=True)
class Movement:
    """How the number of replicas moved."""

    initial: int
    peak: int
    final: int
    ups: int
    downs: int
    mean_cpu_percent: float | None


def movement_of(samples: Sequence[Sample]) -> Movement:
    counts = [sample.replicas for sample in samples]
    steps = [later - earlier for earlier, later in zip(counts, counts[1:])]
    cpu = [sample.cpu_percent for sample in samples if sample.cpu_percent is not None]
    return Movement(
        initial=counts[0],
        peak=max(counts),
        final=counts[-1],
        ups=sum(step > 0 for step in steps),
        downs=sum(step < 0 for step in steps),
        mean_cpu_percent=sum(cpu) / len(cpu) if cpu else None,
    )


class Watch:
    """Samples a deployment in a thread of its own, from its making until `stop`."""

    def __init__(
        self,
        cluster: Cluster,
        deployment: str,
        interval_seconds: float,
        on_sample: Callable[[Sample], None] = lambda _: None,
    ) -> None:
        self.samples: list[Sample] = []
        self._begun = monotonic()
        self._stopping = Event()
        self._thread = Thread(target=self._watch, args=(cluster, deployment, interval_seconds, on_sample), daemon=True)
        self._thread.start()

    def stop(self) -> list[Sample]:
        self._stopping.set()
        self._thread.join()
        return self.samples

    def _watch(
        self, cluster: Cluster, deployment: str, interval_seconds: float, on_sample: Callable[[Sample], None]
    ) -> None:
        stopping = False
        while True:
            try:
                sample = self._look(cluster, deployment)
                self.samples.append(sample)
                on_sample(sample)
            except ClusterError:
                pass  # An API server that is busy for a moment costs one sample.
            if stopping:
                return
            # Once more after the end: that is how it ended.
            stopping = self._stopping.wait(interval_seconds)

    def _look(self, cluster: Cluster, deployment: str) -> Sample:
        seconds = monotonic() - self._begun
        scale = cluster.scale_of(deployment)
        autoscaler = cluster.autoscaler_of(deployment)
        return Sample(seconds, autoscaler.cpu_percent if autoscaler else None, scale.existing, scale.ready)
