import json
from datetime import datetime, timezone

import pytest
from swarm.payloads import FEATURES, PredictBodies, bad_inputs, feature_columns, timestamps

START = datetime(2026, 1, 1, 12, 0, 30, tzinfo=timezone.utc)


def test_times_are_unique_and_one_step_apart():
    times = timestamps(30, START, 2)
    assert len(set(times)) == 30
    assert times[:2] == ["2026-01-01 12:00:30", "2026-01-01 12:02:30"]
    parsed = [datetime.fromisoformat(time) for time in times]
    assert {(later - earlier).total_seconds() for earlier, later in zip(parsed, parsed[1:])} == {120}


def test_a_body_is_what_the_reference_sends():
    body = json.loads(PredictBodies(rows=30, step_minutes=1, steps=3, epoch=START).body(0))
    assert body["index_col"] == "ts"
    assert body["inference_length"] == 3
    data = body["data"]
    assert list(data) == ["ts", *FEATURES]
    assert {len(column) for column in data.values()} == {30}
    assert data["ts"][0] == "2026-01-01 12:00:00"
    assert [data[name][7] for name in ("down", "up", "rnti_count", "mcs_down", "mcs_up")] == [1.2e7, 8000, 2007, 12, 15]
    assert data["rb_down_var"][7] == pytest.approx(1.07e-7)


def test_measurements_repeat_after_fifty_rows():
    columns = feature_columns(60)
    assert all(column[:10] == column[50:] for column in columns.values())


def test_each_body_begins_where_the_forecast_of_the_one_before_ends():
    bodies = PredictBodies(rows=2, step_minutes=1, steps=10, epoch=START)
    starts = [json.loads(bodies.body(sequence))["data"]["ts"][0] for sequence in range(3)]
    assert starts == ["2026-01-01 12:00:00", "2026-01-01 12:10:00", "2026-01-01 12:20:00"]


def test_times_never_leave_the_year_however_long_a_swarm_runs():
    bodies = PredictBodies(rows=2, step_minutes=1, steps=100, epoch=START)
    start = json.loads(bodies.body(10**9))["data"]["ts"][0]
    assert "2026-01-01" <= start < "2027-01-02"


def test_every_bad_input_is_bad_in_one_way_and_names_its_refusal():
    cases = {case.name: case for case in bad_inputs(30, START, 1)}
    assert len(cases) == 6
    assert all(case.refusal for case in cases.values())
    identical = json.loads(cases["identical times"].body)["data"]
    assert len(identical["ts"]) == 30
    assert len(set(identical["ts"])) == 1
    twice = json.loads(cases["a time twice"].body)["data"]
    assert len(set(twice["ts"])) == 29
    assert "ts" not in json.loads(cases["no times"].body)["data"]
    assert len(json.loads(cases["a column too short"].body)["data"]["up"]) == 1
