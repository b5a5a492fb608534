"""The dispatcher of one line: claims what the line has room for, hands it over, and never has two claims at once."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from smsdesk.actions.claim_texts import claim_texts
from smsdesk.carriers.contract import Carrier, OutboundText, Unsent
from smsdesk.domain.health import Health
from smsdesk.domain.segments import segment
from smsdesk.domain.text_state import AttemptOutcome, ClaimedText
from smsdesk.jobs.pace import LinePace
from smsdesk.jobs.repeat import report
from smsdesk.jobs.sink import LineSink, Place
from smsdesk.store import texts
from smsdesk.store.groups import AWAY, BAD_DATA
from smsdesk.store.texts import Wanted

LARGEST_CLAIM = 200
POLL = 1.0
"""Seconds after which the queue is looked at without a hint: what a lost one costs at most."""
CLAIM_FRESH = 5.0
"""Seconds after which a claim is too old to send: half the life of a node, whose texts others may have buried since."""
FOR_NOTICES = 0.2
"""The share of a line that notices have even while people's answers would fill it."""
CHECK_HELD = 10.0
"""Seconds between two looks for texts that are ours to send by a claim whose answer never reached us."""

MARK, BUSY = 1.0, 10
"""Seconds between two marks of where the queue begins, and as many claims since the last one: fewer are as quick
without."""


@dataclass(frozen=True, slots=True)
class Node:
    """The process that sends, as the database knows it."""

    node_id: int
    unbroken: Callable[[float], bool]
    """Whether its row is fresh enough to claim under, and was so ever since a time of the monotonic clock."""


@dataclass(frozen=True, slots=True)
class Valves:
    """What may keep a line from its queue."""

    pace: LinePace
    health: Health
    has_alternative: Callable[[], bool]
    """Whether its texts can go elsewhere while its carrier is sick. Where they cannot, they are sent all the same."""
    most_media: int = 0
    """How many files the line carries with a text."""


class Dispatcher:
    """Moves texts from the queue to one line, as fast as it takes them and the limits let it."""

    def __init__(self, place: Place, carrier: Carrier, node: Node, valves: Valves) -> None:
        self._place = place
        self._carrier = carrier
        self._node = node
        self._valves = valves
        self._notices = 0.0
        self._pause = POLL
        self._woken = asyncio.Event()
        self._stopping = False
        self._checked = self._marked = time.monotonic()
        self._claims = 0

    def wake(self) -> None:
        """Something may be in the queue, or the line has room again."""
        self._woken.set()

    def begin(self) -> None:
        """To be called before each `run`: takes back an earlier `stop`."""
        self._stopping = False

    def stop(self) -> None:
        """Lets `run` return once what is claimed has been handed over."""
        self._stopping = True
        self._woken.set()

    async def run(self, sink: LineSink) -> None:
        """Delivers until stopped."""
        while not self._stopping:
            self._woken.clear()
            try:
                more = await self._deliver(sink)
                if time.monotonic() - self._checked > CHECK_HELD:
                    await self._give_back_lost(sink)
            except (*AWAY, *BAD_DATA) as error:
                report("deliver texts", error, self._place.log)
                # Whether the claim was committed is not known: look for it at once when the database is back.
                self._checked, more = -CHECK_HELD, False
            if not more and not self._stopping:
                await self._wait()

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(self._pause):
                await self._woken.wait()
        except TimeoutError:
            return

    async def _deliver(self, sink: LineSink) -> bool:
        """One claim; whether the queue may hold more than that."""
        self._pause = POLL
        room, pace, began = self._room(), self._valves.pace, time.monotonic()
        if room <= 0 or not self._node.unbroken(began) or not pace.may_send():
            return False
        await self._mark(began)
        if pace.limited:
            outbound = await self._claim_paced(room, began)
        else:
            outbound = await self._claim(Wanted(room, self._for_notices(room)))
            pace.claimed(None, outbound, began)
        if not outbound:
            return False
        sink.hold(outbound)
        for text in outbound:
            self._valves.health.handed((text.text_id, text.attempt), began)
        if time.monotonic() - began > CLAIM_FRESH:
            for text in outbound:
                sink.outcome(text, Unsent("the claim took too long"))
        else:
            self._carrier.send(outbound)
        return len(outbound) == room or pace.limited

    async def _mark(self, now: float) -> None:
        """Where claims are many, says from time to time from where on they have to look."""
        self._claims += 1
        if self._claims <= BUSY or now - self._marked < MARK:
            return
        self._claims, self._marked = 0, now
        place = self._place
        async with place.db.connection() as conn:
            await texts.mark_queue(conn, place.tenant_id, place.carrier_id, place.clock())

    def _room(self) -> int:
        room = min(self._carrier.room(), LARGEST_CLAIM)
        return self._valves.health.room(room) if self._valves.has_alternative() else room

    async def _claim(self, wanted: Wanted) -> list[OutboundText]:
        place, node = self._place, self._node
        claimed = await claim_texts(place.db, place.tenant_id, place.carrier_id, wanted, node.node_id, place.clock())
        return [_outbound(place.tenant_id, text, self._valves.most_media) for text in claimed]

    async def _claim_paced(self, room: int, began: float) -> list[OutboundText]:
        """What the limits let each number send; where they let nothing go, it says when to look again."""
        place, pace = self._place, self._valves.pace
        async with place.db.connection() as conn:
            sources = await texts.find_sources(conn, place.tenant_id, place.carrier_id, place.clock())
        allotted = pace.allot(sources, room, by_turn=self._notices % 1 + FOR_NOTICES >= 1)
        if allotted is None:
            self._pause = min(pace.wait(sources) or POLL, POLL)
            return []
        outbound: list[OutboundText] = []
        try:
            notices = self._for_notices(sum(allotted.segments.values()))
            outbound = await self._claim(Wanted(room, notices, allotted.segments))
        finally:
            pace.claimed(allotted, outbound, began)
        return outbound

    def _for_notices(self, room: int) -> int:
        """How many notices go with the next claim at least: a share, also of claims of one text."""
        self._notices = self._notices % 1 + room * FOR_NOTICES
        return int(self._notices)

    async def _give_back_lost(self, sink: LineSink) -> None:
        """Texts that a claim gave us without our hearing of it were not sent by anybody: back into the queue."""
        place, held = self._place, sink.held()
        async with place.db.connection() as conn:
            ours = await texts.find_held(conn, place.tenant_id, place.carrier_id, self._node.node_id)
        for message_id, attempt in ours:
            if (message_id, attempt) not in held:
                sink.record(AttemptOutcome(message_id, attempt, "unsent"))
        self._checked = time.monotonic()


def _outbound(tenant_id: int, text: ClaimedText, most_media: int) -> OutboundText:
    body, media = text.body, text.media
    if len(media) > most_media:
        # It was written for a line that carries files, and its number uses another one by now: links lose nothing.
        body, media = "\n".join(word for word in (body, *media) if word), ()
    return OutboundText(
        tenant_id, text.message_id, text.attempt, text.source, text.destination, segment(body), text.valid_until, media
    )
