"""`smsdesk bench`: how quick it is on this machine, beside what its database and its line can do at most."""

import shlex
import signal
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from smsdesk.bench.accept import AcceptPlan, bench_accept
from smsdesk.bench.backlog import SETUP as BACKLOG
from smsdesk.bench.backlog import BacklogPlan, bench_backlog
from smsdesk.bench.budget import report as budget_report
from smsdesk.bench.budget.budget import BudgetPlan, accept_budget, deliver_budget
from smsdesk.bench.budget.database import SETTINGS as SAMPLED
from smsdesk.bench.budget.report import Budget
from smsdesk.bench.charts import draw_file
from smsdesk.bench.compare.compare import ComparePlan, bench_compare, find_kinds
from smsdesk.bench.compare.table import Comparison, comparison_to_markdown, render_comparison
from smsdesk.bench.deliver import DeliverPlan, bench_deliver
from smsdesk.bench.desk import SETUP as DESKS
from smsdesk.bench.desk import DeskPlan, bench_desk
from smsdesk.bench.history.fill import SETUP as OF_A_YEAR
from smsdesk.bench.history.fill import FillPlan
from smsdesk.bench.history.fill import fill as fill_folder
from smsdesk.bench.history.history import HistoryPlan, bench_history
from smsdesk.bench.overload import STUBBORN, OverloadPlan, bench_overload
from smsdesk.bench.processes import busy
from smsdesk.bench.promises import read_benches, render_promises
from smsdesk.bench.replies import SETUP as MANNED
from smsdesk.bench.replies import RepliesPlan, bench_replies
from smsdesk.bench.report import Bench, Report, to_json
from smsdesk.bench.rig import BenchError, Rig
from smsdesk.bench.routing import SETUP as QUEUED
from smsdesk.bench.routing import RoutingPlan, bench_routing
from smsdesk.bench.scale.scale import Found, ScalePlan, bench_scale
from smsdesk.bench.scale.table import render_scale, scale_to_markdown
from smsdesk.bench.snapshot import SnapshotPlan, bench_snapshot
from smsdesk.bench.variants import VariantsPlan, bench_variants
from smsdesk.cli.benches import LOOK, Measure, form, machine_facts, numbers, run_measures
from smsdesk.cli.options import CommandError, Json, telling
from smsdesk.cli.progress import progressing
from smsdesk.log import set_up_log

app = typer.Typer(no_args_is_help=True, help="How quick it is here, beside what its database and line can do at most.")

_Seconds = Annotated[int, typer.Option(min=1, help="For each measurement.")]
_Connections = Annotated[str, typer.Option(help="To the API at once, as a list.")]
_FloodRate = Annotated[
    int, typer.Option(min=0, help="Requests a second of the flood; 0 is three times the sustainable.")
]
_Stubborn = Annotated[int, typer.Option(min=1, max=20_000, help="Connections that ask again at once, at the end.")]
_Processes = Annotated[str, typer.Option(help="Of the API, as a list; 1 is always measured.")]
_Rounds = Annotated[int, typer.Option(min=1, max=99, help="Each measurement is made so often, turn by turn.")]
_Texts = Annotated[int, typer.Option(min=2, max=500_000, help="For each measurement.")]
_Queued = Annotated[int, typer.Option(min=2_000, max=10_000_000, help="In the long queue.")]
_Agents = Annotated[int, typer.Option(min=10, max=1_000_000, help="In the large queue.")]
_Chats = Annotated[int, typer.Option(min=100, max=50_000_000, help="That have ended.")]
_History = Annotated[int, typer.Option("--chats", min=300, max=50_000_000, help="In the full database.")]
_Minutes = Annotated[int, typer.Option(min=0, max=1_440, help="Of steady load at the end, on the full database.")]
_Filled = Annotated[
    Path | None, typer.Option("--data", file_okay=False, help="A folder of `bench fill`, or a new one: it is kept.")
]
_Sends = Annotated[int, typer.Option("--rate", min=64, max=100_000, help="Sends a second, at most.")]
_Slices = Annotated[int, typer.Option(min=1, max=360, help="Of ten seconds, under the snapshot.")]
_Rate = Annotated[int, typer.Option(min=1, max=1_000, help="Replies a second.")]
_Keep = Annotated[
    Path | None, typer.Option("--data", file_okay=False, help="Work in this folder, new or empty, and keep it.")
]
_Markdown = Annotated[bool, typer.Option("--markdown", help="Print Markdown, for a page.")]
_Versions = Annotated[
    list[Path], typer.Argument(exists=True, dir_okay=False, help="SQL in which accept_sends is made, as a migration.")
]
_Group = Annotated[int, typer.Option(min=1, max=200, help="Sends in a call.")]
_Groups = Annotated[int, typer.Option(min=5, max=1_000_000, help="Calls of each version.")]
_Figures = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="What --json of a bench printed.")]
_AllFigures = Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="What --json of benches printed.")]
_Out = Annotated[Path, typer.Option("--out", file_okay=False, help="The folder of the pictures.")]


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
        plan = AcceptPlan(seconds, numbers("--connections", connections, 4096), rounds)
    run_measures([(plan.steps, lambda rig, step: bench_accept(rig, plan, step))], data, form(json, markdown))


