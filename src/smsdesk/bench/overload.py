"""What becomes of the API when it is asked far more than it can do: what it takes, how quickly, and what after."""

import resource
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import count

import msgspec

from smsdesk.bench.flood import FloodResult, Phase, flood
from smsdesk.bench.latency import Latency, summarize
from smsdesk.bench.load import Plan, load
from smsdesk.bench.processes import PROC, Meter, Usage
from smsdesk.bench.report import Headline, Report, Row, cost, headline, load_row
from smsdesk.bench.requests import SendRequests
from smsdesk.bench.rig import OURS, TENANT, BenchError, Rig, run

CONNECTIONS = 256
"""Of the closed loop that finds the most that can be done."""
SHARES, TRY = (0.7, 0.8, 0.9, 1.0), 3.0
"""Of that, what is tried as the sustainable rate, each for so many seconds, the first of which does not count: the most
at which nobody is turned away and the p99 stays within what is promised for a flood."""
STUBBORN = 1_500
"""Connections of a closed loop that ask again as soon as they are turned away."""
WARM_UP, NORMAL, AFTER = 1.0, 4.0, 8.0
"""Seconds before the first measurement, of half the load before the flood, and of the same after it."""
HALF = 0.5
SLICE, CALM = 0.25, 4
"""The recovery is looked at in slices of so many seconds, and has come with so many slices that are as before."""
QUIET_P99 = 50.0
"""Milliseconds: a p99 below this is normal, whatever it was before the flood."""

# The promises: what is accepted during the flood over the sustainable rate, and the p99 of it in milliseconds; seconds
# until all is as before; MB that the API process grows by.
LEAST_ACCEPTED, MOST_P99, MOST_RECOVERY, MOST_GROWTH = 0.8, 250.0, 5.0, 30.0
MOST_LATE = 50.0
"""Milliseconds at the p99 that the generator itself may be late by. Its requests then come in bunches that nobody asked
for, and its cores are short: times of such a run are told, and are held neither against the server nor for it."""


@dataclass(frozen=True, slots=True)
class OverloadPlan:
    """The flood: so many times the sustainable rate, or `rate` requests a second where that is given, for so many
    seconds; and clients over `stubborn` connections."""

    times: float = 3.0
    seconds: int = 10
    rate: int = 0
    stubborn: int = STUBBORN

    @property
    def steps(self) -> int:
        """How many measurements there are."""
        return 6


@dataclass(slots=True)
class _Watch:
    """What the processes used and how large the API was, at the end of each phase."""

    meter: Meter
    api: int
    used: list[dict[str, Usage]] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)

    def look(self) -> None:
        # Not by the meter: the others are children of this process, and would be counted with it.
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        self.used.append({**self.meter.look(), "load generator": Usage(time.process_time(), peak)})
        self.memory.append(resident(self.api))

    def between(self, first: int, last: int) -> dict[str, Usage]:
        """The use from one look to another."""
        begin, end = self.used[first], self.used[last]
        return {
            name: msgspec.structs.replace(each, cpu_seconds=round(each.cpu_seconds - begin[name].cpu_seconds, 3))
            for name, each in end.items()
        }


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of the requests of one phase."""

    name: str
    seconds: float
    accepted: Latency
    turned_away: Latency
    statuses: dict[int, int]
    late: Latency
    """How long after they were due the generator saw that they were."""

    @property
    def per_second(self) -> float:
        """Accepted."""
        return self.statuses.get(200, 0) / self.seconds

    def rows(self) -> tuple[Row, ...]:
        """Of what was accepted, and of what was not."""
        away, lost = self.statuses.get(503, 0), sum(self.statuses.values())
        lost -= self.statuses.get(200, 0) + away
        rows = [Row(f"{self.name}: accepted", round(self.per_second, 1), self.accepted, lost)]
        if away:
            rows.append(Row(f"{self.name}: turned away by 503", round(away / self.seconds, 1), self.turned_away))
        return tuple(rows)


def bench_overload(rig: Rig, plan: OverloadPlan, step: Callable[[str], None]) -> Report:
    """Measures; `step` hears of each measurement before it begins.

    Raises BenchError where an answer was neither 200 nor 503 or the database does not hold exactly what was answered.
    """
    _take_all_descriptors()
    child, port = rig.api()
    numbers, requests = count(), SendRequests("127.0.0.1", (TENANT, rig.token), OURS)

    def request(_: int) -> bytes:
        return requests(next(numbers))

    step(f"a closed loop of {CONNECTIONS} connections")
    closed = run(load(Plan("127.0.0.1", port, CONNECTIONS, seconds=plan.seconds, warm_up=WARM_UP), request))
    if closed.faults or closed.samples.keys() - {503} or not closed.answered:
        raise BenchError(f"requests of the closed loop got no answer of 200 or 503: {closed.faults} {closed.samples}")
    # The other requests were answered 200; this number itself is not asked for. A machine with other work turns some
    # of a closed loop away.
    accepted = next(numbers) - closed.errors
    step("the sustainable rate, in an open loop")
    tried = flood(("127.0.0.1", port), [Phase(closed.per_second * share, TRY) for share in SHARES], request)
    rate = closed.per_second * sustained(tried)
    times = plan.rate / rate if plan.rate else plan.times
    phases = [Phase(rate * HALF, NORMAL), Phase(rate * times, plan.seconds), Phase(rate * HALF, AFTER)]
    names = ["half of it", f"{times:.2g} times as much", "half of it again", f"{plan.stubborn} that ask again at once"]
    watch = _Watch(Meter({"api": child.pid, "PostgreSQL": rig.postmaster}), child.pid)

    def on_phase(number: int) -> None:
        watch.look()
        step(names[number])

    found = flood(("127.0.0.1", port), phases, request, on_phase)
    before = next(numbers)
    again = run(load(Plan("127.0.0.1", port, plan.stubborn, seconds=plan.seconds, warm_up=WARM_UP), request))
    if again.faults or again.samples.keys() - {503}:
        raise BenchError(f"who asked again at once got no answer of 200 or 503: {again.faults} {again.samples}")
    accepted += next(numbers) - before - 1 - again.errors
    stubborn = Row(f"{plan.stubborn} connections that ask again at once", again.per_second, again.latency, again.errors)
    child.check()
    _check(rig, (tried, found), accepted + tried.count(200) + found.count(200))
    child.stop()
    rows = load_row(f"{CONNECTIONS} connections in a closed loop", closed), Row("sustainable", round(rate, 1))
    return _report(replace(plan, times=times), found, (*rows, stubborn), watch)


def sustained(tried: FloodResult) -> float:
    """The largest of `SHARES` that was sustained; the least where none was."""
    best = SHARES[0]
    for number, share in enumerate(SHARES):
        answers = list(tried.between(number * TRY + WARM_UP, (number + 1) * TRY))
        if any(each.status != 200 for each in answers) or summarize(each.took for each in answers).p99_ms > MOST_P99:
            break
        best = share
    return best


def recovered(result: FloodResult, begin: float, end: float, normal_ms: float) -> tuple[float, int]:
    """Seconds from `begin` until, for a second, nobody is turned away and the p99 of each slice is at most `normal_ms`;
    and how many later slices were not so: a machine has slow moments without a flood as well."""
    bad, place = [], begin
    while place < end:
        slice_end = min(end, place + SLICE)
        answers = list(result.between(place, slice_end))
        p99 = summarize(each.took for each in answers).p99_ms
        bad.append(p99 > normal_ms or any(each.status != 200 for each in answers))
        place = slice_end
    first = next((n for n in range(len(bad) - CALM + 1) if not any(bad[n : n + CALM])), len(bad))
    return first * SLICE, sum(bad[first:])


def resident(pid: int) -> float:
    """Megabytes that a process has in memory at the moment, as proc(5) tells it."""
    status = (PROC / str(pid) / "status").read_text(encoding="utf-8", errors="replace")
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:"))) * 1024 / 1e6


def _take_all_descriptors() -> None:
    """As many connections as the kernel allows this process and those that it starts."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _check(rig: Rig, floods: tuple[FloodResult, ...], accepted: int) -> None:
    """Nothing but 200 and 503 was answered, and the database holds what was answered 200."""
    for found in floods:
        wrong = {status: found.count(status) for status in {*found.status} - {200, 503}}
        if not wrong:
            continue
        sample = found.sample.decode("utf-8", "replace")
        raise BenchError(f"neither accepted nor turned away, by status (0 is no answer): {wrong} {sample}".rstrip())
    stored = run(rig.value("select count(*) from messages where credential_id is not null"))
    if stored != accepted:
        raise BenchError(f"{accepted} sends were answered 200, but {stored} texts are stored")


