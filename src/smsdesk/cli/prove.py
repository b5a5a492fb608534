"""`smsdesk prove`: the promises, kept before your eyes."""

import logging
import signal
import sys
from collections.abc import Callable, Coroutine, Mapping
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console

from smsdesk.bench.rig import SETUP, BenchError, Rig, rig
from smsdesk.bench.rig import run as run_quickly
from smsdesk.cli.options import CommandError, Json, print_json, telling
from smsdesk.cli.progress import progressing
from smsdesk.log import set_up_log
from smsdesk.prove.clients import Refused
from smsdesk.prove.networks import NetworkError, why_not
from smsdesk.prove.never_twice import ProofPlan, Verdict, prove_never_twice
from smsdesk.prove.nodes import SETTINGS as REACHABLE
from smsdesk.prove.nodes import NodesPlan, NodesVerdict, prove_nodes
from smsdesk.prove.pace import SETUP as PACED
from smsdesk.prove.pace import PacePlan, PaceVerdict, prove_pace
from smsdesk.prove.replies import SETUP as MANNED
from smsdesk.prove.replies import RepliesPlan, RepliesVerdict, prove_replies
from smsdesk.prove.stop import SETTINGS, StopPlan, StopVerdict, prove_stop

T = TypeVar("T")

app = typer.Typer(
    no_args_is_help=True, help="The promises, kept before your eyes: real kills, counted at the handsets."
)

_Texts = Annotated[int, typer.Option(min=10, max=500_000, help="How many texts are sent.")]
_Kills = Annotated[int, typer.Option(min=0, max=10_000, help="How often something is killed in between.")]
_Rounds = Annotated[int, typer.Option(min=1, max=1_000, help="How many phones say STOP, one after another.")]
_Many = Annotated[int, typer.Option(min=50, max=100_000, help="How many texts are sent to each.")]
_Replies = Annotated[int, typer.Option(min=10, max=100_000, help="How many texts the consumers write.")]
_Seconds = Annotated[int, typer.Option(min=4, max=3_600, help="For how many seconds there is work.")]
_Deaths = Annotated[int, typer.Option(min=0, max=100, help="How often a worker is killed in the second half.")]
_Blows = Annotated[int, typer.Option(min=1, max=100, help="How often each of the three blows falls.")]
_Seed = Annotated[int, typer.Option(help="What is killed and when; the same seed kills the same.")]


@app.command("never-twice")
def never_twice(texts: _Texts = 2_000, kills: _Kills = 10, seed: _Seed = 7, json: Json = False) -> None:
    """Kill the API, the worker, PostgreSQL and the line while texts are sent; count at the handsets.

    Exit code 1 if a text is lost or doubled; the seed that repeats it is printed.
    """
    verdict = _prove(
        SETUP, texts, lambda built, step: prove_never_twice(built, ProofPlan(texts, kills, seed), step), seed
    )
    if json:
        print_json(verdict)
    else:
        _show(verdict, Console())
    raise typer.Exit(0 if verdict.kept else 1)


@app.command()
def stop(rounds: _Rounds = 5, texts: _Many = 1_000, seed: _Seed = 7, json: Json = False) -> None:
    """Say STOP in the midst of many texts to one phone, in every stage of theirs; count what comes after.

    Exit code 1 if anything comes but one confirmation; the seed that repeats it is printed.
    """
    verdict = _prove(SETTINGS, rounds, lambda built, step: prove_stop(built, StopPlan(rounds, texts, seed), step), seed)
    if json:
        print_json(verdict)
    else:
        _show_stop(verdict, Console())
    raise typer.Exit(0 if verdict.kept else 1)


@app.command()
def replies(replies: _Replies = 1_000, kills: _Kills = 10, seed: _Seed = 7, json: Json = False) -> None:
    """Let consumers write and agents work, kill what they work with, and look who has each reply in the end.

    Exit code 1 if a reply is lost, doubled or without an owner; the seed that repeats it is printed.
    """
    plan = RepliesPlan(replies, kills, seed)
    verdict = _prove(MANNED, replies, lambda built, step: prove_replies(built, plan, step), seed)
    if json:
        print_json(verdict)
    else:
        _show_replies(verdict, Console())
    raise typer.Exit(0 if verdict.kept else 1)


@app.command()
def pace(seconds: _Seconds = 40, kills: _Deaths = 2, seed: _Seed = 7, json: Json = False) -> None:
    """Queue more than the limits let through, over two workers that die in turn; look at every window of the log.

    Exit code 1 if more segments arrived in any window than a limit allows, or if the limits were not used.
    """
    verdict = _prove(PACED, seconds, lambda built, step: prove_pace(built, PacePlan(seconds, kills, seed), step), seed)
    if json:
        print_json(verdict)
    else:
        _show_pace(verdict, Console())
    raise typer.Exit(0 if verdict.kept else 1)


