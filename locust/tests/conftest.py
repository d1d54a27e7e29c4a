import json
import subprocess
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs

import pytest


class FakeCluster:
    """Deployments and autoscalers, and a kubectl for them: what `scale` and `patch` set, `get` tells. Pods are ready at once, while there is room."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], dict[str, Any]] = {}
        self.room = 100
        self.load_namespace = "flts"
        self.changes: list[str] = []
        self.deploy("inference", 2)
        self.deploy("locust-worker", 4)

    def deploy(self, name: str, replicas: int) -> None:
        status = {"replicas": replicas, "readyReplicas": min(replicas, self.room)}
        self.objects["deployment", name] = {"spec": {"replicas": replicas}, "status": status}

    def autoscale(self, name: str, least: int, most: int, cpu_percent: int | None) -> None:
        current = {} if cpu_percent is None else {"averageUtilization": cpu_percent}
        metrics = [{"type": "Resource", "resource": {"name": "cpu", "current": current}}]
        spec = {"minReplicas": least, "maxReplicas": most}
        self.objects["horizontalpodautoscaler", name] = {"spec": spec, "status": {"currentMetrics": metrics}}

    def spec_of(self, kind: str, name: str) -> dict[str, Any]:
        return self.objects[kind, name]["spec"]

    def kubectl(self, command: Sequence[str], **_: object) -> subprocess.CompletedProcess[str]:
        program, option, namespace, verb, *rest = command
        assert (program, option) == ("kubectl", "--namespace")
        assert namespace == (self.load_namespace if "locust-worker" in " ".join(rest) else "flts")
        if verb == "get":
            found = self.objects.get((rest[0], rest[1]))
            return subprocess.CompletedProcess(command, 0, "" if found is None else json.dumps(found), "")
        self.changes.append(" ".join([verb, *rest]))
        kind, name = rest[0].split("/")
        if (kind, name) not in self.objects:
            return subprocess.CompletedProcess(command, 1, "", f'{kind}s "{name}" not found')
        if verb == "scale":
            self.deploy(name, int(rest[1].removeprefix("--replicas=")))
        else:
            self.spec_of(kind, name).update(json.loads(rest[2].removeprefix("--patch="))["spec"])
        return subprocess.CompletedProcess(command, 0, "", "")


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> FakeCluster:
    fake = FakeCluster()
    monkeypatch.setattr("driver.cluster.subprocess.run", fake.kubectl)
    monkeypatch.setattr("driver.cluster.POLL_SECONDS", 0.01)
    monkeypatch.setattr("driver.master.POLL_SECONDS", 0.01)
    return fake


class FakeMaster:
    """Locust's master as the driver sees it: four workers, and the counts that it is given."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, str]]] = []
        self.failures = 0
        self.workers = ["ready"] * 4
        self.refusal: str | None = None
        self.states = ["spawning", "running"]
        """What it says one time after the other; the last one from then on."""
        self.states_after_stop = ["stopping", "stopped"]
        """The same from the first stop on: a second one goes on in it."""

    def answer(self, path: str, form: dict[str, str] | None) -> object:
        if form is not None:
            self.calls.append((path, form))
        if path == "/swarm":
            self.states = ["spawning", "running"] if self.states == ["stopped"] else self.states
            return {"success": self.refusal is None, "message": self.refusal or "Swarming started"}
        if path == "/stop":
            self.states = self.states_after_stop
            return {"success": True}
        if path == "/stats/reset":
            return "ok"
        total = {
            "name": "Aggregated",
            "num_requests": 2000,
            "num_failures": self.failures,
            "total_rps": 122.7,
            "avg_response_time": 12.34,
            "median_response_time": 11,
            "response_time_percentile_0.95": 47,
            "response_time_percentile_0.99": 100,
        }
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        workers = [{"state": state} for state in self.workers]
        return {"stats": [{**total, "name": "predict"}, total], "workers": workers, "state": state}


@pytest.fixture
def master() -> Iterator[tuple[FakeMaster, str]]:
    fake = FakeMaster()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.reply(None)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
            self.reply({name: values[0] for name, values in parse_qs(body).items()})

        def reply(self, form: dict[str, str] | None) -> None:
            payload = json.dumps(fake.answer(self.path, form)).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield fake, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
