"""How many sends a second the API accepts, beside what PostgreSQL alone commits with the same statement."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import count

from smsdesk.bench.alone import Alone
from smsdesk.bench.load import LoadResult, Plan, load
from smsdesk.bench.processes import Meter, Usage
from smsdesk.bench.report import Headline, Report, Row, baseline_row, cost, headline, load_row, ratio
from smsdesk.bench.requests import SendRequests
from smsdesk.bench.rig import OURS, TENANT, BenchError, Rig, run

GROUP = 50
MOST_CLIENTS = 80
"""Clients of the yardstick: the embedded server takes 100 connections, and the API keeps some."""
TRIAL = 2
"""Seconds in which the yardstick's two kinds of clients are compared."""
PAUSE = 0.01
"""Seconds between an answer and the next request on the quiet connection."""

# The promises, as docs/performance.md has them.
LEAST_RATIO, MOST_QUIET, MOST_BUSY, MOST_MB = 2.2, 2.0, 3.0, 120.0
MOST_P99 = {64: 30.0, 256: 80.0}
"""Milliseconds, by connections."""


@dataclass(frozen=True, slots=True)
class AcceptPlan:
    """`seconds` for each measurement, a second of warm-up not counted; each is made `rounds` times, turn by turn."""

    seconds: int = 5
    connections: tuple[int, ...] = (16, 64, 256)
    rounds: int = 3

    @property
    def clients(self) -> tuple[int, ...]:
        """Of PostgreSQL alone: as many as connections, where it takes them."""
        return tuple(each for each in self.connections if each <= MOST_CLIENTS) or (64,)

    @property
    def top(self) -> int:
        """The connections whose ratio is the headline."""
        return 64 if 64 in self.connections else self.connections[-1]

    @property
    def steps(self) -> int:
        """How many measurements there are."""
        return 1 + self.rounds * (len(self.connections) + len(self.clients) + 6)


@dataclass(frozen=True, slots=True)
class _Measured:
    row: Row
    used: dict[str, Usage]
    items: int


