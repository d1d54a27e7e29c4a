import csv
from argparse import Namespace
from pathlib import Path

import pytest
from driver.cluster import Cluster, ClusterError
from driver.hpa import run_hpa
from driver.master import Master, MasterError
from driver.matrix import run_matrix
from driver.options import parse


def options(command: str, url: str, folder: Path, *more: str) -> Namespace:
    quick = ["--test-duration", "0.2", "--monitoring-interval", "0.05", "--ready-timeout", "0.1"]
    where = ["--master-url", url, "--output", str(folder)]
    return parse([command, *quick, *where, *more], {})


def rows(path: Path) -> list[list[str]]:
    with path.open(newline="") as file:
        return list(csv.reader(file))


def test_a_matrix_measures_every_combination_and_writes_the_reference_s_table(cluster, master, tmp_path):
    fake, url = master
    chosen = ["--replica-counts", "1,2", "--worker-counts", "4", "--user-counts", "200,800", "--cool-down", "0"]
    assert run_matrix(options("matrix", url, tmp_path, *chosen))
    head, *table = rows(tmp_path / "auto_summary.csv")
    assert ",".join(head) == "Replicas,Workers,Users,RPS,Median_ms,P95_ms,P99_ms,Failures_Pct,Total_Requests,Duration_s,Timestamp,Status"
    assert [row[:9] for row in table] == [
        [replicas, "4", users, "122.70", "11", "47", "100", "0.00", "2000"] for replicas in "12" for users in ("200", "800")
    ]
    assert {row[11] for row in table} == {"ok"}
    assert [form for path, form in fake.calls if path == "/swarm"][:2] == [
        {"user_count": "200", "spawn_rate": "20", "host": "http://inference:8000"},
        {"user_count": "800", "spawn_rate": "50", "host": "http://inference:8000"},
    ]
    assert [path for path, _ in fake.calls[:3]] == ["/swarm", "/stats/reset", "/stop"]
    assert (tmp_path / "timeline-2-4-800.txt").read_text().startswith("Time: T+0s → CPU: – → Replicas: 2 (2 ready)\n")


def test_a_matrix_leaves_the_cluster_as_it_was(cluster, master, tmp_path):
    _, url = master
    cluster.autoscale("inference", 2, 20, 12)
    run_matrix(options("matrix", url, tmp_path, "--replica-counts", "8", "--worker-counts", "4", "--user-counts", "200", "--cool-down", "0"))
    assert cluster.spec_of("horizontalpodautoscaler", "inference") == {"minReplicas": 2, "maxReplicas": 20}
    # Held by its bounds: the autoscaler would undo anything else.
    assert cluster.changes[0] == 'patch horizontalpodautoscaler/inference --type=merge --patch={"spec": {"minReplicas": 8, "maxReplicas": 8}}'
    assert cluster.spec_of("deployment", "locust-worker") == {"replicas": 4}


def test_replicas_that_do_not_come_are_a_row_that_says_so_and_the_next_run_takes_place(cluster, master, tmp_path):
    _, url = master
    cluster.room = 4
    chosen = ["--replica-counts", "8,2", "--worker-counts", "4", "--user-counts", "200", "--cool-down", "0"]
    assert not run_matrix(options("matrix", url, tmp_path, *chosen))
    _, eight, two = rows(tmp_path / "auto_summary.csv")
    assert eight[11] == "failed: inference: 4 of 8 ready after 0.1 s"
    assert eight[3] == ""
    assert two[11] == "ok"
    assert cluster.spec_of("deployment", "inference") == {"replicas": 2}


def test_the_swarm_may_be_in_a_namespace_of_its_own(cluster, master, tmp_path):
    cluster.load_namespace = "flts-load"
    cluster.autoscale("inference", 2, 20, 12)
    few = ["--worker-counts", "4", "--user-counts", "50", "--load-namespace", "flts-load"]
    assert run_hpa(options("hpa", master[1], tmp_path, *few))
    assert run_matrix(options("matrix", master[1], tmp_path, *few, "--replica-counts", "1", "--cool-down", "0"))


def test_failed_requests_fail_the_run(cluster, master, tmp_path):
    fake, url = master
    fake.failures = 20
    assert not run_matrix(options("matrix", url, tmp_path, "--replica-counts", "1", "--worker-counts", "4", "--user-counts", "200", "--cool-down", "0"))
    assert rows(tmp_path / "auto_summary.csv")[1][7] == "1.00"


