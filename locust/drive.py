#!/usr/bin/env python3
"""
Load tests on a cluster whose swarm has a web page (helm: locust.enabled=true). Python's standard library and kubectl are all it needs.

    locust/drive.py matrix --replica-counts 1,2,4,8 --worker-counts 4,8 --user-counts 200,400,800
    locust/drive.py hpa --user-counts 50,400

Ends with 1 when a run did not take place or a request failed.
"""

import os
import sys

from driver.cluster import ClusterError
from driver.hpa import run_hpa
from driver.matrix import run_matrix
from driver.options import parse

COMMANDS = {"matrix": run_matrix, "hpa": run_hpa}

if __name__ == "__main__":
    options = parse(sys.argv[1:], os.environ)
    try:
        good = COMMANDS[options.command](options)
    except ClusterError as error:
        sys.exit(str(error))
    sys.exit(0 if good else 1)
