"""`drive.py hpa`: whether the autoscaler moves under load, and comes back."""

from __future__ import annotations

from argparse import Namespace
from itertools import product

from .cluster import Cluster, ClusterError
from .master import MasterError
from .matrix import describe, put_under_load
from .site import Site, site_of
from .tables import HPA_HEADER, CsvTable
from .timeline import Movement, Sample, Watch, movement_of, render


def run_hpa(options: Namespace) -> bool:
    """Writes hpa_summary.csv and a timeline for each run. Returns whether every run took place and no request failed."""
    site = site_of(options)
    table = CsvTable(options.output / "hpa_summary.csv", HPA_HEADER)
    good = True
    with site.service.autoscaled_within(options.deployment, options.min_replicas, options.max_replicas):
        for workers in options.worker_counts:
            with site.swarm.fixed(options.worker_deployment, workers):
                for users in options.user_counts:
                    good &= measure(options, site, table, workers, users)
    return good


def measure(options: Namespace, site: Site, table: CsvTable, workers: int, users: int) -> bool:
    print(f"{workers} workers, {users} users:", flush=True)
    try:
        settle(options, site.service)
        site.swarm.wait_until_ready(options.worker_deployment, workers, options.ready_timeout)
        site.master.wait_for_workers(workers, options.ready_timeout)
        watch = Watch(site.service, options.deployment, options.monitoring_interval, print_sample)
        try:
            outcome, seconds = put_under_load(options, site.master, users)
            settle(options, site.service)
        finally:
            samples = watch.stop()
            write_timeline(options, workers, users, samples)
    except (ClusterError, MasterError) as error:
        print(f"  failed: {error}", flush=True)
        return False
    movement = movement_of(samples)
    table.add(
        workers,
        users,
        *replica_cells(options, movement),
        outcome.rps,
        outcome.median_ms,
        outcome.p95_ms,
        outcome.p99_ms,
        outcome.mean_ms,
        outcome.failures,
        outcome.failures_percent,
        outcome.requests,
        seconds,
    )
    print(f"  {movement.initial} → {movement.peak} → {movement.final} replicas, {describe(outcome)}", flush=True)
    return outcome.requests > 0 and outcome.failures == 0


def replica_cells(options: Namespace, movement: Movement) -> list[object]:
    """InitialReplicas to ScaleDownEvents."""
    return [
        movement.initial,
        movement.peak,
        movement.final,
        options.min_replicas,
        options.max_replicas,
        movement.mean_cpu_percent,
        movement.ups + movement.downs,
        movement.ups,
        movement.downs,
    ]


def settle(options: Namespace, cluster: Cluster) -> None:
    """Until the replicas are as few as they may be, and ready."""
    few = options.min_replicas
    cluster.wait_for(options.deployment, lambda scale: scale.existing == few == scale.ready, options.settle_timeout)


def write_timeline(options: Namespace, workers: int, users: int, samples: list[Sample]) -> None:
    (options.output / f"timeline-hpa-{workers}-{users}.txt").write_text(render(samples), encoding="utf-8")


def print_sample(sample: Sample) -> None:
    print(f"  {render([sample])}", end="", flush=True)
