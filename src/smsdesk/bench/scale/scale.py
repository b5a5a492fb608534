"""What more processes, and a pooler in between, cost and give, each beside what the model says of it (docs/scale.md).

On few cores more processes cannot give more than all cores do. So each is also measured on cores made small, where
nothing else is short: what they give then is what they give on a machine with cores for all.
"""

import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from statistics import median

from smsdesk.bench.pooler import Mode, over_tcp, pooler, program
from smsdesk.bench.report import Bench, Cost, Headline, Report, Row, headline
from smsdesk.bench.rig import Rig
from smsdesk.bench.scale.measure import Measurer, Round
from smsdesk.bench.scale.model import SIZES, Costs, accepted, both, delivered, size
from smsdesk.bench.scale.table import Measured, Scale, note

SHARE = 0.1
"""Of a core, for each process on small cores: four of them leave most of two cores to PostgreSQL and the generator."""
MODES: tuple[Mode, ...] = ("transaction", "session")
BOTH = "accepted by 1 API process and delivered by 1 worker"


@dataclass(frozen=True, slots=True)
class ScalePlan:
    """`seconds` for each measurement of accepted sends, `texts` for each of delivered ones. `connections` for each
    process of the API: how many sends share a group, and so what each costs, depends on them."""

    seconds: int = 5
    texts: int = 10_000
    rounds: int = 3
    connections: int = 64
    processes: tuple[int, ...] = (1, 2, 4)
    workers: tuple[int, ...] = (1, 2)

    @property
    def steps(self) -> int:
        """How many measurements there are."""
        return self.rounds * (2 * len(self.processes) + 1 + len(MODES) + 2 * len(self.workers) + 1)


@dataclass(slots=True)
class Found:
    """What came out, as a report and as what the tables are made of."""

    report: Report
    measured: tuple[Measured, ...]
    costs: Costs

    def of(self, bench: Bench) -> Scale:
        """The bench that it came out of, with all of it."""
        sizes = tuple(size(self.costs, cores) for cores in SIZES)
        made = (bench.command, bench.started_at, bench.seconds, bench.machine, bench.reports)
        return Scale(*made, measured=self.measured, costs=self.costs, sizes=sizes)


