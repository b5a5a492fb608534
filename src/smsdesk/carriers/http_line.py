"""An HTTP line as a carrier: a window of requests, what each answer means, and when the line is up."""

import asyncio
import math
import random as chance
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

import aiohttp
import structlog
from structlog.typing import FilteringBoundLogger

from smsdesk.carriers import http_wire as wire
from smsdesk.carriers.contract import (
    Accepted,
    Callback,
    CallbackRequest,
    Carrier,
    CarrierType,
    Doubt,
    Doubtful,
    LookUp,
    MediaAccess,
    OutboundText,
    Outcome,
    Pace,
    Refused,
    Sink,
    Unknown,
    Unpaced,
    Unsent,
)
from smsdesk.carriers.http import HttpAnswer, HttpConfig, HttpRequest, Unsendable, Vendor
from smsdesk.carriers.http_queue import Queue
from smsdesk.carriers.smpp.timers import Backoff, Throttle

_DRAIN = 4.0
"""Seconds for open answers when the line is closed."""
_LOCKED_OUT = 60.0
"""Seconds before a vendor that takes nothing from our account is tried again, with one text at a time."""
_TO_WRITE = 4.0
"""Seconds from leave to the first octet: a process that stands still longer may count as dead when it goes on."""
_TICK = 0.001
"""Seconds. Timers may go off a little early, and nothing is asked again at once."""

