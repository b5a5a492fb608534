"""What one measurement of a budget knows: a profile of our process and two looks at PostgreSQL."""

import os
import signal
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import msgspec

from smsdesk.bench.budget import database
from smsdesk.bench.budget.bare_calls import Written
from smsdesk.bench.budget.database import Look
from smsdesk.bench.budget.report import Bare, Line, Side
from smsdesk.bench.budget.sampler import Profile
from smsdesk.bench.budget.steps import OTHER, Steps, attribute
from smsdesk.bench.rig import BenchError, Child

PATIENCE = 10.0
"""Seconds that a process may take to write its profile down."""
SHOWN = 5
"""Functions of no step that are named."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What happened between two looks, for so many items."""

    items: int
    profile: Profile
    cpu: float
    """Seconds that the kernel counted for our process."""
    before: Look
    after: Look

    def process(self, name: str, steps: Steps, bares: Mapping[str, Bare], whole: Bare) -> tuple[Side, Line]:
        """Our process by steps; and what fell to none."""
        taken, lost = attribute(steps, self.profile.stacks)

        def each(nanoseconds: int) -> float:
            return nanoseconds / 1e3 / self.items

        found = [Line(step, each(took), bares.get(step)) for step, took in taken.items() if step != OTHER]
        dearest = tuple(Line(function, each(took)) for function, took in lost[:SHOWN])
        other = Line(OTHER, each(taken[OTHER]), inside=dearest)
        return Side(name, self.whole, (*found, other), whole), other

    def group(self, function: str) -> float:
        """How many items shared a call of this function. Raises BenchError where nothing called it."""
        calls = database.calls(self.before, self.after, function)
        if not calls:
            raise BenchError(f"nothing called {function}(), by whose calls the budget counts groups")
        return self.items / calls

    def row_size(self) -> int:
        """Bytes of a row that was inserted, on the average."""
        inserted, size = (self.after.rows[name] - self.before.rows[name] for name in ("inserted", "size"))
        return size // inserted if inserted else 0

    @property
    def whole(self) -> float:
        """Microseconds of our process for each item, without what the profile took."""
        return (self.cpu * 1e9 - self.profile.sampling) / 1e3 / self.items

    @property
    def covered(self) -> float:
        """The sum of the samples over what the kernel counted."""
        return sum(took for _, took in self.profile.stacks) / (self.cpu * 1e9 - self.profile.sampling)

    def server(self, written: Written, group: float) -> Side:
        """PostgreSQL by statements, beside rows that are as many and as large."""
        rows = {name: (self.after.rows[name] - self.before.rows[name]) / self.items for name in self.after.rows}
        changed = rows["updated"] + rows["deleted"]
        plain = rows["inserted"] * written.inserted + changed * written.updated
        found = database.lines(self.before, self.after, self.items)
        statements = sum(line.us for line in found if line.inside)

        def beside(line: Line) -> Bare | None:
            if line.name == database.REST:
                return Bare("a commit of one row, by the group", written.commit / group)
            return Bare("its share of the rows", plain * line.us / statements) if line.inside else None

        said = f"{rows['inserted']:.1f} rows by COPY, {changed:.1f} changed, and the commit"
        whole = Bare(said, plain + written.commit / group)
        lines = tuple(msgspec.structs.replace(line, bare=beside(line)) for line in found)
        return Side("PostgreSQL", database.used(self.before, self.after, self.items), lines, whole)

    def facts(self, group: float) -> tuple[str, ...]:
        """What else is told of PostgreSQL and of the profile."""
        items, sampling = self.items, self.profile.sampling / 1e3 / self.items
        wal, syncs = self.after.wal - self.before.wal, self.after.syncs - self.before.syncs
        hot = self.after.rows["hot"] - self.before.rows["hot"]
        updated = self.after.rows["updated"] - self.before.rows["updated"]
        said = [
            f"{group:.0f} in a call of the database; {wal / items:,.0f} bytes of WAL, {syncs / items:.3f} syncs each.",
            f"Checks of foreign keys, within statements: {database.checks(self.before, self.after, items):.1f} us.",
            f"Statements had a core in {database.on_core(self.before, self.after):.0%} of their time.",
            f"{self.profile.samples:,} samples, which took {sampling:.1f} us each beside the figures.",
        ]
        return (*said, f"{hot / updated:.0%} of the updates left the indexes alone.") if updated else tuple(said)


class Profiled:
    """A process of ours under the sampler."""

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder)
        self._numbers = count(1)
        self.under = ("smsdesk.bench.budget.sampler", folder)
        """What is to run the process: see Rig.api."""

    def read(self, child: Child) -> Profile:
        """What it used so far. Raises BenchError where it does not say."""
        child.check()
        file, until = self._folder / f"{next(self._numbers)}.json", time.monotonic() + PATIENCE
        os.kill(child.pid, signal.SIGUSR1)
        while not file.exists():
            child.check()
            if time.monotonic() > until:
                raise BenchError(f"{child.name} did not write its profile down in {PATIENCE:g} s")
            time.sleep(0.01)
        return msgspec.json.decode(file.read_bytes(), type=Profile)


@contextmanager
def profiled() -> Iterator[Profiled]:
    """A place for the profiles of one process."""
    with tempfile.TemporaryDirectory(prefix="budget") as folder:
        yield Profiled(folder)
