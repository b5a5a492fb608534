"""`smsdesk bench`: how quick it is on this machine, beside what its database and its line can do at most."""

import os
import platform
import shlex
import signal
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from smsdesk.bench.accept import AcceptPlan, bench_accept
from smsdesk.bench.backlog import SETUP as BACKLOG
from smsdesk.bench.backlog import BacklogPlan, bench_backlog
from smsdesk.bench.deliver import DeliverPlan, bench_deliver
from smsdesk.bench.markdown import to_markdown
from smsdesk.bench.processes import busy
from smsdesk.bench.replies import SETUP as MANNED
from smsdesk.bench.replies import RepliesPlan, bench_replies
from smsdesk.bench.report import Bench, Report, render, to_json
from smsdesk.bench.rig import SETUP, BenchError, Rig, rig
from smsdesk.bench.routing import SETUP as QUEUED
from smsdesk.bench.routing import RoutingPlan, bench_routing
from smsdesk.cli.options import CommandError, Json, telling
from smsdesk.log import set_up_log
from smsdesk.postgres import find_binaries

app = typer.Typer(no_args_is_help=True, help="How quick it is here, beside what its database and line can do at most.")

Measure = Callable[[Rig, Callable[[str], None]], Report]

LOOK = 1.0
"""Seconds in which it is seen how busy the machine is with other work."""

_Seconds = Annotated[int, typer.Option(min=1, help="For each measurement.")]
_Connections = Annotated[str, typer.Option(help="To the API at once, as a list.")]
_Rounds = Annotated[int, typer.Option(min=1, max=99, help="Each measurement is made so often, turn by turn.")]
_Texts = Annotated[int, typer.Option(min=2, max=500_000, help="For each measurement.")]
_Queued = Annotated[int, typer.Option(min=2_000, max=10_000_000, help="In the long queue.")]
_Agents = Annotated[int, typer.Option(min=10, max=1_000_000, help="In the large queue.")]
_Chats = Annotated[int, typer.Option(min=100, max=50_000_000, help="That have ended.")]
_Rate = Annotated[int, typer.Option(min=1, max=1_000, help="Replies a second.")]
_Keep = Annotated[
    Path | None, typer.Option("--data", file_okay=False, help="Work in this folder, new or empty, and keep it.")
]
_Markdown = Annotated[bool, typer.Option("--markdown", help="Print Markdown, for a page.")]


@app.command()
def accept(
    seconds: _Seconds = 5,
    connections: _Connections = "16,64,256",
    rounds: _Rounds = 3,
    data: _Keep = None,
    json: Json = False,
    markdown: _Markdown = False,
) -> None:
    """Measure accepted sends a second beside PostgreSQL alone."""
    with telling():
        plan = AcceptPlan(seconds, _numbers(connections), rounds)
    _run([(plan.steps, lambda rig, step: bench_accept(rig, plan, step))], data, _form(json, markdown))


@app.command()
def deliver(
    texts: _Texts = 20_000, rounds: _Rounds = 3, data: _Keep = None, json: Json = False, markdown: _Markdown = False
) -> None:
    """Measure texts a second from the queue to the handsets of a lab, beside the bare SMPP client."""
    plan = DeliverPlan(texts, rounds)
    _run([(plan.steps, lambda rig, step: bench_deliver(rig, plan, step))], data, _form(json, markdown))


@app.command()
def backlog(
    texts: _Queued = 1_000_000, seconds: _Seconds = 10, data: _Keep = None, json: Json = False,
    markdown: _Markdown = False,
) -> None:  # fmt: skip
    """Measure a claim with a thousand and with very many texts queued, and the worker's memory under them."""
    plan = BacklogPlan(many=texts, seconds=seconds)
    measures: list[tuple[int, Measure]] = [(plan.steps, lambda rig, step: bench_backlog(rig, plan, step))]
    _run(measures, data, _form(json, markdown), setup=BACKLOG)