@app.command()
def deliver(
    texts: _Texts = 20_000, rounds: _Rounds = 3, data: _Keep = None, json: Json = False, markdown: _Markdown = False
) -> None:
    """Measure texts a second from the queue to the handsets of a lab, beside the bare SMPP client."""
    plan = DeliverPlan(texts, rounds)
    run_measures([(plan.steps, lambda rig, step: bench_deliver(rig, plan, step))], data, form(json, markdown))


@app.command()
def backlog(
    texts: _Queued = 1_000_000, seconds: _Seconds = 10, data: _Keep = None, json: Json = False,
    markdown: _Markdown = False,
) -> None:  # fmt: skip
    """Measure a claim with a thousand and with very many texts queued, and the worker's memory under them."""
    plan = BacklogPlan(many=texts, seconds=seconds)
    measures: list[tuple[int, Measure]] = [(plan.steps, lambda rig, step: bench_backlog(rig, plan, step))]
    run_measures(measures, data, form(json, markdown), setup=BACKLOG)


@app.command()
def routing(
    agents: _Agents = 10_000, chats: _Chats = 1_000_000, data: _Keep = None, json: Json = False,
    markdown: _Markdown = False,
) -> None:  # fmt: skip
    """Measure how long the agent for a chat is looked for: among few and many, with little and much history."""
    plan = RoutingPlan(many_agents=agents, many_chats=chats)
    measures: list[tuple[int, Measure]] = [(plan.steps, lambda rig, step: bench_routing(rig, plan, step))]
    run_measures(measures, data, form(json, markdown), setup=QUEUED)


@app.command()
def replies(
    rate: _Rate = 50, seconds: _Seconds = 20, data: _Keep = None, json: Json = False, markdown: _Markdown = False
) -> None:
    """Measure a reply's way from the handset into what the API tells the agent."""
    plan = RepliesPlan(rate, seconds)
    measures: list[tuple[int, Measure]] = [(plan.steps, lambda rig, step: bench_replies(rig, plan, step))]
    run_measures(measures, data, form(json, markdown), setup=MANNED)


@app.command()
def desk(
    rate: _Rate = 50, seconds: _Seconds = 20, data: _Keep = None, json: Json = False, markdown: _Markdown = False
) -> None:
    """Measure a reply's way from the handset into the open thread, with 100 desks open."""
    plan = DeskPlan(rate, seconds)
    measures: list[tuple[int, Measure]] = [(plan.steps, lambda rig, step: bench_desk(rig, plan, step))]
    run_measures(measures, data, form(json, markdown), setup=DESKS)


