"""The report of a run: Markdown with its plots beside it, one HTML file that holds all, and JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from html import escape
from pathlib import Path

from .plots import line_plot
from .summary import Summary
from .thresholds import Verdict

NAMED_FAILURES = 20


def write_report(folder: Path, summary: Summary, verdict: Verdict) -> None:
    """Writes report.md, report.html, report.json and the plots as SVG; the folder is made."""
    folder.mkdir(parents=True, exist_ok=True)
    plots = plots_of(summary)
    for name, svg in plots.items():
        (folder / f"{name}.svg").write_text(svg, encoding="utf-8")
    (folder / "report.md").write_text(markdown(summary, verdict, list(plots)), encoding="utf-8")
    (folder / "report.html").write_text(html(summary, verdict, list(plots.values())), encoding="utf-8")
    document = {"passed": verdict.passed, "verdict": asdict(verdict), "summary": asdict(summary)}
    (folder / "report.json").write_text(json.dumps(document, indent=2), encoding="utf-8")


def plots_of(summary: Summary) -> dict[str, str]:
    moments = summary.moments
    return {
        "throughput": line_plot(
            "Requests and failures",
            "per second",
            {
                "requests": [(moment.seconds, moment.rps) for moment in moments],
                "failures": [(moment.seconds, moment.failures_per_second) for moment in moments],
            },
        ),
        "latency": line_plot(
            "Response times",
            "ms",
            {
                "p50": [(moment.seconds, moment.p50_ms) for moment in moments],
                "p95": [(moment.seconds, moment.p95_ms) for moment in moments],
            },
        ),
        "users": line_plot("Users", "at once", {"users": [(moment.seconds, moment.users) for moment in moments]}),
    }


Table = tuple[Sequence[str], list[Sequence[str]]]


def verdict_table(verdict: Verdict) -> Table:
    rows = [(criterion.name, criterion.limit, criterion.measured, "yes" if criterion.met else "NO") for criterion in verdict.criteria]
    return ("criterion", "wanted", "measured", "met"), rows


def request_table(summary: Summary) -> Table:
    head = ("request", "count", "failed", "failed %", "per second", "mean ms", "p50 ms", "p95 ms", "p99 ms", "max ms")
    rows = [
        (
            row.name,
            str(row.requests),
            str(row.failures),
            f"{row.failure_percent:.2f}",
            f"{row.rps:.1f}",
            f"{row.mean_ms:.1f}",
            *(f"{value:.0f}" for value in (row.p50_ms, row.p95_ms, row.p99_ms, row.max_ms)),
        )
        for row in (*summary.rows, summary.total)
    ]
    return head, rows


def failure_table(summary: Summary) -> Table:
    rows = [(failure.name, str(failure.count), failure.error) for failure in summary.failures[:NAMED_FAILURES]]
    return ("request", "count", "failure"), rows


def sections(summary: Summary, verdict: Verdict) -> Iterable[tuple[str, Table]]:
    if verdict.criteria:
        yield "Verdict", verdict_table(verdict)
    yield "Requests", request_table(summary)
    if summary.failures:
        yield "Failures", failure_table(summary)


def headline(verdict: Verdict) -> str:
    if not verdict.criteria:
        return "Load test: not judged"
    return f"Load test: {'passed' if verdict.passed else 'FAILED'}"


def subtitle(summary: Summary) -> str:
    return f"{summary.host}, {summary.started}, {summary.seconds:.0f} s, {summary.total.requests} requests"


def markdown(summary: Summary, verdict: Verdict, plots: Iterable[str]) -> str:
    def line(cells: Sequence[str]) -> str:
        return f"| {' | '.join(cell.replace('|', '&#124;').replace(chr(10), ' ') for cell in cells)} |"

    parts = [f"# {headline(verdict)}", subtitle(summary)]
    for title, (head, rows) in sections(summary, verdict):
        parts.append(f"## {title}")
        parts.append("\n".join([line(head), line(["---"] * len(head)), *map(line, rows)]))
    parts.append("## Over time")
    parts.extend(f"![{name}]({name}.svg)" for name in plots)
    return "\n\n".join(parts) + "\n"


STYLE = (
    "body{font:14px sans-serif;max-width:960px;margin:2em auto;padding:0 1em}table{border-collapse:collapse}"
    "td,th{border:1px solid #ccc;padding:.3em .6em;text-align:left}"
)


def html(summary: Summary, verdict: Verdict, plots: Iterable[str]) -> str:
    def line(cells: Sequence[str], tag: str) -> str:
        return f"<tr>{''.join(f'<{tag}>{escape(cell)}</{tag}>' for cell in cells)}</tr>"

    body = [f"<h1>{escape(headline(verdict))}</h1>", f"<p>{escape(subtitle(summary))}</p>"]
    for title, (head, rows) in sections(summary, verdict):
        body.append(f"<h2>{title}</h2><table>{line(head, 'th')}{''.join(line(row, 'td') for row in rows)}</table>")
    body.extend(["<h2>Over time</h2>", *plots])
    return f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(headline(verdict))}</title><style>{STYLE}</style>{"".join(body)}</html>\n'