@dataclass(slots=True)
class _Bench:
    rig: Rig
    plan: AcceptPlan
    alone: Alone
    port: int
    meter: Callable[[], Meter]
    numbers: Iterator[int] = field(default_factory=count)
    sent: int = 0
    measured: dict[str, list[_Measured]] = field(default_factory=lambda: defaultdict(list))

    def ours(self, name: str, connections: int, pause: float = 0.0) -> None:
        """Load on the API, and what its processes used, warm-up included in both."""
        requests = SendRequests("127.0.0.1", (TENANT, self.rig.token), OURS)
        before, meter = self.sent, self.meter()

        def request(_: int) -> bytes:
            self.sent += 1
            return requests(next(self.numbers))

        plan = Plan("127.0.0.1", self.port, connections, seconds=self.plan.seconds, warm_up=1.0, pause=pause)
        result = run(load(plan, request))
        _refuse_errors(name, result)
        self.measured[name].append(_Measured(load_row(name, result), meter.look(), self.sent - before))

    def theirs(self, name: str, clients: int, group: int = 1) -> None:
        """PostgreSQL alone."""
        result = self.alone.measure(clients, group, self.plan.seconds)
        self.measured[name].append(_Measured(baseline_row(name, result, f"by {self.alone.client}"), {}, 0))

    def theirs_quiet(self) -> None:
        """PostgreSQL alone, as idle between two sends as the quiet API."""
        row = baseline_row(QUIET_BARE, self.alone.quiet(self.plan.seconds, PAUSE), "by asyncpg")
        self.measured[QUIET_BARE].append(_Measured(row, {}, 0))

    def median(self, name: str, by: Callable[[Row], float] = lambda row: row.per_second) -> _Measured:
        """The round in the middle."""
        ordered = sorted(self.measured[name], key=lambda one: by(one.row))
        return ordered[(len(ordered) - 1) // 2]


def bench_accept(rig: Rig, plan: AcceptPlan, step: Callable[[str], None]) -> Report:
    """Measures; `step` hears of each measurement before it begins.

    Raises BenchError where an answer was not 200 or the database does not hold exactly what was answered, and
    RuntimeError where the database refuses the yardstick.
    """
    child, port = rig.api()
    bench = _Bench(
        rig, plan, Alone(rig.dsn, rig.tenant_id, OURS, rig.pgbench), port,
        lambda: Meter({"api": child.pid, "PostgreSQL": rig.postmaster}),
    )  # fmt: skip
    step("PostgreSQL alone: which clients are quicker")
    bench.alone.choose(plan.clients[-1], min(TRIAL, plan.seconds))
    for number in range(1, plan.rounds + 1):
        for name, measure in _measurements(bench):
            step(f"round {number} of {plan.rounds}: {name}")
            measure()
    child.check()
    _compare_with_database(bench)
    child.stop()
    return _report(bench)


def _measurements(bench: _Bench) -> Iterator[tuple[str, Callable[[], None]]]:
    """One round: what is compared stands side by side, so that a change of the machine's mood meets both."""
    plan = bench.plan
    for clients in plan.clients:
        yield _alone(clients), partial(bench.theirs, _alone(clients), clients)
        if clients in plan.connections:
            yield _accepted(clients), partial(bench.ours, _accepted(clients), clients)
    for clients in (1, 2):
        yield _grouped(clients), partial(bench.theirs, _grouped(clients), clients, GROUP)
    for connections in plan.connections:
        if connections not in plan.clients:
            yield _accepted(connections), partial(bench.ours, _accepted(connections), connections)
    yield BARE, partial(bench.theirs, BARE, 1)
    yield ONE, partial(bench.ours, ONE, 1)
    yield QUIET_BARE, bench.theirs_quiet
    yield QUIET, partial(bench.ours, QUIET, 1, PAUSE)


BARE, ONE = "PostgreSQL alone, 1 client", "accepted, 1 connection, no pause"
QUIET_BARE, QUIET = (f"{what} with {PAUSE * 1000:.0f} ms pauses" for what in (BARE, "accepted, 1 connection"))


def _alone(clients: int) -> str:
    return f"PostgreSQL alone, 1 statement a transaction, {clients} clients"


def _grouped(clients: int) -> str:
    return f"PostgreSQL alone, groups of {GROUP}, {clients} client{'s' if clients > 1 else ''}"


def _accepted(connections: int) -> str:
    return f"accepted, {connections} connections"


def _refuse_errors(name: str, result: LoadResult) -> None:
    if result.errors or not result.answered:
        causes = [f"{status}: {text}" for status, text in result.samples.items()] + list(result.faults)
        first = causes[0] if causes else "no answer at all"
        raise BenchError(f"{name}: {result.errors} requests were not accepted, such as {first}")


def _compare_with_database(bench: _Bench) -> None:
    """Every request was answered 200, so there are as many texts, each in a chat of its own."""
    stored = run(bench.rig.value("select count(*) from messages where credential_id is not null"))
    chats = run(bench.rig.value("select count(distinct chat_id) from messages where credential_id is not null"))
    if not stored == chats == bench.sent:
        raise BenchError(f"{bench.sent} sends were answered 200, but {stored} texts in {chats} chats are stored")


def _report(bench: _Bench) -> Report:
    plan = bench.plan
    rows = {name: bench.median(name).row for name in bench.measured}
    for name in (BARE, ONE, QUIET_BARE, QUIET):
        rows[name] = bench.median(name, lambda row: row.latency.p50_ms).row
    grouped = max((rows[_grouped(clients)] for clients in (1, 2)), key=lambda row: row.per_second)
    top = bench.median(_accepted(plan.top))
    used = {**top.used, "load generator": Usage(round(top.row.cpu_us * top.items / 1e6, 3), 0)}
    peak = max(one.used["api"].peak_rss for each in bench.measured.values() for one in each if one.used) / 1e6
    late = [
        headline(f"p99 at {each} connections", rows[_accepted(each)].latency.p99_ms, "ms", most=most)
        for each, most in MOST_P99.items()
        if each in plan.connections
    ]
    return Report(
        "Accepted, committed sessions",
        (*_ratios(plan, rows, grouped), *late, headline("peak memory of the API process", peak, "MB", most=MOST_MB)),
        tuple(rows.values()),
        f"What a session cost at {plan.top} connections",
        tuple(cost(name, each, top.items) for name, each in used.items()),
    )


def _ratios(plan: AcceptPlan, rows: dict[str, Row], grouped: Row) -> list[Headline]:
    clients = plan.top if plan.top in plan.clients else plan.clients[-1]
    ours = rows[_accepted(plan.top)]
    found = [
        ratio(f"{ours.name} / 1 statement a transaction, {clients} clients", ours, rows[_alone(clients)], LEAST_RATIO),
        ratio(f"{ours.name} / {grouped.name.removeprefix('PostgreSQL alone, ')}", ours, grouped),
    ]
    found += [
        ratio(
            f"{_accepted(each)} / 1 statement a transaction, {each} clients", rows[_accepted(each)], rows[_alone(each)]
        )
        for each in plan.clients
        if each != plan.top and each in plan.connections
    ]
    for what, over, under, most in (
        ("a quiet request", QUIET, QUIET_BARE, MOST_QUIET),
        ("a request without a pause", ONE, BARE, MOST_BUSY),
    ):
        times = rows[over].latency.p50_ms / rows[under].latency.p50_ms
        found.append(headline(f"{what} / the bare commit, medians", times, most=most))
    return found
