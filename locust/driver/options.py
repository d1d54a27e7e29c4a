"""What the driver is told: command line first, environment next, then the reference's values (reference behaviour §8.2)."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path


def parse(arguments: Sequence[str], environment: Mapping[str, str]) -> Namespace:
    parser = ArgumentParser(prog="drive.py", description="Load tests on a cluster, through kubectl and Locust's master.")
    commands = parser.add_subparsers(dest="command", required=True)
    matrix = commands.add_parser("matrix", help="every combination of replicas, workers and users, with the autoscaler held still")
    hpa = commands.add_parser("hpa", help="what the autoscaler does under load, and after it")

    def option(command: ArgumentParser, name: str, fallback: str, kind: type | object, text: str) -> None:
        variable = name.upper().replace("-", "_")
        command.add_argument(
            f"--{name}",
            default=environment.get(variable) or fallback,
            type=kind,  # type: ignore[arg-type]
            help=f"{text} ({variable}; {fallback or 'none'})",
        )

    for command in (matrix, hpa):
        option(command, "master-url", "http://localhost:30089", str, "Locust's master, as seen from here")
        option(command, "target-host", "http://inference:8000", str, "what the swarm asks, as seen from its workers")
        option(command, "namespace", "flts", str, "where the deployment under load is")
        option(command, "load-namespace", "", str, "where the swarm is, if elsewhere")
        option(command, "kubectl", "kubectl", str, "the program")
        option(command, "deployment", "inference", str, "the deployment under load")
        option(command, "worker-deployment", "locust-worker", str, "the swarm's workers")
        option(command, "worker-counts", "4,8", counts, "workers")
        option(command, "test-duration", "120", float, "seconds under load")
        option(command, "ready-timeout", "120", float, "seconds until replicas must be ready")
        option(command, "monitoring-interval", "10", float, "seconds between two samples of the replicas")
        option(command, "output", "load-results", Path, "folder for tables and timelines")
    option(matrix, "replica-counts", "1,2,4,8", counts, "replicas")
    option(matrix, "user-counts", "200,400,800", counts, "users")
    option(matrix, "cool-down", "15", float, "seconds between two runs")
    option(hpa, "user-counts", "50,100,200,400", counts, "users")
    option(hpa, "min-replicas", "2", int, "the autoscaler's bounds")
    option(hpa, "max-replicas", "20", int, "the autoscaler's bounds")
    option(hpa, "settle-timeout", "1500", float, "seconds that the replicas may take to become few again")
    return parser.parse_args(arguments)


def counts(text: str) -> list[int]:
    try:
        found = [int(item) for item in text.split(",")]
    except ValueError:
        found = []
    if not found or min(found) < 1:
        raise ArgumentTypeError(f"{text!r} is no list of whole numbers from 1 on")
    return found
