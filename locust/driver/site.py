"""Where a load test takes place: the service, the swarm and its master."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import dataclass

from .cluster import Cluster
from .master import Master


@dataclass(frozen=True)
class Site:
    service: Cluster
    swarm: Cluster
    master: Master


def site_of(options: Namespace) -> Site:
    return Site(
        service=Cluster(options.namespace, options.kubectl),
        swarm=Cluster(options.load_namespace or options.namespace, options.kubectl),
        master=Master(options.master_url),
    )
