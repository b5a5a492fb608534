"""What a run found, for people on a terminal and for programs as JSON."""

from collections import Counter
from typing import Literal

import msgspec
from rich.console import Console
from rich.text import Text

Outcome = Literal["passed", "failed", "not run"]
MARKS: dict[Outcome, tuple[str, str]] = {
    "passed": ("ok", "green"),
    "failed": ("no", "red"),
    "not run": ("--", "yellow"),
}


class Result(msgspec.Struct, frozen=True):
    """One example: what was sent (a JSON text), what came back, and where they differ in sentences."""

    name: str
    title: str
    outcome: Outcome
    differences: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    request: str = ""
    answer: str = ""


class Report(msgspec.Struct, frozen=True):
    """All examples against one server. What was not run did not pass."""

    server: str
    results: tuple[Result, ...]

    def count(self, outcome: Outcome) -> int:
        """How many examples ended so."""
        return Counter(result.outcome for result in self.results)[outcome]

    @property
    def ok(self) -> bool:
        """True when every example passed."""
        return self.count("passed") == len(self.results)

    @property
    def summary(self) -> str:
        """One line: `16 of 16 passed`, and what became of the others."""
        rest = [f"{self.count(outcome)} {outcome}" for outcome in ("failed", "not run") if self.count(outcome)]
        return ", ".join([f"{self.count('passed')} of {len(self.results)} passed", *rest])


def to_json(report: Report) -> bytes:
    """The whole report as one JSON object, counts first."""
    counts = {
        "server": report.server,
        "total": len(report.results),
        "passed": report.count("passed"),
        "failed": report.count("failed"),
        "not_run": report.count("not run"),
    }
    return msgspec.json.encode({**counts, "results": report.results})


def render(report: Report, console: Console) -> None:
    """A line for each example, under it what differs or what the run was lacking, and the count at the end."""
    console.print(f"The examples of the page apps-api-sms against {report.server}\n", markup=False, highlight=False)
    for result in report.results:
        mark, color = MARKS[result.outcome]
        console.print(Text.assemble((f"{mark}  ", color), result.title), highlight=False)
        for line in (*result.differences, *result.notes):
            console.print(Text(f"      {line}", style="dim" if line in result.notes else ""), highlight=False)
        if result.outcome == "failed" and result.answer:
            console.print(Text(f"      answer: {result.answer[:400]}", style="dim"), highlight=False)
    console.print(Text(f"\n{report.summary}", style="green" if report.ok else "red"), highlight=False)