@app.command()
def snapshot(
    rate: _Sends = 1_000, slices: _Slices = 6, data: _Keep = None, json: Json = False, markdown: _Markdown = False
) -> None:
    """Measure sends before, under and after a transaction that lasts, as a backup does."""
    plan = SnapshotPlan(rate, slices)
    measures: list[tuple[int, Measure]] = [(plan.steps, lambda rig, step: bench_snapshot(rig, plan, step))]
    run_measures(measures, data, form(json, markdown))


@app.command()
def variants(
    files: _Versions, group: _Group = 32, groups: _Groups = 1_000, data: _Keep = None, json: Json = False,
    markdown: _Markdown = False,
) -> None:  # fmt: skip
    """Measure other versions of the accept statement beside the one in use, turn by turn."""
    plan = VariantsPlan(tuple(files), group, groups)
    measures: list[tuple[int, Measure]] = [(plan.steps, lambda rig, step: bench_variants(rig, plan, step))]
    run_measures(measures, data, form(json, markdown))


@app.command()
def overload(
    seconds: _Seconds = 10, rate: _FloodRate = 0, stubborn: _Stubborn = STUBBORN, data: _Keep = None,
    json: Json = False, markdown: _Markdown = False,
) -> None:  # fmt: skip
    """Measure what is accepted, and how quickly, at three times the rate that the API can sustain."""
    plan = OverloadPlan(seconds=seconds, rate=rate, stubborn=stubborn)
    measures: list[tuple[int, Measure]] = [(plan.steps, lambda rig, step: bench_overload(rig, plan, step))]
    run_measures(measures, data, form(json, markdown))


@app.command()
def budget(
    seconds: _Seconds = 20, texts: _Texts = 20_000, data: _Keep = None, json: Json = False, markdown: _Markdown = False
) -> None:
    """Measure where the microseconds of an accepted send and of a delivered text go, each step by itself."""
    plan, found = BudgetPlan(seconds=seconds, texts=texts), list[Budget]()

    def measure(of: Callable[[Rig, BudgetPlan, Callable[[str], None]], Budget]) -> Measure:
        def measured(rig: Rig, step: Callable[[str], None]) -> Report:
            found.append(of(rig, plan, step))
            return budget_report.report(found[-1])

        return measured

    measures = [(plan.accept_steps, measure(accept_budget)), (plan.deliver_steps, measure(deliver_budget))]
    run_measures(measures, data, lambda bench: _show_budgets(bench, found, json, markdown), settings=SAMPLED)


def _show_budgets(bench: Bench, found: list[Budget], json: bool, markdown: bool) -> None:
    if json:
        typer.echo(budget_report.to_json(bench, found))
    elif markdown:
        typer.echo(budget_report.to_markdown(bench, found))
    else:
        budget_report.render(bench, found, Console(width=None if sys.stdout.isatty() else 140))


@app.command()
def history(
    chats: _History = 10_000_000, seconds: _Seconds = 20, rounds: _Rounds = 3, minutes: _Minutes = 0,
    data: _Filled = None, json: Json = False, markdown: _Markdown = False,
) -> None:  # fmt: skip
    """Measure the same on an empty database and on one with a year of chats, turn by turn."""
    plan = HistoryPlan(chats, rounds=rounds, seconds=seconds, minutes=minutes, data=data)
    measures: list[tuple[int, Measure]] = [(plan.steps, lambda rig, step: bench_history(rig, plan, step))]
    run_measures(measures, None, form(json, markdown), setup=OF_A_YEAR)


