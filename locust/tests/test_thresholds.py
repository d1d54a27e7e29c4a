import pytest
from runs import row, summary
from swarm.thresholds import PRESETS, judge

STRICT, REPORT = PRESETS["strict"], PRESETS["report"]


def unmet(run, thresholds=STRICT) -> list[str]:
    return [criterion.name for criterion in judge(run, thresholds).criteria if not criterion.met]


def test_a_good_run_passes():
    verdict = judge(summary(row("predict")), STRICT)
    assert verdict.passed
    assert unmet(summary(row("predict"))) == []


@pytest.mark.parametrize(
    ("name", "run"),
    [
        ("predict p50", summary(row("predict", p50=50))),
        ("predict p95", summary(row("predict", p95=200))),
        ("throughput", summary(row("predict"), total=row("all", rps=30))),
        ("failures", summary(row("predict"), total=row("all", failures=50))),
    ],
)
def test_the_report_s_limits_are_limits_and_not_values_that_may_be_reached(name, run):
    assert unmet(run, REPORT) == [name]


def test_the_strict_limits_refuse_what_the_report_lets_pass():
    run = summary(row("predict", p50=49, p95=199), total=row("all", failures=49))
    assert unmet(run, REPORT) == []
    assert unmet(run, STRICT) == ["failures", "predict p50", "predict p95"]


def test_cheap_requests_do_not_make_up_for_slow_forecasts():
    run = summary(row("predict", p50=500, p95=900), row("healthz", requests=10**6), total=row("all", p50=1, p95=1))
    assert unmet(run) == ["predict p50", "predict p95"]


def test_a_run_that_asked_nothing_fails():
    assert "predict requests" in unmet(summary(total=row("all", requests=0)))
    assert "predict requests" in unmet(summary(row("predict", requests=0)))


def test_an_error_of_the_swarm_itself_fails_the_run():
    assert unmet(summary(row("predict"), exceptions=1)) == ["errors in the swarm itself"]


def test_the_report_s_own_run_fails():
    """50 users, 1,321 requests, 1,058 failed (validation report §4.2)."""
    assert "failures" in unmet(summary(row("predict"), total=row("all", 1321, 1058, 13, 47, 36.7)), REPORT)
