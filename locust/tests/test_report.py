import json
from xml.etree import ElementTree

from runs import row, summary
from swarm.plots import line_plot, nice_top
from swarm.report import write_report
from swarm.summary import Failure
from swarm.thresholds import PRESETS, Verdict, judge


def test_a_report_holds_verdict_requests_failures_and_plots(tmp_path):
    failures = (Failure("predict", "status 500: <b>a|b</b>", 3),)
    run = summary(row("predict", failures=3), row("healthz"), failures=failures, exceptions=1)
    write_report(tmp_path / "out", run, judge(run, PRESETS["strict"]))
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"report.md", "report.html", "report.json", "throughput.svg", "latency.svg", "users.svg"}

    markdown = (tmp_path / "out" / "report.md").read_text()
    assert markdown.startswith("# Load test: FAILED")
    assert "| errors in the swarm itself | none | 1 | NO |" in markdown
    assert "| predict | 1000 | 3 | 0.30 |" in markdown
    assert "a&#124;b" in markdown
    assert "![latency](latency.svg)" in markdown

    html = (tmp_path / "out" / "report.html").read_text()
    assert html.count("<svg") == 3
    assert "&lt;b&gt;" in html and "<b>a" not in html

    document = json.loads((tmp_path / "out" / "report.json").read_text())
    assert document["passed"] is False
    assert document["summary"]["rows"][0]["name"] == "predict"


def test_a_run_without_thresholds_is_not_judged(tmp_path):
    write_report(tmp_path, summary(row("predict")), Verdict(()))
    assert (tmp_path / "report.md").read_text().startswith("# Load test: not judged")


def test_a_plot_is_well_formed_and_stays_inside_its_frame():
    svg = line_plot("a < b", "ms", {"p50": [(0, 0), (5, 7), (10, 3)], "none": []})
    root = ElementTree.fromstring(svg)
    lines = [element for element in root if element.tag.endswith("polyline")]
    assert len(lines) == 2
    points = [tuple(map(float, point.split(","))) for point in lines[0].attrib["points"].split()]
    assert all(56 <= x <= 708 and 36 <= y <= 212 for x, y in points)
    assert points[1][1] < points[2][1] < points[0][1]


def test_an_axis_ends_at_a_round_number():
    assert [nice_top(value) for value in (0, 0.03, 1, 7, 10, 23, 99, 101)] == [1, 0.05, 1, 10, 10, 50, 100, 200]
