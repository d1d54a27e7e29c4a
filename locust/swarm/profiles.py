"""How many users there are over time: the scenarios that `LOAD_SHAPE` names."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import NamedTuple

# How long each takes unless LOAD_SECONDS says otherwise.
DEFAULT_SECONDS = {"burst": 120, "sustained": 300, "ramp": 300, "soak": 1800}

RAMP_STEPS = 10


class Stage(NamedTuple):
    until: float
    """Seconds from the start at which it ends."""
    users: int
    spawn_rate: float
    """Users started, or stopped, in a second."""


@dataclass(frozen=True)
class Profile:
    stages: tuple[Stage, ...]

    def at(self, seconds: float) -> tuple[int, float] | None:
        """Users and spawn rate at a time; None when it is over."""
        for until, users, spawn_rate in self.stages:
            if seconds < until:
                return users, spawn_rate
        return None


def profile(shape: str, users: int, seconds: float) -> Profile:
    """
    - burst: a tenth of the users, all of them at once, a tenth again, twice over: queues and refusals
    - sustained: all users throughout: the report's load
    - ramp: a tenth more in each tenth of the time: where latency bends, and when the autoscaler moves
    - soak: all users after a slow start, for long: leaks and drift
    """
    if shape not in DEFAULT_SECONDS:
        raise ValueError(f"no shape {shape!r}; there are {', '.join(DEFAULT_SECONDS)}")
    return Profile(tuple(SHAPES[shape](users, seconds)))


def burst(users: int, seconds: float) -> list[Stage]:
    calm = ceil(users / 10)
    return [Stage(seconds * (part + 1) / 5, (calm, users)[part % 2], users) for part in range(5)]


def sustained(users: int, seconds: float) -> list[Stage]:
    return [Stage(seconds, users, max(1, users / 5))]


def ramp(users: int, seconds: float) -> list[Stage]:
    steps = [ceil(users * (step + 1) / RAMP_STEPS) for step in range(RAMP_STEPS)]
    return [Stage(seconds * (step + 1) / RAMP_STEPS, count, ceil(users / RAMP_STEPS)) for step, count in enumerate(steps)]


def soak(users: int, seconds: float) -> list[Stage]:
    return [Stage(seconds, users, max(0.1, users / (seconds / 10)))]


SHAPES = {"burst": burst, "sustained": sustained, "ramp": ramp, "soak": soak}
