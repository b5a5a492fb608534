"""Carriers that can be asked are asked what became of texts of which no answer or no receipt came."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from structlog.typing import FilteringBoundLogger

from smsdesk.carriers.contract import Absent, Doubt, Found, LookUp, OutboundText, Unknown
from smsdesk.domain.segments import segment
from smsdesk.domain.text_state import AttemptOutcome
from smsdesk.jobs.routes import Watched
from smsdesk.store import doubtful
from smsdesk.store.db import Database
from smsdesk.store.doubtful import OpenAttempt

FIRST_ASKED = timedelta(seconds=15)
"""How long a doubtful text waits for its receipt before its carrier is asked; doubled after each time."""
LAST_ASKED = timedelta(hours=6)
SILENT = timedelta(minutes=10)
"""How long the receipt of a text that was taken is waited for before it is asked for."""
SURELY_ABSENT = timedelta(minutes=2)
"""A carrier that knows nothing of a text may not know it yet: it must say so again this long after the first time."""
_AT_ONCE, _A_ROUND = 8, 40
_GROUP = 200


@dataclass(slots=True)
class _Asked:
    """What is known from asking about one attempt."""

    next_at: datetime
    pause: timedelta
    absent_since: datetime | None = None


class Doubts:
    """Asks, for the lines of this process, and puts what it hears where outcomes and receipts go."""

    def __init__(self, db: Database, clock: Callable[[], datetime], log: FilteringBoundLogger) -> None:
        self._db = db
        self._clock = clock
        self._log = log
        self._asked: dict[tuple[int, int, int], _Asked] = {}

    async def ask(self, lines: Mapping[tuple[int, int], Watched]) -> None:
        """One round over all lines that are up, side by side: one that does not answer keeps none of the others."""
        now = self._clock()
        open_keys: set[tuple[int, int, int]] = set()
        rounds = []
        for (tenant_id, carrier_id), line in lines.items():
            async with self._db.connection() as conn:
                attempts = await doubtful.find_open(
                    conn, tenant_id, carrier_id, now - FIRST_ASKED, now - SILENT, _GROUP
                )
            open_keys.update((tenant_id, one.message_id, one.attempt) for one in attempts)
            due = [one for one in attempts if self._is_due((tenant_id, one.message_id, one.attempt), now)]
            if due and line.carrier.up():
                rounds.append(self._ask_line(line, (tenant_id, carrier_id), due[:_A_ROUND]))
        await asyncio.gather(*rounds)
        for gone in self._asked.keys() - open_keys:
            del self._asked[gone]

    async def _ask_line(self, line: Watched, of: tuple[int, int], due: Sequence[OpenAttempt]) -> None:
        for at in range(0, len(due), _AT_ONCE):
            await asyncio.gather(*(self._ask_one(line, of, one) for one in due[at : at + _AT_ONCE]))

    def _is_due(self, key: tuple[int, int, int], now: datetime) -> bool:
        asked = self._asked.get(key)
        return asked is None or asked.next_at <= now

    async def _ask_one(self, line: Watched, of: tuple[int, int], one: OpenAttempt) -> None:
        tenant_id, _ = of
        text = OutboundText(
            tenant_id, one.message_id, one.attempt, one.source, one.destination, segment(one.body), one.valid_until
        )
        answer = await line.carrier.look_up(Doubt(text, one.part_ids, one.sent_at))
        now, key = self._clock(), (tenant_id, one.message_id, one.attempt)
        asked = self._asked.setdefault(key, _Asked(now, FIRST_ASKED))
        asked.next_at, asked.pause = now + asked.pause, min(2 * asked.pause, LAST_ASKED)
        if isinstance(answer, Found) and await self._is_taken(of, one, answer):
            answer = Unknown("what was found is another text")
        await self._hear(line, one, answer, asked)

    async def _is_taken(self, of: tuple[int, int], one: OpenAttempt, found: Found) -> bool:
        async with self._db.connection() as conn:
            learned = [name for name in found.part_ids if name is not None and name not in one.part_ids]
            return await doubtful.is_named(conn, *of, learned, but=one.message_id)

    async def _hear(self, line: Watched, one: OpenAttempt, answer: LookUp, asked: _Asked) -> None:
        now = self._clock()
        match answer:
            case Found(part_ids, receipts):
                if one.doubtful and all(part_id is not None for part_id in part_ids):
                    line.sink.record(AttemptOutcome(one.message_id, one.attempt, "accepted", part_ids=part_ids))
                for receipt in receipts:
                    await line.sink.receipt(receipt)
            # A part that the carrier has named has left, whatever it says now.
            case Absent(detail) if one.doubtful and not any(one.part_ids):
                asked.absent_since = asked.absent_since or now
                if now - asked.absent_since >= SURELY_ABSENT:
                    self._log.info("the carrier never took a doubtful text", message_id=one.message_id, says=detail)
                    line.sink.record(AttemptOutcome(one.message_id, one.attempt, "unsent", code="never taken"))
            case _:
                asked.absent_since = None
