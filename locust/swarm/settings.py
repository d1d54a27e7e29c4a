"""The swarm's settings: environment variables, the reference's names where it has them (reference behaviour §8.1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from .profiles import DEFAULT_SECONDS
from .thresholds import PRESETS, Thresholds

T = TypeVar("T")

TASKS = ("predict", "healthz", "download_processed", "predict_bad_input")


class SettingsError(Exception):
    """Lists every variable at fault."""


@dataclass(frozen=True)
class Settings:
    host: str
    """Where the swarm goes when `--host` does not say."""
    predict_url: str
    health_url: str
    gateway: str
    """Base URL of the gateway; empty: nothing is downloaded."""
    download_url: str
    wait_seconds: tuple[float, float]
    """Each user waits so long between two requests; (0, 0): not at all."""
    weights: Mapping[str, int]
    cached: bool
    """Ask for the forecast of the server's own table instead of sending rows."""
    rows: int
    step_minutes: int
    steps: int
    """Forecast steps asked for, `inference_length`."""
    requests_per_connection: int
    """After so many a user opens a new connection, so that replicas that came later get their share; 0: never."""
    wait_for_model_seconds: float
    shape: str
    shape_users: int
    shape_seconds: float
    thresholds: Thresholds | None
    report_dir: str


def read_settings(environment: Mapping[str, str]) -> Settings:
    """An empty value counts as unset. Raises SettingsError."""
    faults: list[str] = []

    def read(name: str, fallback: T, parse: Callable[[str], T]) -> T:
        text = environment.get(name, "").strip()
        if text == "":
            return fallback
        try:
            return parse(text)
        except ValueError as error:
            faults.append(f"{name}={text}: {error}")
            return fallback

    preset_name = read("THRESHOLDS", "strict", one_of(*PRESETS, "off"))
    preset = PRESETS.get(preset_name, PRESETS["strict"])
    thresholds = Thresholds(
        failure_percent=read("THRESHOLD_FAILURE_PERCENT", preset.failure_percent, number),
        p50_ms=read("THRESHOLD_P50_MS", preset.p50_ms, number),
        p95_ms=read("THRESHOLD_P95_MS", preset.p95_ms, number),
        rps=read("THRESHOLD_RPS", preset.rps, number),
    )
    shape = read("LOAD_SHAPE", "", one_of(*DEFAULT_SECONDS))
    gateway = read("GATEWAY_BASE", "", url)
    weights = read("LOCUST_WEIGHTS", DEFAULT_WEIGHTS, weights_of)
    wait_min = read("PREDICT_USER_WAIT_MIN", 1.0, number)
    wait_for_model = read("LOCUST_WAIT_FOR_MODEL", True, flag)
    settings = Settings(
        host=read("TARGET_HOST", read("LOCUST_DEFAULT_HOST", "http://localhost:8023", url), url),
        predict_url=read("PREDICT_URL", "/predict", str),
        health_url=read("ENDPOINT_HEALTH", "/healthz", str),
        gateway=gateway,
        download_url=read("ENDPOINT_DOWNLOAD", "/download/processed-data/processed_data.meta.json", str),
        wait_seconds=(wait_min, read("PREDICT_USER_WAIT_MAX", max(2.0, wait_min), number)),
        weights=weights if gateway else {**weights, "download_processed": 0},
        cached=read("PREDICT_PAYLOAD_MODE", "synthetic", one_of("synthetic", "cached")) == "cached",
        rows=read("LOCUST_PAYLOAD_ROWS", 30, at_least(2)),
        step_minutes=read("LOCUST_TS_STEP_MINUTES", 1, at_least(1)),
        steps=read("PREDICT_OUTPUT_LEN", 1, at_least(1)),
        requests_per_connection=read("LOCUST_REQUESTS_PER_CONNECTION", 100, at_least(0)),
        wait_for_model_seconds=read("LOCUST_WAIT_FOR_MODEL_TIMEOUT", 60.0, number) if wait_for_model else 0.0,
        shape=shape,
        shape_users=read("LOAD_USERS", 50, at_least(1)),
        shape_seconds=read("LOAD_SECONDS", DEFAULT_SECONDS.get(shape, 0), at_least(1)),
        thresholds=None if preset_name == "off" else thresholds,
        report_dir=read("LOCUST_REPORT_DIR", "", str),
    )
    if settings.wait_seconds[0] > settings.wait_seconds[1]:
        faults.append("PREDICT_USER_WAIT_MIN: must not be more than PREDICT_USER_WAIT_MAX")
    if faults:
        raise SettingsError("; ".join(faults))
    return settings


DEFAULT_WEIGHTS: Mapping[str, int] = {
    "predict": 80,
    "healthz": 10,
    "download_processed": 10,
    "predict_bad_input": 5,
}


def number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise ValueError("must be a number from 0 on")
    return value


def at_least(least: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise ValueError(f"must be a whole number from {least} on")
        return int(text)

    return parse


def one_of(*choices: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return text

    return parse


def flag(text: str) -> bool:
    lower = text.lower()
    if lower not in ("1", "true", "yes", "on", "0", "false", "no", "off"):
        raise ValueError("must be 1 or 0")
    return lower in ("1", "true", "yes", "on")


def url(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise ValueError("must begin with http:// or https://")
    return text.rstrip("/")


def weights_of(text: str) -> Mapping[str, int]:
    """`predict=80,healthz=10`: tasks that are not named are not done."""
    weights = dict.fromkeys(TASKS, 0)
    for item in text.split(","):
        name, _, weight = item.partition("=")
        if name.strip() not in TASKS:
            raise ValueError(f"tasks are {', '.join(TASKS)}")
        weights[name.strip()] = at_least(0)(weight.strip())
    if weights["predict"] == 0:
        raise ValueError("predict must have a weight: it is what is measured")
    return weights
