"""
The load test of inference. What it does is said by environment variables, which docs/operations.md lists:

    LOAD_SHAPE=ramp LOAD_USERS=200 LOCUST_REPORT_DIR=out locust -f locust/locustfile.py --headless --host http://localhost:8023

Without LOAD_SHAPE, Locust's own --users, --spawn-rate and --run-time count. The exit code is the verdict.
"""

import os
import sys

from locust import events
from swarm.ending import judge_at_the_end, shape_class
from swarm.profiles import profile
from swarm.settings import SettingsError, read_settings
from swarm.users import pipeline_user

# sysexits.h, EX_CONFIG: as the services do.
WRONG_SETTINGS = 78

try:
    settings = read_settings(os.environ)
except SettingsError as error:
    print(f"wrong settings: {error}", file=sys.stderr)
    sys.exit(WRONG_SETTINGS)

PipelineUser = pipeline_user(settings)
if settings.shape:
    Shape = shape_class(profile(settings.shape, settings.shape_users, settings.shape_seconds))
judge_at_the_end(events, settings)
