import pytest
from swarm.settings import SettingsError, read_settings
from swarm.thresholds import PRESETS


def test_without_variables_it_is_the_reference_s_load_judged_strictly():
    settings = read_settings({})
    assert (settings.rows, settings.step_minutes, settings.steps, settings.wait_seconds) == (30, 1, 1, (1.0, 2.0))
    assert settings.weights == {"predict": 80, "healthz": 10, "download_processed": 0, "predict_bad_input": 5}
    assert settings.thresholds == PRESETS["strict"]
    assert settings.shape == ""


def test_an_empty_value_counts_as_unset():
    assert read_settings({"LOAD_SHAPE": "", "PREDICT_OUTPUT_LEN": " "}) == read_settings({})


def test_downloads_need_a_gateway():
    assert read_settings({"GATEWAY_BASE": "http://gateway:8000/"}).gateway == "http://gateway:8000"
    assert read_settings({"GATEWAY_BASE": "http://gateway:8000"}).weights["download_processed"] == 10


def test_single_thresholds_change_a_preset():
    thresholds = read_settings({"THRESHOLDS": "report", "THRESHOLD_P95_MS": "500"}).thresholds
    assert thresholds is not None
    assert (thresholds.p50_ms, thresholds.p95_ms) == (50, 500)
    assert read_settings({"THRESHOLDS": "off"}).thresholds is None


def test_a_swarm_that_never_waits():
    assert read_settings({"PREDICT_USER_WAIT_MIN": "0", "PREDICT_USER_WAIT_MAX": "0"}).wait_seconds == (0, 0)


def test_a_shape_has_a_length_of_its_own():
    assert read_settings({"LOAD_SHAPE": "soak"}).shape_seconds == 1800
    assert read_settings({"LOAD_SHAPE": "soak", "LOAD_SECONDS": "60"}).shape_seconds == 60


def test_all_faults_are_named_at_once():
    with pytest.raises(SettingsError) as raised:
        read_settings(
            {
                "LOAD_SHAPE": "storm",
                "LOAD_USERS": "0",
                "THRESHOLD_RPS": "many",
                "TARGET_HOST": "inference",
                "LOCUST_WEIGHTS": "predict=0",
                "PREDICT_USER_WAIT_MIN": "3",
                "PREDICT_USER_WAIT_MAX": "2",
            }
        )
    for name in ("LOAD_SHAPE", "LOAD_USERS", "THRESHOLD_RPS", "TARGET_HOST", "LOCUST_WEIGHTS", "PREDICT_USER_WAIT_MIN"):
        assert name in str(raised.value)


def test_tasks_that_are_not_weighted_are_not_done():
    weights = read_settings({"LOCUST_WEIGHTS": "predict=1"}).weights
    assert weights == {"predict": 1, "healthz": 0, "download_processed": 0, "predict_bad_input": 0}
