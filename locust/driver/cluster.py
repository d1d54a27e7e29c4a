"""What the driver does to a cluster, through kubectl."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic, sleep
from typing import Any

POLL_SECONDS = 1.0


class ClusterError(Exception):
    """kubectl failed, or something did not become ready."""


@dataclass(frozen=True)
class Scale:
    """A Deployment now."""

    wanted: int
    existing: int
    ready: int


@dataclass(frozen=True)
class Autoscaler:
    min_replicas: int
    max_replicas: int
    cpu_percent: int | None
    """Of the pods' CPU requests; None before the first measurement."""


class Cluster:
    """One namespace as kubectl's present context sees it."""

    def __init__(self, namespace: str, kubectl: str = "kubectl") -> None:
        self._command = [kubectl, "--namespace", namespace]

    def scale_of(self, deployment: str) -> Scale:
        found = self._get("deployment", deployment)
        status = found.get("status", {})
        return Scale(found["spec"].get("replicas", 1), status.get("replicas", 0), status.get("readyReplicas", 0))

    def scale(self, deployment: str, replicas: int) -> None:
        self._run("scale", f"deployment/{deployment}", f"--replicas={replicas}")

    def autoscaler_of(self, deployment: str) -> Autoscaler | None:
        """The HorizontalPodAutoscaler of the same name; None where there is none."""
        found = self._find("horizontalpodautoscaler", deployment)
        if found is None:
            return None
        metrics = found.get("status", {}).get("currentMetrics") or []
        cpu = next((metric["resource"]["current"] for metric in metrics if metric.get("resource", {}).get("name") == "cpu"), {})
        return Autoscaler(found["spec"].get("minReplicas", 1), found["spec"]["maxReplicas"], cpu.get("averageUtilization"))

    @contextmanager
    def autoscaled_within(self, deployment: str, least: int, most: int) -> Iterator[None]:
        """Other bounds for the autoscaler while it lasts. Where there is one, this is also how to set replicas: it would undo a plain `scale`."""
        before = self.autoscaler_of(deployment)
        if before is None:
            raise ClusterError(f"no HorizontalPodAutoscaler {deployment}")
        self._bound(deployment, least, most)
        try:
            yield
        finally:
            self._bound(deployment, before.min_replicas, before.max_replicas)

    @contextmanager
    def fixed(self, deployment: str, replicas: int) -> Iterator[None]:
        """So many replicas while it lasts, autoscaler or not."""
        if self.autoscaler_of(deployment) is not None:
            with self.autoscaled_within(deployment, replicas, replicas):
                self.scale(deployment, replicas)
                yield
            return
        before = self.scale_of(deployment).wanted
        self.scale(deployment, replicas)
        try:
            yield
        finally:
            self.scale(deployment, before)

    def wait_for(self, deployment: str, is_so: Callable[[Scale], bool], timeout_seconds: float) -> Scale:
        """Raises ClusterError saying how it stood when the time was over."""
        deadline = monotonic() + timeout_seconds
        while not is_so(scale := self.scale_of(deployment)):
            if monotonic() >= deadline:
                raise ClusterError(f"{deployment}: {scale.ready} of {scale.wanted} ready after {timeout_seconds:g} s")
            sleep(POLL_SECONDS)
        return scale

    def wait_until_ready(self, deployment: str, replicas: int, timeout_seconds: float) -> None:
        """Until there are exactly so many, all ready: one that is still going away would take part in the measurement."""
        self.wait_for(deployment, lambda scale: scale == Scale(replicas, replicas, replicas), timeout_seconds)

    def _bound(self, name: str, least: int, most: int) -> None:
        patch = json.dumps({"spec": {"minReplicas": least, "maxReplicas": most}})
        self._run("patch", f"horizontalpodautoscaler/{name}", "--type=merge", f"--patch={patch}")

    def _get(self, kind: str, name: str) -> dict[str, Any]:
        found = self._find(kind, name)
        if found is None:
            raise ClusterError(f"no {kind} {name}")
        return found

    def _find(self, kind: str, name: str) -> dict[str, Any] | None:
        text = self._run("get", kind, name, "--ignore-not-found", "--output=json")
        return json.loads(text) if text.strip() else None

    def _run(self, *parameters: str) -> str:
        ended = subprocess.run([*self._command, *parameters], capture_output=True, text=True, check=False)
        if ended.returncode != 0:
            raise ClusterError(f"kubectl {' '.join(parameters)}: {ended.stderr.strip()}")
        return ended.stdout
