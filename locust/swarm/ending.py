"""The end of a run: its summary, the verdict, the reports and the exit code."""

from __future__ import annotations

import logging
from pathlib import Path

import gevent
from locust import LoadTestShape, stats
from locust.env import Environment
from locust.event import Events
from locust.runners import STATE_STOPPED, WorkerRunner

from .profiles import Profile
from .report import write_report
from .settings import Settings
from .summary import summarize
from .thresholds import Verdict, judge

log = logging.getLogger("swarm")

# Seconds between two points of the plots.
SAMPLE_SECONDS = 2
POLL_SECONDS = 0.2


def judge_at_the_end(events: Events, settings: Settings) -> None:
    """
    Registers what the master, or a process without workers, does when a run is over. A run stops before its last requests have been counted: workers report
    every few seconds. They have when the process quits and, where it lives on behind its web page, when all workers have stopped.
    """
    stats.HISTORY_STATS_INTERVAL_SEC = SAMPLE_SECONDS

    @events.test_stop.add_listener
    def _(environment: Environment, **_: object) -> None:
        if environment.web_ui is not None and not isinstance(environment.runner, WorkerRunner):
            gevent.spawn(judge_when_stopped, environment, settings)

    @events.quitting.add_listener
    def _(environment: Environment, **_: object) -> None:
        judge_run(environment, settings)


def judge_when_stopped(environment: Environment, settings: Settings) -> None:
    while environment.runner is not None and environment.runner.state != STATE_STOPPED:
        gevent.sleep(POLL_SECONDS)
    judge_run(environment, settings)


def judge_run(environment: Environment, settings: Settings) -> None:
    runner = environment.runner
    if runner is None or isinstance(runner, WorkerRunner):
        return
    summary = summarize(runner, environment.host or settings.host)
    verdict = Verdict(()) if settings.thresholds is None else judge(summary, settings.thresholds)
    for criterion in verdict.criteria:
        level, remark = (logging.INFO, "") if criterion.met else (logging.ERROR, " – NOT MET")
        log.log(level, "%s: %s, wanted %s%s", criterion.name, criterion.measured, criterion.limit, remark)
    log.info("verdict: %s", "passed" if verdict.passed else "failed")
    if settings.report_dir:
        write_report(Path(settings.report_dir), summary, verdict)
    # Else Locust's own rule would count: 1 when any single request failed.
    environment.process_exit_code = 0 if verdict.passed else 1


def shape_class(profile: Profile) -> type[LoadTestShape]:
    """A profile as Locust wants it."""

    class Shape(LoadTestShape):
        def tick(self) -> tuple[int, float] | None:
            return profile.at(self.get_run_time())

    return Shape
