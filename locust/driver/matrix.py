"""`drive.py matrix`: the reference's scaling matrix."""

from __future__ import annotations

from argparse import Namespace
from datetime import datetime, timezone
from itertools import product
from time import monotonic, sleep

from .cluster import ClusterError
from .master import Master, MasterError, Outcome
from .site import Site, site_of
from .tables import MATRIX_HEADER, CsvTable
from .timeline import Watch, render

MAX_SPAWN_RATE = 50


def run_matrix(options: Namespace) -> bool:
    """Writes auto_summary.csv and a timeline for each run. Returns whether every run took place and no request failed."""
    site = site_of(options)
    table = CsvTable(options.output / "auto_summary.csv", MATRIX_HEADER)
    good = True
    for replicas, workers in product(options.replica_counts, options.worker_counts):
        with site.service.fixed(options.deployment, replicas), site.swarm.fixed(options.worker_deployment, workers):
            for users in options.user_counts:
                good &= measure(options, site, table, replicas, workers, users)
                sleep(options.cool_down)
    return good


def measure(options: Namespace, site: Site, table: CsvTable, replicas: int, workers: int, users: int) -> bool:
    timestamp = datetime.now(timezone.utc).isoformat(timespec="seconds")
    try:
        site.service.wait_until_ready(options.deployment, replicas, options.ready_timeout)
        site.swarm.wait_until_ready(options.worker_deployment, workers, options.ready_timeout)
        site.master.wait_for_workers(workers, options.ready_timeout)
        watch = Watch(site.service, options.deployment, options.monitoring_interval)
        try:
            outcome, seconds = put_under_load(options, site.master, users)
        finally:
            samples = watch.stop()
    except (ClusterError, MasterError) as error:
        table.add(replicas, workers, users, None, None, None, None, None, None, None, timestamp, f"failed: {error}")
        print(f"{replicas} replicas, {workers} workers, {users} users: failed: {error}", flush=True)
        return False
    (options.output / f"timeline-{replicas}-{workers}-{users}.txt").write_text(render(samples), encoding="utf-8")
    table.add(
        replicas,
        workers,
        users,
        outcome.rps,
        outcome.median_ms,
        outcome.p95_ms,
        outcome.p99_ms,
        outcome.failures_percent,
        outcome.requests,
        seconds,
        timestamp,
        "ok",
    )
    print(f"{replicas} replicas, {workers} workers, {users} users: {describe(outcome)}", flush=True)
    return outcome.requests > 0 and outcome.failures == 0


def put_under_load(options: Namespace, master: Master, users: int) -> tuple[Outcome, float]:
    """Counts while all users are there: neither the start nor the end is measured. Returns the counts and the seconds that they are of."""
    try:
        master.swarm(users, max(1, min(users // 10, MAX_SPAWN_RATE)), options.target_host)
        master.reset()
        begun = monotonic()
        sleep(options.test_duration)
        return master.outcome(), monotonic() - begun
    finally:
        master.stop()


def describe(outcome: Outcome) -> str:
    return (
        f"{outcome.rps:.1f} requests/s, median {outcome.median_ms:g} ms, p95 {outcome.p95_ms:g} ms, "
        f"{outcome.failures} of {outcome.requests} failed"
    )