def test_an_hpa_test_writes_the_reference_s_table_and_the_timeline(cluster, master, tmp_path):
    _, url = master
    cluster.autoscale("inference", 2, 4, 61)
    assert run_hpa(options("hpa", url, tmp_path, "--worker-counts", "4", "--user-counts", "50", "--settle-timeout", "1"))
    head, row = rows(tmp_path / "hpa_summary.csv")
    assert ",".join(head) == (
        "Workers,Users,InitialReplicas,PeakReplicas,FinalReplicas,MinReplicas,MaxReplicas,AvgCPU%,ScalingEvents,ScaleUpEvents,"
        "ScaleDownEvents,RPS,Median_ms,P95_ms,P99_ms,AvgLatency_ms,Failures,Failures_Pct,TotalRequests,Duration_s"
    )
    assert row[:19] == "4,50,2,2,2,2,20,61.00,0,0,0,122.70,11,47,100,12.34,0,0.00,2000".split(",")
    assert (tmp_path / "timeline-hpa-4-50.txt").read_text().startswith("Time: T+0s → CPU: 61% → Replicas: 2 (2 ready)\n")
    assert cluster.spec_of("horizontalpodautoscaler", "inference") == {"minReplicas": 2, "maxReplicas": 4}


def test_an_hpa_test_without_an_autoscaler_says_so(cluster, master, tmp_path):
    with pytest.raises(ClusterError, match="no HorizontalPodAutoscaler inference"):
        run_hpa(options("hpa", master[1], tmp_path))


def test_a_worker_that_was_lost_does_not_count_and_has_to_be_forgotten_first(master):
    fake, url = master
    fake.workers = ["ready", "missing", "running", "spawning"]
    with pytest.raises(MasterError, match="3 workers instead of 4"):
        Master(url).wait_for_workers(4, 0)
    with pytest.raises(MasterError, match="1 missing"):
        Master(url).wait_for_workers(3, 0)
    fake.workers.remove("missing")
    Master(url).wait_for_workers(3, 0)


def test_a_swarm_that_starts_anew_when_it_is_stopped_is_stopped_again(master):
    fake, url = master
    fake.states_after_stop = ["stopping", "running", "stopped"]
    Master(url).stop()
    assert [path for path, _ in fake.calls] == ["/stop", "/stop"]


def test_a_swarm_that_does_not_stop_is_told_of(master, monkeypatch):
    fake, url = master
    fake.states_after_stop = ["stopping"]
    monkeypatch.setattr("driver.master.STOP_PATIENCE_SECONDS", 0)
    with pytest.raises(MasterError, match="stopping 0 s after it was told to stop"):
        Master(url).stop()


def test_a_master_that_refuses_is_told_of_with_its_words(master):
    fake, url = master
    fake.refusal = "no users"
    with pytest.raises(MasterError, match="no users"):
        Master(url).swarm(1, 1, "http://inference:8000")


def test_a_swarm_whose_users_never_come_is_told_of_and_stopped(cluster, master, tmp_path, monkeypatch):
    fake, url = master
    fake.states = ["spawning"]
    monkeypatch.setattr("driver.master.SPAWN_PATIENCE_SECONDS", -10)
    chosen = ["--replica-counts", "1", "--worker-counts", "4", "--user-counts", "200", "--cool-down", "0"]
    assert not run_matrix(options("matrix", url, tmp_path, *chosen))
    assert rows(tmp_path / "auto_summary.csv")[1][11].endswith("spawning instead of running 200 users")
    assert fake.calls[-1][0] == "/stop"


def test_a_master_that_is_not_there_is_named():
    with pytest.raises(MasterError, match="http://127.0.0.1:9/stop"):
        Master("http://127.0.0.1:9").stop()


def test_kubectl_s_own_words_come_through(tmp_path):
    kubectl = tmp_path / "kubectl"
    kubectl.write_text("#!/bin/sh\necho \"$*: forbidden\" >&2\nexit 1\n")
    kubectl.chmod(0o755)
    with pytest.raises(ClusterError, match="--namespace load scale deployment/train --replicas=1: forbidden"):
        Cluster("load", str(kubectl)).scale("train", 1)


def test_the_environment_names_what_the_command_line_does_not():
    chosen = parse(["matrix", "--user-counts", "5"], {"MASTER_URL": "http://locust-master:8089", "USER_COUNTS": "7", "COOL_DOWN": ""})
    assert (chosen.master_url, chosen.user_counts, chosen.cool_down) == ("http://locust-master:8089", [5], 15)


def test_the_reference_s_matrix_is_the_default():
    chosen = parse(["matrix"], {})
    assert (chosen.replica_counts, chosen.worker_counts, chosen.user_counts) == ([1, 2, 4, 8], [4, 8], [200, 400, 800])
    assert chosen.test_duration == 120


@pytest.mark.parametrize("text", ["", "0", "1,x", "-1"])
def test_counts_must_be_counts(text, capsys):
    with pytest.raises(SystemExit):
        parse(["matrix", f"--user-counts={text or ','}"], {})
    assert "--user-counts" in capsys.readouterr().err