@app.command()
def routing(
    agents: _Agents = 10_000, chats: _Chats = 1_000_000, data: _Keep = None, json: Json = False,
    markdown: _Markdown = False,
) -> None:  # fmt: skip
    """Measure how long the agent for a chat is looked for: among few and many, with little and much history."""
    plan = RoutingPlan(many_agents=agents, many_chats=chats)
    measures: list[tuple[int, Measure]] = [(plan.steps, lambda rig, step: bench_routing(rig, plan, step))]
    _run(measures, data, _form(json, markdown), setup=QUEUED)


@app.command()
def replies(
    rate: _Rate = 50, seconds: _Seconds = 20, data: _Keep = None, json: Json = False, markdown: _Markdown = False
) -> None:
    """Measure a reply's way from the handset into what the API tells the agent."""
    plan = RepliesPlan(rate, seconds)
    measures: list[tuple[int, Measure]] = [(plan.steps, lambda rig, step: bench_replies(rig, plan, step))]
    _run(measures, data, _form(json, markdown), setup=MANNED)


@app.command("all")
def all_(
    seconds: _Seconds = 5,
    connections: _Connections = "16,64,256",
    texts: _Texts = 20_000,
    rounds: _Rounds = 3,
    data: _Keep = None,
    json: Json = False,
    markdown: _Markdown = False,
) -> None:
    """Measure both, each on a fresh database."""
    with telling():
        first, second = AcceptPlan(seconds, _numbers(connections), rounds), DeliverPlan(texts, rounds)
    measures: list[tuple[int, Measure]] = [
        (first.steps, lambda rig, step: bench_accept(rig, first, step)),
        (second.steps, lambda rig, step: bench_deliver(rig, second, step)),
    ]
    _run(measures, data, _form(json, markdown))


def _numbers(connections: str) -> tuple[int, ...]:
    try:
        found = tuple(sorted({int(each) for each in connections.split(",")}))
    except ValueError:
        found = ()
    if not found or not all(1 <= each <= 4096 for each in found):
        raise CommandError(f"--connections {connections}: give numbers from 1 to 4096 with commas, such as 16,64,256")
    return found


def _form(json: bool, markdown: bool) -> Callable[[Bench], None]:
    """How the figures are shown."""
    if json:
        return lambda bench: typer.echo(to_json(bench))
    if markdown:
        return lambda bench: typer.echo(to_markdown(bench))
    return lambda bench: render(bench, Console(width=None if sys.stdout.isatty() else 140))


def _run(
    measures: list[tuple[int, Measure]], data: Path | None, show: Callable[[Bench], None], setup: str = SETUP
) -> None:
    """Makes the measurements, each on a rig of its own, and shows what they found."""
    set_up_log("warning", for_people=sys.stderr.isatty())
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    began, started_at = time.monotonic(), datetime.now(UTC)
    with telling(), _progress() as progress:
        task = progress.add_task("starting", total=sum(steps for steps, _ in measures))

        def step(what: str) -> None:
            progress.update(task, description=what, completed=next(done))

        done = iter(range(1 << 30))
        try:
            reports, others = [], busy(LOOK)
            for number, (_, measure) in enumerate(measures, 1):
                progress.update(task, description="starting PostgreSQL")
                with rig(data / str(number) if data and len(measures) > 1 else data, setup) as built:
                    reports.append(measure(built, step))
        except (BenchError, RuntimeError, OSError) as error:
            raise CommandError(f"the bench failed: {error}") from error
    command = shlex.join(["smsdesk", *sys.argv[1:]])
    took = round(time.monotonic() - began, 1)
    show(Bench(command, started_at.isoformat(timespec="seconds"), took, _machine(data, others), tuple(reports)))


def _progress() -> Progress:
    """A bar on a terminal, nothing in a pipe; drawn seldom, since the load generator is in this process."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    return Progress(*columns, console=console, disable=not console.is_terminal, transient=True, refresh_per_second=1)


def _machine(data: Path | None, busy_before: float) -> dict[str, str]:
    return {
        "smsdesk": version("smsdesk"),
        "Python": platform.python_version(),
        "PostgreSQL": find_binaries().version,
        "cores": str(len(os.sched_getaffinity(0))),
        "busy with other work before": f"{busy_before:.0%}",
        "folder": str(data) if data else "temporary",
    }
