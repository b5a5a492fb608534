"""The lines of this process: started, changed and stopped as tenants set them up, none disturbed by another."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import msgspec

from smsdesk.actions.receive_reply import ReceiveReply
from smsdesk.carriers.contract import Carrier, Doubtful, Outcome, Pace, Refused, Unsent
from smsdesk.carriers.registry import CARRIERS, most_media
from smsdesk.domain.health import End, Health
from smsdesk.jobs.deliver_texts import Dispatcher, Node, Valves
from smsdesk.jobs.pace import LinePace, Paces
from smsdesk.jobs.repeat import report
from smsdesk.jobs.routes import Routes, Watched
from smsdesk.jobs.sink import Calls, LineSink, Place
from smsdesk.setup.secrets import SecretMissing, resolve_all
from smsdesk.store import carriers
from smsdesk.store.carriers import CarrierSetup

SINK_CLOSE = 10.0
"""Seconds that a line which ends may take to write down what it learned."""
RESTART = 5.0
"""Seconds before a line that died of a fault of ours is started again."""
OVERLAP = timedelta(minutes=1)
"""How far each look for changes goes back: clocks differ, and a change is seen at its commit."""


class LineUnusable(Exception):
    """A line whose set-up cannot work; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every line of a process is given."""

    receive_reply: ReceiveReply
    environ: Mapping[str, str]
    random: Callable[[], float]
    wake: Callable[[int], None]
    paces: Paces
    routes: Routes


def make_carrier(setup: CarrierSetup, place: Place, around: Surroundings, pace: Pace) -> Carrier:
    """The carrier that is set up; raises LineUnusable where it cannot work."""
    kind = CARRIERS.get(setup.type)
    if kind is None:
        raise LineUnusable(f"there is no carrier type {setup.type!r}: use one of {', '.join(sorted(CARRIERS))}")
    try:
        config = msgspec.convert(resolve_all(setup.config, around.environ), kind.Config)
        return kind.make(
            setup.tenant_id, setup.name, config,
            clock=time.monotonic, random=around.random, log=place.log, pace=pace,
        )  # fmt: skip
    except (SecretMissing, msgspec.ValidationError, ValueError) as error:
        raise LineUnusable(str(error)) from error


class Line:
    """One carrier at work: its session, its dispatcher and its sink."""

    def __init__(self, carrier: Carrier, place: Place, node: Node, around: Surroundings, valves: Valves) -> None:
        self._carrier = carrier
        self._place = place
        self._valves = valves
        self._left: frozenset[tuple[int, int]] = frozenset()
        self._dispatcher = Dispatcher(place, carrier, node, valves)
        self._sink = LineSink(place, around.receive_reply, Calls(self._dispatcher.wake, around.wake, self._ended))
        self._end = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self, left: frozenset[tuple[int, int]]) -> None:
        """Goes to work. `left` are the (text, attempt) pairs that an earlier line of this carrier could not write
        down."""
        self._left = left
        self._task = asyncio.get_running_loop().create_task(self._run())

    def wake(self) -> None:
        """Something may be in the queue."""
        self._dispatcher.wake()

    def state(self) -> str:
        """One line for people."""
        health = self._valves.health
        said = {"well": "", "sick": f"; left: {health.why}", "trial": "; on trial"}[health.state]
        return self._carrier.state() + (said if self._valves.has_alternative() else "")

    def watched(self) -> Watched:
        """What is judged about it."""
        return Watched(self._valves.health, self._carrier, self._sink, self._dispatcher.wake)

    def _ended(self, key: tuple[int, int], outcome: Outcome) -> None:
        self._valves.pace.ended(key)
        self._valves.health.ended(key, _end(outcome), time.monotonic())

    async def stop(self) -> frozenset[tuple[int, int]]:
        """Drains the line, writes down what it learned, and closes it: gives the texts of which it could not."""
        self._end.set()
        if self._task is not None:
            await asyncio.wait({self._task})
        return self._left

    async def _run(self) -> None:
        ending = asyncio.create_task(self._end.wait())
        try:
            while not self._end.is_set():
                # They are this node's still, and may have left: the dispatcher must not take them for unsent.
                self._sink.doubt(self._left)
                await self._serve(ending)
                self._left = self._sink.held()
                for key in self._left:  # a line that died of a fault said nothing of those that it had
                    self._valves.pace.ended(key)
                    self._valves.health.ended(key, "none", time.monotonic())
                if not self._end.is_set():
                    await asyncio.wait({ending}, timeout=RESTART)
        finally:
            ending.cancel()

    async def _serve(self, ending: "asyncio.Task[Literal[True]]") -> None:
        """Works until the line is told to end, or one of its two halves dies; then ends the other in good order."""
        loop = asyncio.get_running_loop()
        self._dispatcher.begin()
        session = loop.create_task(self._carrier.run(self._sink))
        dispatch = loop.create_task(self._dispatcher.run(self._sink))
        try:
            halves: set[asyncio.Task[Any]] = {session, dispatch, ending}
            await asyncio.wait(halves, return_when=asyncio.FIRST_COMPLETED)
        finally:
            # First no more claims, then the session, which reports on all that it holds, then what it reported.
            self._dispatcher.stop()
            await asyncio.wait({dispatch})
            session.cancel()
            await asyncio.wait({session})
            await self._sink.close(SINK_CLOSE)
            for half in (dispatch, session):
                report("line", None if half.cancelled() else half.exception(), self._place.log)


def _end(outcome: Outcome) -> End:
    """The carrier's part in an outcome: a request for patience is none, a fault of the text is not the carrier's."""
    match outcome:
        case Refused(reason="queue_full") | Unsent():
            return "none"
        case Refused(reason="carrier_error", retry_after=later) if later is not None:
            return "bad"
        case Doubtful():
            return "lost"
        case _:
            return "good"


class Lines:
    """All lines of this process, kept as they are set up."""

    def __init__(self, place: Callable[[int, int, str], Place], node: Node, around: Surroundings) -> None:
        """`place` makes the surroundings of a line from tenant id, carrier id and name."""
        self._place = place
        self._node = node
        self._around = around
        self._lines: dict[tuple[int, int], tuple[CarrierSetup, Line | None]] = {}
        self._unusable: dict[tuple[int, int], str] = {}
        self._left: dict[tuple[int, int], frozenset[tuple[int, int]]] = {}
        self._seen = datetime(2000, 1, 1, tzinfo=UTC)

    def wake(self, tenant_id: int | None) -> None:
        """Something may be in the queue of a tenant, or of any."""
        for (owner, _), (_, line) in self._lines.items():
            if line is not None and tenant_id in (None, owner):
                line.wake()

    def states(self) -> dict[tuple[int, str], str]:
        """What each line is doing, by tenant and name, for people."""
        return {
            (setup.tenant_id, setup.name): line.state() if line else f"unusable: {self._unusable[key]}"
            for key, (setup, line) in self._lines.items()
        }

    async def refresh(self, place: Place) -> None:
        """Starts, restarts and stops what changed since the last look; lines that did not change go on."""
        now = place.clock()
        async with place.db.connection() as conn:
            changed = await carriers.find_changed(conn, self._seen - OVERLAP)
        self._seen = now
        leaving = []
        for tenant_id, wanted in changed.items():
            setups = {(tenant_id, setup.carrier_id): setup for setup in wanted}
            running = {key: setup for key, (setup, _) in self._lines.items() if key[0] == tenant_id}
            stale = [key for key, setup in running.items() if setups.get(key) != setup]
            leaving += [self._stop(key, setups.get(key)) for key in stale]
            for key, setup in setups.items():
                if key not in running:
                    self._start(key, setup)
        if leaving:
            await asyncio.gather(*leaving)

    def watched(self) -> dict[tuple[int, int], Watched]:
        """The lines at work, by tenant and carrier."""
        return {key: line.watched() for key, (_, line) in self._lines.items() if line is not None}

    def unusable(self) -> dict[tuple[int, int], str]:
        """Why other lines cannot work here as they are set up, by tenant and carrier."""
        return {key: self._unusable[key] for key, (_, line) in self._lines.items() if line is None}

    def up(self) -> set[int]:
        """The tenants with a line that texts can leave over."""
        return {tenant_id for (tenant_id, _), line in self.watched().items() if line.carrier.up()}

    async def stop(self) -> None:
        """Ends all lines, side by side."""
        await asyncio.gather(*(self._stop(key, None) for key in list(self._lines)))

    async def _stop(self, key: tuple[int, int], then: CarrierSetup | None) -> None:
        _, line = self._lines.pop(key)
        if line is not None:
            self._left[key] = await line.stop()
        if then is not None:
            self._start(key, then)

    def _start(self, key: tuple[int, int], setup: CarrierSetup) -> None:
        place, around = self._place(setup.tenant_id, setup.carrier_id, setup.name), self._around
        health = Health(time.monotonic())
        tenant = around.paces.of(setup.tenant_id)
        pace = LinePace(tenant, setup.name, time.monotonic, health, self._node.unbroken)
        try:
            carrier = make_carrier(setup, place, around, pace)
        except LineUnusable as error:
            self._unusable[key] = str(error)
            self._lines[key] = (setup, None)
            place.log.error("line unusable", why=str(error))
            return
        valves = Valves(pace, health, lambda: around.routes.has_alternative(key), most_media(setup.type, setup.config))
        line = Line(carrier, place, self._node, around, valves)
        self._lines[key] = (setup, line)
        line.start(self._left.pop(key, frozenset()))
        place.log.info("line started", type=setup.type)