def _taken(name: str, found: FloodResult, begin: float, end: float) -> Taken:
    times: dict[int, list[int]] = {200: [], 503: []}
    late: list[int] = []
    for each in found.between(begin, end):
        times.setdefault(each.status, []).append(each.took)
        late.append(each.late)
    statuses = {status: len(each) for status, each in times.items()}
    return Taken(name, end - begin, summarize(times[200]), summarize(times[503]), statuses, summarize(late))


def _report(plan: OverloadPlan, found: FloodResult, rates: tuple[Row, Row, Row], watch: _Watch) -> Report:
    flooded, over = NORMAL, NORMAL + plan.seconds
    before = _taken("half of it", found, 1.0, flooded)
    during = _taken(f"{plan.times:.2g} times as much", found, flooded, over)
    after = _taken("half of it again", found, over, over + AFTER)
    normal = max(QUIET_P99, 2 * before.accepted.p99_ms)
    late = [Row(f"{each.name}: the generator's own delay", 0.0, each.late) for each in (before, during, after)]
    return Report(
        "Overload",
        (*headlines(plan, rates[1], during, recovered(found, over, over + AFTER, normal)),
         headline("growth of the API process", watch.memory[2] - watch.memory[1], "MB", most=MOST_GROWTH),
         headline("connections at most", float(found.connections), ""),
         headline(f"accepted from {plan.stubborn} connections that ask again at once / sustainable",
                  rates[2].per_second / rates[1].per_second)),
        (*rates[:2], *before.rows(), *during.rows(), *after.rows(), *late, rates[2]),
        "What a request cost during the flood, turned away or not",
        tuple(cost(name, each, sum(during.statuses.values())) for name, each in watch.between(1, 2).items()),
    )  # fmt: skip


def headlines(plan: OverloadPlan, sustainable: Row, during: Taken, recovery: tuple[float, int]) -> tuple[Headline, ...]:
    """What is promised of a flood; without the promises of time where the generator itself was late."""
    share = during.per_second / sustainable.per_second
    fair = during.late.p99_ms <= MOST_LATE
    why = "" if fair else ", not judged: the load generator was late itself"
    return (
        headline(f"accepted at {plan.times:.2g} times the sustainable rate / sustainable", share, least=LEAST_ACCEPTED),
        headline(f"p99 of what is accepted{why}", during.accepted.p99_ms, "ms", most=MOST_P99 if fair else None),
        headline("p99 of what is turned away", during.turned_away.p99_ms, "ms"),
        headline(f"until p99 is as before{why}", recovery[0], "s", most=MOST_RECOVERY if fair else None),
        headline(f"slow quarters of a second after that, of {AFTER:g} seconds", float(recovery[1]), ""),
        headline("p99 of the load generator's own delay", during.late.p99_ms, "ms"),
    )
