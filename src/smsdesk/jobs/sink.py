"""Where a line puts what it learned: facts are written down in groups, replies one by one, and nothing is let go.

Outcomes and receipts share one queue, so that a receipt is written after the outcome that names its part.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from structlog.typing import FilteringBoundLogger

from smsdesk.actions.receive_reply import Received, ReceiveReply
from smsdesk.actions.record_facts import record_facts
from smsdesk.actions.settle_opt_out import settle_opt_out
from smsdesk.carriers.contract import Accepted, Doubtful, OutboundText, Outcome, Receipt, Refused, Reply
from smsdesk.carriers.facts import inbound_part, part_receipt
from smsdesk.domain.reply import InboundPart, clean
from smsdesk.domain.text_state import AttemptOutcome, PartReceipt
from smsdesk.store.db import TRY_AGAIN, Database
from smsdesk.store.groups import AWAY, Groups

Fact = AttemptOutcome | PartReceipt

LARGEST_GROUP = 200
REPLY_TRIES = 5
"""How often a reply is tried while the database is away, a fifth of a second apart; then the network keeps it."""
REPLY_PAUSE = 0.2
UNWRITTEN = "the outcome could not be written down"
SETTLE_PAUSE = 0.05
SETTLE_LIMIT = 14.0
"""Seconds that the answer to a STOP waits for texts on the wire; after that the network is to ask again."""


@dataclass(frozen=True, slots=True)
class Place:
    """The line that a sink belongs to, and what it is told by."""

    db: Database
    tenant_id: int
    carrier_id: int
    clock: Callable[[], datetime]
    log: FilteringBoundLogger


class StillSending(Exception):
    """A text to a number that has just opted out is still on the wire: its STOP cannot be acknowledged yet."""


@dataclass(frozen=True, slots=True)
class Calls:
    """Whom a sink tells."""

    room: Callable[[], None]
    """The line can take texts, or one that waited behind another may go."""
    wake: Callable[[int], None]
    """A text of this tenant was queued."""
    ended: Callable[[tuple[int, int], Outcome], None]
    """A text of the line, with its attempt, has this outcome."""


class LineSink:
    """The sink of one line, as `contract.Sink` promises."""

    def __init__(self, place: Place, receive_reply: ReceiveReply, calls: Calls) -> None:
        self._place = place
        self._receive_reply = receive_reply
        self.room = calls.room
        self._wake = calls.wake
        self._ended = calls.ended
        self._facts: Groups[Fact, None] = Groups(self._record, max_size=LARGEST_GROUP, keep=True)
        self._held: set[tuple[int, int]] = set()
        self._replies: dict[str, asyncio.Task[None]] = {}

    def hold(self, texts: Sequence[OutboundText]) -> None:
        """Notes texts that were handed to the line: each is held until its outcome is on disk."""
        self._held.update((text.text_id, text.attempt) for text in texts)

    def doubt(self, left: frozenset[tuple[int, int]]) -> None:
        """Takes over texts of which the outcome was known and could not be written: now nobody knows it."""
        self._held.update(left)
        for message_id, attempt in left:
            self.record(AttemptOutcome(message_id, attempt, "doubtful", code=UNWRITTEN))

    def held(self) -> frozenset[tuple[int, int]]:
        """The (text, attempt) pairs whose outcome is not on disk yet."""
        return frozenset(self._held)

    def outcome(self, text: OutboundText, outcome: Outcome) -> None:
        """Writes the outcome down as soon as may be, however long the database is away."""
        self._ended((text.text_id, text.attempt), outcome)
        self.record(_plain(text, outcome))

    def record(self, outcome: AttemptOutcome) -> None:
        """The same in plain values."""
        future = self._facts.submit(outcome)
        future.add_done_callback(lambda done: self._recorded(outcome, done))

    def receipt(self, receipt: Receipt) -> "asyncio.Future[None]":
        """Writes the receipt down; the future ends when it is on disk."""
        return self._facts.submit(part_receipt(receipt))

    def reply(self, reply: Reply) -> "asyncio.Future[None]":
        """Takes the reply in, after the earlier ones of the same phone; the future ends when it may be acknowledged."""
        part = inbound_part(reply, self._place.carrier_id, self._place.clock())
        task = asyncio.get_running_loop().create_task(self._take(part, self._replies.get(part.source)))
        self._replies[part.source] = task
        task.add_done_callback(lambda done: self._taken(part.source, done))
        return task

    async def close(self, seconds: float) -> None:
        """Writes down what is in hand, for at most so many seconds; says what it had to leave."""
        if self._replies:
            await asyncio.wait(self._replies.values(), timeout=seconds)
        left = await self._facts.close(seconds)
        if left:
            self._place.log.error("facts were not written: the texts will be doubtful", count=left)

    async def _record(self, facts: Sequence[Fact]) -> Sequence[None]:
        place, now = self._place, self._place.clock()
        outcomes = [fact for fact in facts if isinstance(fact, AttemptOutcome)]
        receipts = [fact for fact in facts if isinstance(fact, PartReceipt)]
        await record_facts(place.db, place.tenant_id, place.carrier_id, now, outcomes, receipts)
        return [None] * len(facts)

    def _recorded(self, outcome: AttemptOutcome, done: "asyncio.Future[None]") -> None:
        if done.cancelled() or done.exception() is not None:
            error = None if done.cancelled() else done.exception()
            self._place.log.error("outcome was not written", message_id=outcome.message_id, exc_info=error)
            if error is not None and outcome.kind != "doubtful":
                # Else it would count as sending for as long as this process lives, and others wait behind it.
                self.record(AttemptOutcome(outcome.message_id, outcome.attempt, "doubtful", code=UNWRITTEN))
        else:
            self._held.discard((outcome.message_id, outcome.attempt))
            self.room()  # what waits behind this text, for the same phone, may go now

    def _taken(self, source: str, done: asyncio.Task[None]) -> None:
        if self._replies.get(source) is done:
            del self._replies[source]
        if not done.cancelled() and done.exception() is not None:
            self._place.log.error("reply was not taken in: the network will repeat it", exc_info=done.exception())

    async def _take(self, part: InboundPart, earlier: asyncio.Task[None] | None) -> None:
        if earlier is not None:
            await asyncio.wait({earlier})
        received = await self._store(part)
        if received.unknown_number:
            self._place.log.warning("a reply to a number that is not set up; its chat has no queue")
        if received.opted_out:
            await self._settle(clean(part.source))
        if received.answered:
            self._wake(self._place.tenant_id)

    async def _store(self, part: InboundPart) -> Received:
        tries = 0
        while True:
            tries += 1
            try:
                return await self._receive_reply(self._place.tenant_id, part)
            except TRY_AGAIN:
                if tries > 10 * REPLY_TRIES:
                    raise
            except AWAY as error:
                if tries >= REPLY_TRIES or isinstance(error, ValueError):
                    raise
                await asyncio.sleep(REPLY_PAUSE)

    async def _settle(self, number: str) -> None:
        place = self._place
        try:
            async with asyncio.timeout(SETTLE_LIMIT):
                # The outcome may be recorded by another process: there is no event to wait for.
                while not await settle_opt_out(place.db, place.tenant_id, number, place.clock()):  # noqa: ASYNC110
                    await asyncio.sleep(SETTLE_PAUSE)
        except TimeoutError as error:
            raise StillSending(f"a text was still on the wire after {SETTLE_LIMIT:g} s") from error


def _plain(text: OutboundText, outcome: Outcome) -> AttemptOutcome:
    match outcome:
        case Accepted(part_ids):
            return AttemptOutcome(text.text_id, text.attempt, "accepted", part_ids=_clean_ids(part_ids))
        case Refused(reason, code, retry_after, part_ids):
            ids = _clean_ids(part_ids)
            return AttemptOutcome(text.text_id, text.attempt, "refused", reason, clean(code), retry_after, ids)
        case Doubtful(detail, part_ids):
            ids = _clean_ids(part_ids)
            return AttemptOutcome(text.text_id, text.attempt, "doubtful", code=clean(detail), part_ids=ids)
        case _:
            return AttemptOutcome(text.text_id, text.attempt, "unsent")


def _clean_ids(part_ids: Sequence[str | None]) -> tuple[str | None, ...]:
    return tuple(part_id if part_id is None else clean(part_id) for part_id in part_ids)