@app.command()
def nodes(rounds: _Blows = 1, seed: _Seed = 7, json: Json = False) -> None:
    """Send over two machines, of which one dies or loses its wires; count at the handsets. Needs root on Linux.

    Exit code 1 if a text is lost or doubled, or the other machine takes over too late; 3 where it cannot be tried.
    """
    if reason := why_not():
        typer.echo(f"not tried: {reason}", err=True)
        raise typer.Exit(3)
    plan = NodesPlan(rounds, seed)
    verdict = _prove(SETUP, 3 * rounds, lambda built, step: prove_nodes(built, plan, step), seed, REACHABLE)
    if json:
        print_json(verdict)
    else:
        _show_nodes(verdict, Console())
    raise typer.Exit(0 if verdict.kept else 1)


def _prove(
    setup: str, total: int, proof: Callable[[Rig, Callable[[str, int], None]], Coroutine[Any, Any, T]], seed: int,
    settings: Mapping[str, str] | None = None,
) -> T:  # fmt: skip
    """Runs a proof on a rig of its own, and says what to type to see a failure again."""
    set_up_log("error", for_people=sys.stderr.isatty())
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # it laments the connections to what we kill
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    with telling(), progressing(total) as step:
        try:
            with rig(setup=setup, settings=settings) as built:
                return run_quickly(proof(built, step))
        except (BenchError, Refused, NetworkError, OSError) as error:
            raise CommandError(f"the proof failed: {error}; repeat it with --seed {seed}") from error
        except ExceptionGroup as group:
            raise CommandError(f"the proof failed: {group.exceptions[0]}; repeat it with --seed {seed}") from group


def _show(verdict: Verdict, console: Console) -> None:
    console.print(f"{verdict.accepted} texts accepted in {verdict.tries} requests", highlight=False)
    for name, count in sorted(verdict.kills.items()):
        console.print(f"killed {count} times: {name}", highlight=False)
    console.print(f"{verdict.arrived} arrived at the handsets; {len(verdict.doubtful)} are doubtful", highlight=False)
    for name, bodies in (("lost", verdict.lost), ("doubled", verdict.doubled)):
        console.print(f"{len(bodies)} {name}", style="green" if not bodies else "red", highlight=False)
        for body in bodies[:10]:
            console.print(f"  {body}", markup=False, highlight=False)
    if not verdict.kept:
        console.print(f"repeat it with --seed {verdict.seed}", highlight=False)


def _show_stop(verdict: StopVerdict, console: Console) -> None:
    console.print(f"{verdict.rounds} phones said STOP after {verdict.arrived_before} texts in all", highlight=False)
    console.print(f"{verdict.stopped} texts that were on their way were stopped; {verdict.refused} sends were refused")
    console.print(f"{verdict.seconds_to_quiet} s at most until nothing could leave any more", highlight=False)
    late = f"{len(verdict.after_stop)} after STOP"
    console.print(late, style="green" if not verdict.after_stop else "red", highlight=False)
    once = set(verdict.confirmations) == {1}
    told = "one confirmation each" if once else f"confirmations: {verdict.confirmations}"
    console.print(told, style="green" if once else "red", highlight=False)
    for body in verdict.after_stop[:10]:
        console.print(f"  {body}", markup=False, highlight=False)
    if not verdict.kept:
        console.print(f"repeat it with --seed {verdict.seed}", highlight=False)


def _show_replies(verdict: RepliesVerdict, console: Console) -> None:
    console.print(f"{verdict.replies} replies; {verdict.offers} offers, {verdict.transfers} transfers", highlight=False)
    console.print(f"{verdict.answers} answers of agents, who vanished {verdict.vanished} times", highlight=False)
    for name, count in sorted(verdict.kills.items()):
        console.print(f"killed {count} times: {name}", highlight=False)
    console.print(", ".join(f"{count} {status}" for status, count in sorted(verdict.chats.items())), highlight=False)
    wrong = (("lost", verdict.lost), ("doubled", verdict.doubled), ("without an owner", verdict.unowned),
             ("with two owners", verdict.two_owners))  # fmt: skip
    for name, found in wrong:
        console.print(f"{len(found)} {name}", style="green" if not found else "red", highlight=False)
        for one in found[:10]:
            console.print(f"  {one}", markup=False, highlight=False)
    if not verdict.kept:
        console.print(f"repeat it with --seed {verdict.seed}", highlight=False)


def _show_pace(verdict: PaceVerdict, console: Console) -> None:
    console.print(f"{verdict.texts} notices, {verdict.segments} segments at the handsets, {verdict.kills} kills")
    for held in verdict.limits:
        passed = held.passed_at is not None
        says = f"passed: {held.most} segments in one window" if passed else f"kept, {held.used:.1%} used"
        console.print(f"{held.limit}: {says}", style="red" if passed else "green", highlight=False)
    console.print(
        f"{verdict.answers} answers of an agent in between: {verdict.slowest_answer} s at most", highlight=False
    )
    if not verdict.kept:
        console.print(f"repeat it with --seed {verdict.seed}", highlight=False)


def _show_nodes(verdict: NodesVerdict, console: Console) -> None:
    for one in verdict.blows:
        console.print(
            f"a node was {one.blow}: taken over after {one.taken_over} s; the other accepted with no gap over "
            f"{one.accept_gap} s, texts arrived with none over {one.arrival_gap} s; back {one.back} s after its end",
            highlight=False, soft_wrap=True,
        )  # fmt: skip
    _show(verdict.counted, console)
