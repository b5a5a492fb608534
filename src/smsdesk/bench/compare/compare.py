"""smsdesk beside the gateways that are installed here: the same lab, the same load, in turn."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median_low

from smsdesk.bench.compare.durable import Durable, look_at_syncs
from smsdesk.bench.compare.kill import Kill, kill_under_load
from smsdesk.bench.compare.lab import ComparedLab
from smsdesk.bench.compare.measure import Turn, take_turn
from smsdesk.bench.compare.peers import jasmin, kannel
from smsdesk.bench.compare.peers.jasmin import Jasmin
from smsdesk.bench.compare.peers.kannel import Kannel
from smsdesk.bench.compare.peers.ours import Smsdesk
from smsdesk.bench.compare.peers.peer import Kind, Peer, Place
from smsdesk.bench.compare.table import Side
from smsdesk.bench.processes import Usage
from smsdesk.bench.report import Cost, Headline, Report, Row, cost, headline, load_row, ratio
from smsdesk.bench.rig import BenchError, Child, temporary_folder

CONNECTIONS = 64
OURS, THEIRS = Smsdesk.name, "Kannel"
LEAST_ACCEPTED, LEAST_DELIVERED = 1.0, 0.5
"""The promises: our accept rate over Kannel's, our rate from the queue over Kannel's from request to receipt."""


@dataclass(frozen=True, slots=True)
class ComparePlan:
    """`seconds` of accepting, `texts` from request to receipt and in the kill; each `rounds` times, turn by turn."""

    seconds: int = 3
    texts: int = 3_000
    rounds: int = 3

    def steps(self, sides: int) -> int:
        """How many measurements there are of so many gateways."""
        return (self.rounds + 1) * sides


@dataclass(slots=True)
class Compared:
    """What a comparison found."""

    report: Report
    sides: tuple[Side, ...]
    missing: dict[str, str]
    """Who is not here, and what would have to be installed."""


def find_kinds() -> tuple[list[Kind], dict[str, str]]:
    """The gateways that are here, ours first, and what the others lack."""
    kinds: list[Kind] = [Smsdesk()]
    lacking = {}
    if kannel.installed():
        kinds += [Kannel(store=True), Kannel(store=False)]
    else:
        lacking[THEIRS] = "not installed: apt-get install kannel"
    if needed := jasmin.missing():
        lacking[Jasmin.name] = f"not installed: {', '.join(needed)}"
    else:
        kinds.append(Jasmin())
    return kinds, lacking


@dataclass(slots=True)
class _Comparing:
    plan: ComparePlan
    folder: Path
    lab: ComparedLab
    reports_port: int
    turns: dict[str, list[Turn]] = field(default_factory=lambda: defaultdict(list))
    durable: dict[str, Durable] = field(default_factory=dict)
    kills: dict[str, Kill] = field(default_factory=dict)
    started: int = 0

    @contextmanager
    def at_work(self, kind: Kind) -> Iterator[tuple[Peer, Path]]:
        """The gateway, started with nothing in it, and its folder."""
        self.started += 1
        folder = self.folder / f"{self.started}"
        folder.mkdir()
        with ExitStack() as ends:
            ends.callback(self.lab.back)
            yield kind.start(Place(folder, self.lab, self.reports_port, ends)), folder

    def take_turn(self, kind: Kind) -> None:
        with self.at_work(kind) as (peer, _):
            wishes = (CONNECTIONS, self.plan.texts, self.plan.seconds)
            self.turns[kind.name].append(take_turn(kind, peer, self.lab, wishes))

    def break_it(self, kind: Kind) -> None:
        """The kill first; the look at system calls slows everything down."""
        with self.at_work(kind) as (peer, folder):
            self.kills[kind.name] = kill_under_load(kind, peer, self.lab, self.plan.texts)
            peer.hold()
            self.durable[kind.name] = look_at_syncs(kind, peer, folder, self.plan.texts)

    def side(self, kind: Kind) -> Side:
        turns = self.turns[kind.name]
        middle = median_turn(turns)
        cpu = sum(used.cpu_seconds for used in middle.used.values()) / middle.texts * 1e6
        return Side(
            kind.name, kind.version(), self.durable[kind.name], self.kills[kind.name],
            median_low(turn.accepted.per_second for turn in turns),
            median_low(turn.accepted_meanwhile.per_second for turn in turns),
            round(median_low(turn.from_queue for turn in turns), 1),
            round(middle.to_the_end, 1), round(cpu, 1), round(median_low(turn.resident_mb for turn in turns), 1),
        )  # fmt: skip


def bench_compare(plan: ComparePlan, step: Callable[[str], None]) -> Compared:
    """Measures all that are here; `step` hears of each measurement before it begins.

    Raises BenchError where nobody else is here, where a request is refused, or where a text does not end.
    """
    kinds, lacking = find_kinds()
    if len(kinds) == 1:
        raise BenchError("there is nothing to compare with: " + "; ".join(f"{k} is {v}" for k, v in lacking.items()))
    with ExitStack() as ends:
        folder = temporary_folder(ends)
        reports = Child("reports", ("smsdesk.bench.compare.peers.reports",), folder, {})
        ends.callback(reports.stop)
        work = _Comparing(plan, folder, ComparedLab(folder, ends), int(reports.first_line()))
        for number in range(1, plan.rounds + 1):
            for kind in kinds:
                step(f"round {number} of {plan.rounds}: {kind.name}")
                work.take_turn(kind)
        for kind in kinds:
            step(f"kill -9: {kind.name}")
            work.break_it(kind)
        sides = tuple(work.side(kind) for kind in kinds)
    return Compared(_report(work, sides), sides, lacking)


def median_turn(turns: list[Turn]) -> Turn:
    """The round in the middle, by the rate from request to receipt."""
    return sorted(turns, key=lambda turn: turn.to_the_end)[(len(turns) - 1) // 2]


def _report(work: _Comparing, sides: tuple[Side, ...]) -> Report:
    rows, costs = [], []
    for side in sides:
        middle = sorted(work.turns[side.name], key=lambda turn: turn.accepted.per_second)
        accepted = middle[(len(middle) - 1) // 2].accepted
        rows += [
            load_row(f"{side.name}: accepted, nothing sent meanwhile", accepted),
            Row(f"{side.name}: accepted, all at work", side.accepted_meanwhile),
            Row(f"{side.name}: from the queue to the receipt", side.from_queue),
            Row(f"{side.name}: from request to receipt", side.to_the_end),
        ]
        turn = median_turn(work.turns[side.name])
        costs += [_cost(side.name, name, used, turn.texts) for name, used in turn.used.items()]
    costs_of = f"What a text cost from request to receipt, {CONNECTIONS} connections, one SMPP line"
    return Report("Beside others", tuple(headlines(sides)), tuple(rows), costs_of, tuple(costs))


def _cost(side: str, name: str, used: Usage, texts: int) -> Cost:
    return cost(name if name.startswith(side) else f"{side}: {name}", used, texts)


def headlines(sides: tuple[Side, ...]) -> list[Headline]:
    """Our figures over theirs, for each who is here. The promises are made beside Kannel with its store."""
    by_name = {side.name: side for side in sides}
    ours, found = by_name[OURS], []
    for side in sides[1:]:
        promised = side.name == THEIRS
        accepted, delivered = (LEAST_ACCEPTED, LEAST_DELIVERED) if promised else (None, None)
        found += [
            ratio(f"accepted, over {side.name}", _rate(ours.accepted), _rate(side.accepted), accepted),
            ratio(
                f"from our queue to the receipt, over {side.name} from request to receipt",
                _rate(ours.from_queue), _rate(side.to_the_end), delivered,
            ),
            ratio(f"from request to receipt, over {side.name}", _rate(ours.to_the_end), _rate(side.to_the_end)),
        ]  # fmt: skip
    wrong = ours.kill.lost - ours.kill.listed + ours.kill.doubled
    return [*found, headline("of ours lost without a word, or doubled, after kill -9", wrong, "texts", most=0)]


def _rate(per_second: float) -> Row:
    return Row("", per_second)
