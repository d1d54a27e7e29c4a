"""The reference's tables (reference behaviour §8.2), one row after the other: what was measured stays when a later run fails."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

MATRIX_HEADER = "Replicas,Workers,Users,RPS,Median_ms,P95_ms,P99_ms,Failures_Pct,Total_Requests,Duration_s,Timestamp,Status".split(",")
HPA_HEADER = (
    "Workers,Users,InitialReplicas,PeakReplicas,FinalReplicas,MinReplicas,MaxReplicas,AvgCPU%,ScalingEvents,ScaleUpEvents,"
    "ScaleDownEvents,RPS,Median_ms,P95_ms,P99_ms,AvgLatency_ms,Failures,Failures_Pct,TotalRequests,Duration_s"
).split(",")


class CsvTable:
    def __init__(self, path: Path, header: Sequence[str]) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._write("w", header)

    def add(self, *cells: object) -> None:
        self._write("a", [f"{cell:.2f}" if isinstance(cell, float) else "" if cell is None else str(cell) for cell in cells])

    def _write(self, mode: str, cells: Sequence[str]) -> None:
        with self._path.open(mode, newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerow(cells)