@dataclass(slots=True)
class _Bench:
    measurer: Measurer
    plan: ScalePlan
    step: Callable[[str], None]
    rounds: dict[str, list[Round]] = field(default_factory=lambda: defaultdict(list))

    def take(self, name: str, measure: Callable[[], Round | None]) -> None:
        """Makes one measurement, and keeps what it found."""
        self.step(name)
        if (found := measure()) is not None:
            self.rounds[name].append(found)

    def round(self) -> None:
        """All measurements once."""
        measurer, plan = self.measurer, self.plan
        tcp = over_tcp(measurer.rig.dsn)
        for workers in plan.workers:
            for small in (False, True):
                measure = partial(measurer.deliver, workers, plan.texts, small=small)
                self.take(delivering(workers, small=small), measure)
        self.take(BOTH, partial(measurer.both, plan.connections, plan.texts))
        for processes in plan.processes:
            crowd = processes * plan.connections
            with measurer.api(processes, {"SMSDESK_DATABASE_URL": tcp}) as api:
                for small in (False, True):
                    measure = partial(measurer.accept, api, crowd, plan.seconds, small=small)
                    self.take(accepting(processes, small=small), measure)
                if processes == plan.processes[-1] > 1:
                    self.take(thin(plan), partial(measurer.accept, api, plan.connections, plan.seconds, small=True))
        self._pool(tcp)

    def _pool(self, tcp: str) -> None:
        if program() is None:
            return
        for mode in MODES:
            with pooler(tcp, mode) as way:
                direct = {"SMSDESK_DATABASE_DIRECT_URL": tcp} if mode == "transaction" else {}
                environ = {"SMSDESK_DATABASE_URL": way.dsn, **direct}
                with self.measurer.api(1, environ, {"pgbouncer": way.pid}) as api:
                    self.take(
                        pooled(mode), partial(self.measurer.accept, api, self.plan.connections, self.plan.seconds)
                    )

    def middle(self, name: str) -> Round:
        """The round in the middle by its rate, with each cost's own median."""
        rounds = sorted(self.rounds[name], key=lambda one: one.per_second)
        one = rounds[(len(rounds) - 1) // 2]
        cpu = {key: median(each.cpu_us[key] for each in rounds) for key in one.cpu_us}
        return Round(one.per_second, cpu, median(each.log for each in rounds), one.others)


def bench_scale(rig: Rig, plan: ScalePlan, step: Callable[[str], None]) -> Found:
    """Measures; `step` hears of each measurement before it begins. Raises BenchError where a count was wrong."""
    bench = _Bench(Measurer(rig, rig.lab(), SHARE), plan, step)
    for _ in range(plan.rounds):
        bench.round()
    return judge({name: bench.middle(name) for name in bench.rounds}, plan, len(os.sched_getaffinity(0)))


def judge(found: dict[str, Round], plan: ScalePlan, cores: int) -> Found:
    """What the model says beside what was found on so many cores."""
    costs = read_costs(found)
    said = predict(found, costs, plan, cores)
    measured = tuple(
        Measured(name, round(one.per_second, 1), said.get(name), {key: round(us, 1) for key, us in one.cpu_us.items()},
                 round(one.log), round(one.others, 2))
        for name, one in found.items()
    )  # fmt: skip
    rows = tuple(Row(one.name, one.per_second, note=note(one)) for one in measured)
    alone = found[accepting(1)].cpu_us
    report = Report(
        f"More processes: {plan.connections} connections for each of the API, small cores are {SHARE:g} of one",
        tuple(_headlines(found, measured, plan)), rows, f"What a session cost, {accepting(1)}",
        tuple(Cost(name, 0.0, round(us, 1), 0.0) for name, us in alone.items()),
    )  # fmt: skip
    return Found(report, measured, costs)


def read_costs(found: dict[str, Round]) -> Costs:
    """The model's inputs: one process of each kind, on whole cores."""
    send, text = found[accepting(1)], found[delivering(1)]
    return Costs(
        round(send.cpu_us["api"], 1), round(send.cpu_us["PostgreSQL"], 1), round(text.cpu_us["worker"], 1),
        round(text.cpu_us["PostgreSQL"], 1), round(send.log + text.log), round(send.cpu_us["load generator"], 1),
        round(text.cpu_us["lab"], 1),
    )  # fmt: skip


def predict(found: dict[str, Round], costs: Costs, plan: ScalePlan, cores: int) -> dict[str, float]:
    """Rates by the model, on the cores that processes of others left. A small core is a slow one: what a send costs on
    it is read from one process on one."""
    free = {name: cores - one.others for name, one in found.items()}
    said = {accepting(n): accepted(costs, n, free[accepting(n)]) for n in plan.processes}
    said |= {delivering(n): delivered(costs, n, free[delivering(n)]) for n in plan.workers}
    said[BOTH] = both(costs, free[BOTH])
    if accepting(1, small=True) in found:
        one = SHARE * 1e6 / found[accepting(1, small=True)].cpu_us["api"]
        said |= {accepting(n, small=True): n * one for n in plan.processes}
    if delivering(1, small=True) in found:
        one = SHARE * 1e6 / found[delivering(1, small=True)].cpu_us["worker"]
        said |= {delivering(n, small=True): n * one for n in plan.workers}
    return {name: round(rate, 1) for name, rate in said.items()}


def accepting(processes: int, *, small: bool = False) -> str:
    """The name of a measurement."""
    return f"accepted by {processes} API process{'es' if processes > 1 else ''}{' on small cores' if small else ''}"


def delivering(workers: int, *, small: bool = False) -> str:
    """The name of a measurement."""
    return f"delivered by {workers} worker{'s' if workers > 1 else ''}{' on small cores' if small else ''}"


def thin(plan: ScalePlan) -> str:
    """The name of a measurement: the connections of one process, shared out to all."""
    return f"{accepting(plan.processes[-1], small=True)}, {plan.connections} connections in all"


def pooled(mode: str) -> str:
    """The name of a measurement."""
    return f"{accepting(1)}, pgbouncer pooling by {mode}"


def _headlines(found: dict[str, Round], measured: tuple[Measured, ...], plan: ScalePlan) -> Iterator[Headline]:
    many, workers = plan.processes[-1], plan.workers[-1]
    for few, lots in (
        (accepting(1, small=True), accepting(many, small=True)),
        (delivering(1, small=True), delivering(workers, small=True)),
        (accepting(1), accepting(many)),
    ):
        if few in found and lots in found:
            yield headline(f"a second: {lots} / 1", found[lots].per_second / found[few].per_second)
    for name in ("api", "PostgreSQL"):
        ratio = found[accepting(many)].cpu_us[name] / found[accepting(1)].cpu_us[name]
        yield headline(f"CPU of {name} for a session: {many} processes / 1", ratio)
    for mode in MODES:
        if pooled(mode) in found:
            ratio = sum(found[pooled(mode)].cpu_us.values()) / sum(found[accepting(1)].cpu_us.values())
            yield headline(f"CPU of all for a session: pgbouncer pooling by {mode} / direct", ratio)
    for small in (True, False):
        wrong = [abs(one.error) for one in measured if one.error is not None and ("small" in one.name) == small]
        if wrong:
            where = "small cores" if small else f"{len(os.sched_getaffinity(0))} cores that all share"
            yield headline(f"the model's largest error, {where}", 100 * max(wrong), "%")
