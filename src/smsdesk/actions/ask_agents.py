"""What keeps chats moving towards a person: offers that nobody took, agents who vanished, chats that wait unasked."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from smsdesk.steps import arrivals, routing, transfers
from smsdesk.steps.say import note
from smsdesk.steps.work import Work
from smsdesk.store.agents import set_status
from smsdesk.store.arrivals import find_unowned
from smsdesk.store.chat_rows import lock_chat_row, require_open
from smsdesk.store.db import Connection, Database, Ids
from smsdesk.store.routing import end_missed, find_to_ask
from smsdesk.store.timers import find_orphans, find_vanished
from smsdesk.store.transfers import find_unanswered

AT_ONCE = 50
"""Chats of a tenant, or of one of its queues, that one transaction sees to."""


@dataclass(frozen=True, slots=True)
class Swept:
    """What one look found and saw to."""

    missed: int = 0
    vanished: int = 0
    rescued: int = 0
    asked: int = 0
    unowned: int = 0
    """Replies that nobody would have seen: each is a fault of ours, and stands in the supervisors' queue now."""


class AskAgents:
    """One look at a tenant's waiting chats. Any number of nodes may look at once: each chat is seen to by one."""

    def __init__(self, db: Database, ids: Ids, chance: Callable[[], float]) -> None:
        self._db = db
        self._ids = ids
        self._chance = chance

    async def __call__(self, tenant_id: int, now: datetime) -> Swept:
        """Sees to all that is due. An agent who missed an offer gets no other until he says that he is there."""
        missed = await self._end_missed(tenant_id, now)
        vanished = await self._note_vanished(tenant_id, now)
        rescued = await self._rescue(tenant_id, now)
        unowned = await self._own(tenant_id, now)
        async with self._db.transaction() as conn:
            chats = await find_to_ask(conn, tenant_id, now, AT_ONCE)
            for chat_id in chats:
                await routing.ask(self._work(conn, tenant_id, now), chat_id)
        return Swept(missed, vanished, rescued, len(chats), unowned)

    def _work(self, conn: Connection, tenant_id: int, now: datetime) -> Work:
        return Work(conn, tenant_id, now, self._ids, self._chance)

    async def _end_missed(self, tenant_id: int, now: datetime) -> int:
        async with self._db.transaction() as conn:
            missed = await end_missed(conn, tenant_id, now, AT_ONCE)
            for agent_id in sorted({offer.agent_id for offer in missed if offer.reserves}):
                await set_status(conn, tenant_id, agent_id, "missed_chat", None, now)
        async with self._db.connection() as conn:
            unanswered = await find_unanswered(conn, tenant_id, AT_ONCE)
        for chat_id in unanswered:
            async with self._db.transaction() as conn:
                chat = await lock_chat_row(conn, tenant_id, chat_id)
                if chat is not None and chat.ends_at is None:
                    await transfers.expire(self._work(conn, tenant_id, now), chat)
        return len(missed)

    async def _note_vanished(self, tenant_id: int, now: datetime) -> int:
        async with self._db.transaction() as conn:
            vanished = await find_vanished(conn, tenant_id, now)
            for agent_id in vanished:
                await set_status(conn, tenant_id, agent_id, "unresponsive", None, now)
        return len(vanished)

    async def _rescue(self, tenant_id: int, now: datetime) -> int:
        """Each in a transaction of its own: agents are locked in the order of their ids within one chat alone."""
        rescued = 0
        while rescued < AT_ONCE:
            async with self._db.transaction() as conn:
                chats = await find_orphans(conn, tenant_id, now, 1)
                work = self._work(conn, tenant_id, now)
                for chat_id in chats:
                    await note(work, chat_id, "The agent is away: others are asked.")
                    await routing.release(work, await require_open(conn, tenant_id, chat_id))
            if not chats:
                break
            rescued += 1
        return rescued

    async def _own(self, tenant_id: int, now: datetime) -> int:
        async with self._db.transaction() as conn:
            chats = await find_unowned(conn, tenant_id, AT_ONCE)
            work = self._work(conn, tenant_id, now)
            for chat_id in chats:
                await arrivals.own(work, await require_open(conn, tenant_id, chat_id))
        return len(chats)