@app.command()
def fill(
    data: Annotated[Path, typer.Option("--data", file_okay=False, help="A new or empty folder.")],
    chats: _History = 10_000_000,
    seed: Annotated[int, typer.Option(min=1, max=1_000_000, help="The same one makes the same chats.")] = 1,
) -> None:
    """Fill a new database with a year of chats, for `history --data`. Ctrl-C leaves nothing behind."""
    set_up_log("warning", for_people=sys.stderr.isatty())
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    plan = FillPlan(chats, seed)
    with telling(), progressing(plan.steps) as step:
        step.meanwhile("starting PostgreSQL")
        try:
            filled = fill_folder(data, plan, step)
        except (BenchError, RuntimeError, OSError) as error:
            raise CommandError(f"the database was not filled: {error}") from error
    then = f"smsdesk bench history --data {shlex.quote(str(data))}"
    typer.echo(f"{filled.chats:,} chats in {filled.seconds:.0f} s; measure with: {then}")


@app.command()
def scale(
    seconds: _Seconds = 5, texts: _Texts = 10_000, rounds: _Rounds = 3, processes: _Processes = "1,2,4",
    data: _Keep = None, json: Json = False, markdown: _Markdown = False,
) -> None:  # fmt: skip
    """Measure what more processes give and cost beside what the model says of them, and what it says of more cores."""
    with telling():
        several = tuple(sorted({1, *numbers("--processes", processes, 64)}))
    plan, found = ScalePlan(seconds, texts, rounds, processes=several), list[Found]()

    def measure(rig: Rig, step: Callable[[str], None]) -> Report:
        found.append(bench_scale(rig, plan, step))
        return found[-1].report

    def show(bench: Bench) -> None:
        made = found[-1].of(bench)
        if json:
            typer.echo(to_json(made))
        elif markdown:
            typer.echo(scale_to_markdown(made))
        else:
            render_scale(made, Console(width=None if sys.stdout.isatty() else 160))

    run_measures([(plan.steps, measure)], data, show)


@app.command()
def compare(
    seconds: _Seconds = 3, texts: _Texts = 3_000, rounds: _Rounds = 3, json: Json = False, markdown: _Markdown = False
) -> None:
    """Measure us beside Kannel and Jasmin, whichever is installed: same load, same lab, kill -9 under load."""
    set_up_log("warning", for_people=sys.stderr.isatty())
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    began, started_at, plan = time.monotonic(), datetime.now(UTC), ComparePlan(seconds, texts, rounds)
    with telling(), progressing(plan.steps(len(find_kinds()[0]))) as step:
        try:
            others = busy(LOOK)
            found = bench_compare(plan, step)
        except (BenchError, RuntimeError, OSError) as error:
            raise CommandError(f"the bench failed: {error}") from error
    command, took = shlex.join(["smsdesk", *sys.argv[1:]]), round(time.monotonic() - began, 1)
    machine = machine_facts(None, others) | {side.name: side.version for side in found.sides} | found.missing
    bench = Comparison(
        command, started_at.isoformat(timespec="seconds"), took, machine, (found.report,), sides=found.sides
    )
    if json:
        typer.echo(to_json(bench))
    elif markdown:
        typer.echo(comparison_to_markdown(bench))
    else:
        render_comparison(bench, Console(width=None if sys.stdout.isatty() else 140))


@app.command()
def chart(figures: _Figures, out: _Out) -> None:
    """Draw the figures that a bench gave with --json as pictures (SVG), for a page."""
    with telling():
        try:
            for path in draw_file(figures, out):
                typer.echo(path)
        except (ValueError, OSError) as error:
            raise CommandError(f"{figures}: {error}") from error


@app.command()
def promises(figures: _AllFigures) -> None:
    """Show what benches promise and found, from what they gave with --json, on one page."""
    with telling():
        try:
            found = read_benches(figures)
        except (ValueError, OSError) as error:
            raise CommandError(str(error)) from error
    render_promises(found, Console(width=None if sys.stdout.isatty() else 140))


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
        first = AcceptPlan(seconds, numbers("--connections", connections, 4096), rounds)
        second = DeliverPlan(texts, rounds)
    measures: list[tuple[int, Measure]] = [
        (first.steps, lambda rig, step: bench_accept(rig, first, step)),
        (second.steps, lambda rig, step: bench_deliver(rig, second, step)),
    ]
    run_measures(measures, data, form(json, markdown))
