"""The dispatcher of one line: claims what the line has room for, hands it over, and never has two claims at once."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from smsdesk.actions.claim_texts import claim_texts
from smsdesk.carriers.contract import Carrier, OutboundText
from smsdesk.domain.segments import segment
from smsdesk.domain.text_state import AttemptOutcome, ClaimedText
from smsdesk.jobs.repeat import report
from smsdesk.jobs.sink import LineSink, Place
from smsdesk.store import texts
from smsdesk.store.groups import AWAY, BAD_DATA

LARGEST_CLAIM = 200
POLL = 1.0
"""Seconds after which the queue is looked at without a hint: what a lost one costs at most."""
CLAIM_FRESH = 5.0
"""Seconds after which a claim is too old to send: half the life of a node, whose texts others may have buried since."""
CHECK_HELD = 10.0
"""Seconds between two looks for texts that are ours to send by a claim whose answer never reached us."""


@dataclass(frozen=True, slots=True)
class Node:
    """The process that sends, as the database knows it."""

    node_id: int
    alive: Callable[[], bool]
    """Whether its row is fresh enough to claim under."""


class Dispatcher:
    """Moves texts from the queue to one line, as fast as it takes them."""

    def __init__(self, place: Place, carrier: Carrier, node: Node) -> None:
        self._place = place
        self._carrier = carrier
        self._node = node
        self._woken = asyncio.Event()
        self._stopping = False
        self._checked = time.monotonic()

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
            async with asyncio.timeout(POLL):
                await self._woken.wait()
        except TimeoutError:
            return

    async def _deliver(self, sink: LineSink) -> bool:
        """One claim; whether the queue may hold more than that."""
        room = min(self._carrier.room(), LARGEST_CLAIM)
        if room <= 0 or not self._node.alive():
            return False
        place, began = self._place, time.monotonic()
        claimed = await claim_texts(
            place.db, place.tenant_id, place.carrier_id, room, self._node.node_id, place.clock()
        )
        if not claimed:
            return False
        outbound = [_outbound(place.tenant_id, text) for text in claimed]
        sink.hold(outbound)
        if time.monotonic() - began > CLAIM_FRESH:
            for text in claimed:
                sink.record(AttemptOutcome(text.message_id, text.attempt, "unsent"))
        else:
            self._carrier.send(outbound)
        return len(claimed) == room

    async def _give_back_lost(self, sink: LineSink) -> None:
        """Texts that a claim gave us without our hearing of it were not sent by anybody: back into the queue."""
        place, held = self._place, sink.held()
        async with place.db.connection() as conn:
            ours = await texts.find_held(conn, place.tenant_id, place.carrier_id, self._node.node_id)
        for message_id, attempt in ours:
            if (message_id, attempt) not in held:
                sink.record(AttemptOutcome(message_id, attempt, "unsent"))
        self._checked = time.monotonic()


def _outbound(tenant_id: int, text: ClaimedText) -> OutboundText:
    return OutboundText(
        tenant_id, text.message_id, text.attempt, text.source, text.destination, segment(text.body), text.valid_until
    )
