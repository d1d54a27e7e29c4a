"""The users: what they ask, in the reference's names of requests, and what they take for an answer (reference behaviour §8.1)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import datetime, timezone
from time import monotonic

import gevent
from gevent.lock import BoundedSemaphore
from locust import FastHttpUser, between, constant
from locust.contrib.fasthttp import ResponseContextManager

from .payloads import CACHED_BODY, BadInput, PredictBodies, bad_inputs
from .settings import Settings

JSON = {"Content-Type": "application/json"}
ERROR_CHARACTERS = 160


class Material:
    """What the users of one process share. The first of them waits until the service has a model; the others wait for the first."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._lock = BoundedSemaphore()
        self._prepared = False
        self._sequence = itertools.count()
        self._fit_rows(settings.rows)

    def _fit_rows(self, rows: int) -> None:
        now = datetime.now(timezone.utc)
        step = self.settings.step_minutes
        self._bodies = PredictBodies(rows, step, self.settings.steps, now)
        self._bad: Iterator[BadInput] = itertools.cycle(bad_inputs(rows, now, step))

    def body(self) -> bytes:
        return CACHED_BODY if self.settings.cached else self._bodies.body(next(self._sequence))

    def bad_input(self) -> BadInput:
        return next(self._bad)

    def prepare(self, user: FastHttpUser) -> None:
        with self._lock:
            if self._prepared:
                return
            self._prepared = True
            if self.settings.wait_for_model_seconds > 0:
                wait_for_model(user, self.settings)
            with user.client.get("/predict_ping", name="predict_ping", catch_response=True) as answer:
                needed = (json_of(answer) or {}).get("input_seq_len")
                answer.success()
            # A model with a longer window gets as many rows as it needs.
            if isinstance(needed, int) and needed > self.settings.rows:
                self._fit_rows(needed)
            ask_forecast(user, self, "predict_warmup", {})


def wait_for_model(user: FastHttpUser, settings: Settings) -> None:
    """Asks once a second; only giving up is a failure."""
    deadline = monotonic() + settings.wait_for_model_seconds
    while True:
        with user.client.get(settings.health_url, name="healthz-warm", catch_response=True) as answer:
            ready = (json_of(answer) or {}).get("model_ready") is True
            if not ready and monotonic() >= deadline:
                answer.failure(f"no model after {settings.wait_for_model_seconds:g} s")
                return
            answer.success()
        if ready:
            return
        gevent.sleep(1)


def ask_forecast(user: FastHttpUser, material: Material, name: str, headers: dict[str, str]) -> None:
    settings = material.settings
    with user.client.post(
        settings.predict_url, data=material.body(), name=name, headers={**JSON, **headers}, catch_response=True
    ) as answer:
        if answer.status_code != 200:
            fail(answer)
            return
        text = answer.text or ""
        steps = 1 if settings.cached else settings.steps
        if '"status":"SUCCESS' not in text or text.count('"ts":') != steps:
            answer.failure(f"no forecast of {steps} steps: {text[:ERROR_CHARACTERS]}")


def pipeline_user(settings: Settings) -> type[FastHttpUser]:
    """The class that Locust makes users of; one for each process."""
    material = Material(settings)
    shortest, longest = settings.wait_seconds

    class PipelineUser(FastHttpUser):
        host = settings.host
        wait_time = between(shortest, longest) if longest > 0 else constant(0)
        # A service that answers later than this has failed, and one that hangs must not hang the swarm.
        network_timeout = 60.0
        connection_timeout = 10.0

        def on_start(self) -> None:
            self.asked = 0
            material.prepare(self)

        def headers(self) -> dict[str, str]:
            """A connection stays with the replica that it was made to: it has to end for others to be found."""
            self.asked += 1
            every = settings.requests_per_connection
            return {"Connection": "close"} if every > 0 and self.asked % every == 0 else {}

        def predict(self) -> None:
            ask_forecast(self, material, "predict", self.headers())

        def healthz(self) -> None:
            self.client.get(settings.health_url, name="healthz", headers=self.headers())

        def download_processed(self) -> None:
            self.client.get(f"{settings.gateway}{settings.download_url}", name="download_processed")

        def predict_bad_input(self) -> None:
            bad = material.bad_input()
            with self.client.post(
                settings.predict_url, data=bad.body, name="predict_bad_input", headers={**JSON, **self.headers()}, catch_response=True
            ) as answer:
                if answer.status_code == 400 and bad.refusal in (answer.text or ""):
                    answer.success()
                else:
                    fail(answer, f"{bad.name}: ")

        tasks = {
            task: settings.weights[task.__name__]
            for task in (predict, healthz, download_processed, predict_bad_input)
            if settings.weights[task.__name__] > 0
        }

    return PipelineUser


def json_of(answer: ResponseContextManager) -> dict[str, object] | None:
    try:
        value = answer.json()
    except Exception:  # Whatever a server that is not up yet sends, it is no JSON.
        return None
    return value if isinstance(value, dict) else None


def fail(answer: ResponseContextManager, what: str = "") -> None:
    # No status: there was no answer, and the error says why.
    told = answer.error if answer.status_code == 0 else f"status {answer.status_code}: {(answer.text or '')[:ERROR_CHARACTERS]}"
    answer.failure(f"{what}{told}")