C = TypeVar("C", bound=HttpConfig)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a process gives to its lines: seconds that only grow, numbers in 0..1, a log, limits, the time of day."""

    clock: Callable[[], float] = time.monotonic
    random: Callable[[], float] = chance.random
    log: FilteringBoundLogger = field(default_factory=structlog.get_logger)
    pace: Pace = field(default_factory=Unpaced)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)


def http_carrier(config_type: type[C], vendor_type: Callable[[C], Vendor]) -> CarrierType:
    """The type of carrier that speaks to a vendor; `vendor_type` may raise ValueError for settings that cannot work."""

    def make(tenant_id: int, name: str, config: C, **around: Any) -> Carrier:
        given = Surroundings(**around)
        log = given.log.bind(tenant_id=tenant_id, carrier=name)
        return HttpCarrier(config, vendor_type(config), replace(given, log=log))

    def callback(config: C, request: CallbackRequest, now: datetime) -> Callback:
        return vendor_type(config).callback(request, now)

    def media(config: C) -> MediaAccess:
        return vendor_type(config).media_access()

    def most_media(config: C) -> int:
        return vendor_type(config).most_media

    return CarrierType(config_type, make, callback, media, most_media)


class HttpCarrier:
    """A line to a vendor over HTTP, as `contract.Carrier` promises.

    A text that does not go gives those behind it back, so that all keep their order in the database's queue.
    """

    def __init__(self, config: HttpConfig, vendor: Vendor, around: Surroundings) -> None:
        self._config = config
        self._vendor = vendor
        self._around = around
        self._log = around.log
        self._backoff = Backoff(config.reconnect_first, config.reconnect_longest, around.random)
        self._throttle = Throttle(config.throttle_first, config.throttle_longest)
        self._sink: Sink | None = None
        self._session: aiohttp.ClientSession | None = None
        self._queue = Queue()
        self._tasks: set[asyncio.Task[None]] = set()
        self._timers: set[asyncio.TimerHandle] = set()
        self._lost = asyncio.Event()
        self._down = "down: not started"
        """What keeps all texts from leaving; empty when they can."""
        self._locked_out = ""
        """Why the vendor takes nothing from us, until it does."""
        self._rest_until = 0.0

    def room(self) -> int:
        """Texts that the line would put on the wire now; one while the vendor may still refuse our account."""
        if self._down or self._rest():
            return 0
        size = 1 if self._locked_out else self._config.window
        return max(0, size - len(self._queue))

    def send(self, texts: Sequence[OutboundText]) -> None:
        """Puts texts on the wire; what cannot go comes back as `Unsent`, perhaps before this returns."""
        room = self.room()
        self._queue.put(texts[:room])
        for text in texts[room:]:
            self._report(text, Unsent("the window of the line is full"))
        self._pump()

    def state(self) -> str:
        """One line for people."""
        if self._down or self._locked_out:
            return self._down or f"down: {self._locked_out}"
        rest = self._rest()
        return f"up, slowed for {rest:.1f} s" if rest else "up"

    def up(self) -> bool:
        """Whether the vendor can be reached, and is worth a try: for a while after it refused our account not."""
        return not self._down and not (self._locked_out and self._rest())

    async def run(self, sink: Sink) -> None:
        """Keeps the line up until cancelled, then drains in at most five seconds."""
        self._sink = sink
        self._down = "connecting"
        async with wire.open_session(self._config) as session:
            self._session = session
            try:
                while True:
                    await self._reach()
                    await self._lost.wait()
                    await asyncio.sleep(self._backoff.pause())
            finally:
                await self._drain()
                self._session = None

    async def look_up(self, doubt: Doubt) -> LookUp:
        """Asks the vendor what became of an attempt; Unknown where it has no such question or does not answer it."""
        if self._session is None:
            return Unknown("the line is not running")
        try:
            request = self._vendor.look_up(doubt)
            if request is None:
                return Unknown("this carrier cannot be asked")
            answer = await wire.call(self._session, request, wire.Mark())
            return self._vendor.found(doubt, answer)
        except wire.FAILURES as error:
            return Unknown(wire.describe(error))

    # Being up and down.

    async def _reach(self) -> None:
        """Ends when the vendor's address takes connections; no octet of a text goes over the one that shows it."""
        while trouble := await wire.probe(self._config):
            pause = self._backoff.pause()
            self._go_down(trouble)
            self._log.warning("http line down", why=trouble, retry_in=round(pause, 2))
            await asyncio.sleep(pause)
        self._lost.clear()
        self._down = ""
        self._log.info("http line up")
        self._offer_room()

    def _go_down(self, why: str) -> None:
        self._down = f"down: {why}"
        self._lost.set()
        self._give_back(f"the line is down: {why}")

    def _rest(self) -> float:
        """Seconds that the line rests from now on; 0.0 when it may send."""
        return max(0.0, self._rest_until - self._around.clock())

    def _begin_rest(self, seconds: float, why: str) -> None:
        self._rest_until = max(self._rest_until, self._around.clock() + seconds)
        self._log.warning("http line rests", why=why, seconds=round(seconds, 2))
        self._give_back(f"the line rests: {why}")
        self._later(seconds + _TICK, self._offer_room)

    def _later(self, seconds: float, what: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        self._timers = {timer for timer in self._timers if not timer.cancelled() and timer.when() > loop.time()}
        self._timers.add(loop.call_later(seconds, what))

    def _offer_room(self) -> None:
        if self._sink is not None and self.room():
            self._sink.room()

    async def _drain(self) -> None:
        """Reports an outcome for every text inside: of those on the wire, the answer that comes in time."""
        self._down = "down: closed"
        self._give_back("the line is being closed")
        for timer in self._timers:
            timer.cancel()
        try:
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=_DRAIN)
        finally:
            for task in self._tasks:
                task.cancel()
            if self._tasks:
                await asyncio.wait(self._tasks)

    # Texts on their way.

    def _pump(self) -> None:
        """Puts on the wire what may go."""
        pause = self._queue.fill(self._start)
        if pause < float("inf"):
            self._later(max(pause, _TICK), self._pump)

    def _start(self, text: OutboundText) -> float | None:
        """Puts a text on the wire, as `Queue.fill` wants it done."""
        around, now = self._around, self._around.now()
        if now >= text.valid_until:
            self._report(text, Refused("expired_here", "past its validity"))
            return 0.0
        try:
            request = self._vendor.request(text, now)
        except Unsendable as error:
            self._report(text, Refused(error.reason, error.code))
            return 0.0
        pause = around.pace.take(text, len(text.segments.parts))
        if pause == math.inf:
            self._report(text, Unsent("this process stood still, or was without its database"))
            return 0.0
        if pause:
            return pause
        task = asyncio.get_running_loop().create_task(self._submit(text, request))
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return None

    async def _submit(self, text: OutboundText, request: HttpRequest) -> None:
        """One request and its one outcome, however it ends."""
        assert self._session is not None
        mark = wire.Mark(latest=time.monotonic() + _TO_WRITE)
        outcome: Outcome = Doubtful("the line was closed before the answer came")
        try:
            answer = await wire.call(self._session, request, mark)
            outcome = self._judge(text, answer)
        except wire.FAILURES as error:
            outcome = Doubtful(wire.describe(error))
            if not mark.written:
                self._go_down(wire.describe(error))
        finally:
            self._queue.end(text)
            self._around.pace.answered(text, len(text.segments.parts))
            self._settle(text, outcome if mark.written else Unsent("the vendor could not be reached"))

    def _judge(self, text: OutboundText, answer: HttpAnswer) -> Outcome:
        """What an answer means for the text and for the line."""
        self._backoff.reset()
        try:
            outcome = self._vendor.outcome(text, answer)
        except ValueError:
            outcome = wire.judge_status(answer)
        match outcome:
            case Doubtful():
                return outcome
            case Refused("queue_full"):
                return outcome if outcome.retry_after is not None else self._slow_down(outcome, answer)
            case Refused("carrier_error") if outcome.retry_after is not None and answer.status < 500:
                self._lock_out(outcome.code)
                return outcome
            case Accepted():
                self._throttle.took()
        self._locked_out = ""
        return outcome

    def _lock_out(self, code: str) -> None:
        """Takes the line for down: whatever it sends now meets the same no."""
        self._locked_out = f"the vendor takes nothing from this account ({code})"
        if not self._rest():
            self._begin_rest(_LOCKED_OUT, self._locked_out)

    def _slow_down(self, refusal: Refused, answer: HttpAnswer) -> Refused:
        """Rests the line, and the text for as long, unless a part of it was taken: that would go twice."""
        asked = wire.retry_after(answer, self._around.now())
        now = self._around.clock()
        if self._throttle.hit(now):
            pause = max(self._throttle.remaining(now), min(asked, self._config.throttle_longest))
            self._begin_rest(pause, refusal.code)
        return refusal if refusal.part_ids else replace(refusal, retry_after=max(self._rest(), _TICK))

    def _settle(self, text: OutboundText, outcome: Outcome) -> None:
        if isinstance(outcome, Unsent) or (isinstance(outcome, Refused) and outcome.retry_after is not None):
            # It goes back into the queue: what waits behind it must not go first.
            self._give_back("an earlier text between these numbers has to go first", behind=text)
        self._report(text, outcome)

    def _give_back(self, why: str, behind: OutboundText | None = None) -> None:
        """Hands back what nothing of has left: all of it, or what waits behind a text."""
        for text in self._queue.take_back(behind):
            self._report(text, Unsent(why))

    def _report(self, text: OutboundText, outcome: Outcome) -> None:
        if self._sink is None:
            raise RuntimeError("send() before run(): there is no sink for the outcomes")
        self._sink.outcome(text, outcome)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._log.error("a fault of ours while a text was sent: it is doubtful", exc_info=task.exception())
        if not self._down:
            self._pump()
            self._offer_room()
