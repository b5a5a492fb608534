"""What callbacks say is written down: receipts in groups, replies one by one, all of it before the answer."""

import asyncio
import hashlib
from collections.abc import Sequence
from contextlib import suppress

import structlog

from smsdesk.actions.receive_reply import Received
from smsdesk.actions.record_receipts import record_receipts
from smsdesk.actions.settle_opt_out import settle_opt_out
from smsdesk.api.services import Services
from smsdesk.carriers.contract import CallbackRequest, Receipt, Reply
from smsdesk.carriers.facts import inbound_part, part_receipt
from smsdesk.domain.reply import clean
from smsdesk.domain.text_state import PartReceipt
from smsdesk.store.carriers import CarrierSetup
from smsdesk.store.db import TRY_AGAIN
from smsdesk.store.groups import AWAY, TRIES, Groups

LARGEST_GROUP = 200
MOST_KEPT = 2_000
"""Characters that are kept of a proven callback that cannot be read."""
SETTLE_LIMIT, SETTLE_PAUSE = 5.0, 0.05
"""Seconds that the answer to a STOP waits for texts on the wire, and between two looks. Vendors wait some 10 to 15; the
confirmation waits for the rest by itself."""

log = structlog.get_logger()


class CallbackFacts:
    """Writes down what proven callbacks say. To say it again is harmless: receipts are idempotent, replies known."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._receipts: dict[tuple[int, int], Groups[PartReceipt, None]] = {}

    async def write(self, setup: CarrierSetup, facts: Sequence[Receipt | Reply]) -> None:
        """Returns when all of it is on disk; raises one of AWAY or TRY_AGAIN where the sender has to say it again."""
        receipts = [self._group(setup).submit(part_receipt(fact)) for fact in facts if isinstance(fact, Receipt)]
        replies = [fact for fact in facts if isinstance(fact, Reply)]
        if replies:
            await asyncio.gather(*receipts, self._take_all(setup, replies))
        else:
            await asyncio.gather(*receipts)

    async def keep(self, setup: CarrierSetup, request: CallbackRequest, why: str) -> None:
        """Keeps a proven callback that cannot be read among the receipts that fit no text: people look there. Once,
        however often it comes."""
        whole = hashlib.sha256(b"\0".join((request.path.encode(), request.query.encode(), request.body))).hexdigest()
        said = f"{why}: {request.query} {request.body[:MOST_KEPT].decode('utf-8', 'replace')}"
        kept = PartReceipt(f"unreadable:{whole[:32]}", "unreadable", None, clean(said[:MOST_KEPT]))
        await self._group(setup).submit(kept)

    def _group(self, setup: CarrierSetup) -> Groups[PartReceipt, None]:
        key = (setup.tenant_id, setup.carrier_id)
        if key not in self._receipts:

            async def record(receipts: Sequence[PartReceipt]) -> Sequence[None]:
                await record_receipts(self._services.db, *key, self._services.clock(), receipts)
                return [None] * len(receipts)

            self._receipts[key] = Groups(record, max_size=LARGEST_GROUP)
        return self._receipts[key]

    async def _take_all(self, setup: CarrierSetup, replies: Sequence[Reply]) -> None:
        for reply in replies:
            received = await self._take(setup, reply)
            if received.unknown_number:
                log.warning(
                    "a reply to a number that is not set up; its chat has no queue",
                    tenant_id=setup.tenant_id,
                    carrier=setup.name,
                )
            if received.opted_out:
                await self._settle(setup.tenant_id, clean(reply.source))
            if received.answered:
                self._services.wake(setup.tenant_id)

    async def _take(self, setup: CarrierSetup, reply: Reply) -> Received:
        part = inbound_part(reply, setup.carrier_id, self._services.clock())
        for _ in range(TRIES - 1):
            with suppress(*TRY_AGAIN):
                return await self._services.receive_reply(setup.tenant_id, part)
        return await self._services.receive_reply(setup.tenant_id, part)

    async def _settle(self, tenant_id: int, number: str) -> None:
        """Waits for what is on its way to a number that has just opted out. The STOP is on disk already and holds
        whatever becomes of this: nothing leaves after it, and the confirmation goes out a little later."""
        db, clock = self._services.db, self._services.clock
        with suppress(*AWAY, *TRY_AGAIN):
            async with asyncio.timeout(SETTLE_LIMIT):
                # The outcome may be recorded by another process: there is no event to wait for.
                while not await settle_opt_out(db, tenant_id, number, clock()):  # noqa: ASYNC110
                    await asyncio.sleep(SETTLE_PAUSE)
