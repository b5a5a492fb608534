"""A past for the supervisor's pages: chats and texts as rows, with the times that a test says."""

from datetime import datetime, timedelta
from typing import Any

from tests.kit.api import OURS
from tests.kit.desk import DeskKit

HOSTILE = "<script>alert(1)</script> \u202e<b><i>turned"


class History:
    """Writes what happened in tenant acme. Times are seconds before the clock's now."""

    def __init__(self, desk: DeskKit) -> None:
        self.desk = desk
        self.queue_id = self.carrier_id = 0
        self._ids = 500_000_000

    async def begin(self, **effective: Any) -> "History":
        db = self.desk.db
        self.carrier_id = await db.fetchval("select carrier_id from carriers where tenant_id = 1")
        self.queue_id = await db.fetchval("select queue_id from queues where tenant_id = 1")
        await db.execute("update queues set effective = $1 where tenant_id = 1", effective)
        return self

    def take_id(self) -> int:
        self._ids += 1
        return self._ids

    def at(self, ago: float | None) -> datetime | None:
        return None if ago is None else self.desk.clock.now - timedelta(seconds=ago)

    async def chat(self, **said: Any) -> int:
        """A chat that waits since `queued`, that agent 1 (or `agent`) took at `taken` and that ended at `ended`."""
        chat_id, queued, taken, ended = self.take_id(), said.get("queued"), said.get("taken"), said.get("ended")
        begun = said.get("begun", queued)
        status = said.get("status") or _status(queued, taken, ended)
        phone = said.get("phone", f"+1415{chat_id % 10_000_000:07}")
        db = self.desk.db
        await db.execute(
            "insert into end_users (tenant_id, end_user_id, number, created_at) values (1, $1, $2, $3)",
            chat_id, phone, self.at(begun),
        )  # fmt: skip
        if "name" in said:
            await db.execute("insert into end_user_names (tenant_id, end_user_id, first_name) values (1, $1, $2)",
                             chat_id, said["name"])  # fmt: skip
        await db.execute(
            """
            insert into chats (tenant_id, chat_id, end_user_id, outbound_number, direction, status, created_at,
                queued_at, assigned_at, ends_at, queue_id, agent_id, chat_type, end_user_said_at, since,
                span_count, rating, fail_reason, disconnected_by, ticket_id)
            values (1, $1, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 0, $14, $15, $16, $17)
            """,
            chat_id, OURS, said.get("direction", "inbound"), status, self.at(begun), self.at(queued), self.at(taken),
            self.at(ended), said.get("queue_id", self.queue_id if queued is not None else None),
            said.get("agent", 1 if taken is not None else None), said.get("chat_type", "Messaging (SMS)"),
            self.at(begun), self.at(next(one for one in (ended, taken, queued, begun) if one is not None)),
            said.get("rating"), said.get("fail_reason"), said.get("by", "disconnected_by_unknown"), said.get("ticket"),
        )  # fmt: skip
        if queued is not None and (taken is not None or ended is not None):
            await self.span(chat_id, "queued", queued, taken if taken is not None else ended)
        return chat_id

    async def span(self, chat_id: int, status: str, since: float, until: float) -> None:
        await self.desk.db.execute(
            """
            insert into spans (tenant_id, chat_id, number, status, started_at, ended_at)
            values (1, $1, (select count(*) from spans where chat_id = $1), $2, $3, $4)
            """,
            chat_id, status, self.at(since), self.at(until),
        )  # fmt: skip

    async def says(self, chat_id: int, sender: str, body: str, ago: float, **more: Any) -> int:
        """A message; one of an agent is noted at the chat."""
        message_id = self.take_id()
        await self.desk.db.execute(
            """
            insert into messages (tenant_id, chat_id, message_id, sender, agent_id, body, encoding, parts, created_at,
                                  state, reason, ended_at, price, currency)
            values (1, $1, $2, $3, $4, $5, 'gsm7', $6, $7, $8, $9, $10, $11, $12)
            """,
            chat_id, message_id, sender, 1 if sender == "agent" else None, body, more.get("parts", 1), self.at(ago),
            more.get("state"), more.get("reason"), more.get("ended_at"), more.get("price"), more.get("currency"),
        )  # fmt: skip
        await self.desk.db.execute(
            """
            insert into message_words (tenant_id, chat_id, message_id, words)
            values (1, $1, $2, to_tsvector('simple', $3) || array_to_tsvector(array['t:1']))
            """,
            chat_id, message_id, body,
        )  # fmt: skip
        if sender == "agent":
            await self.desk.db.execute("update chats set agent_said_at = $2 where chat_id = $1", chat_id, self.at(ago))
        return message_id

    async def text(self, chat_id: int, state: str, reason: str | None, ago: float, took: float, **more: Any) -> int:
        """A text that ended so, over the tenant's line."""
        ended = self.desk.clock.now - timedelta(seconds=ago - took)
        message_id = await self.says(
            chat_id, more.pop("sender", "agent"), more.pop("body", "lorem"), ago, state=state, reason=reason,
            ended_at=ended, **more,
        )  # fmt: skip
        await self._part(chat_id, message_id, "delivered" if state == "delivered" else "failed", ago)
        return message_id

    async def flying(self, chat_id: int, state: str, ago: float, body: str = "lorem") -> int:
        """A text that is on its way."""
        message_id = await self.says(chat_id, "agent", body, ago)
        await self.desk.db.execute(
            """
            insert into texts (tenant_id, message_id, chat_id, carrier_id, kind, source, destination, state, due_at,
                               valid_until, attempt, state_at, queued_at)
            select 1, $1, $2, $3, 'answer', $4, e.number, $5, $6, $6::timestamptz + interval '1 day', 1, $6, $6
            from chats c join end_users e using (tenant_id, end_user_id) where c.chat_id = $2
            """,
            message_id, chat_id, self.carrier_id, OURS, state, self.at(ago),
        )  # fmt: skip
        if state != "queued":
            await self._part(chat_id, message_id, "sending", ago)
        return message_id

    async def _part(self, chat_id: int, message_id: int, state: str, ago: float) -> None:
        await self.desk.db.execute(
            """
            insert into parts (tenant_id, message_id, attempt, part, chat_id, carrier_id, state, claimed_at, state_at)
            values (1, $1, 1, 1, $2, $3, $4, $5, $5)
            """,
            message_id, chat_id, self.carrier_id, state, self.at(ago),
        )  # fmt: skip

    async def status(self, agent_id: int, status: str, reason: str | None) -> None:
        await self.desk.db.execute(
            """
            insert into agent_statuses (tenant_id, agent_id, status, reason, since, idle_since)
            values (1, $1, $2, $3, $4, $4)
            """,
            agent_id, status, reason, self.desk.clock.now,
        )  # fmt: skip

    async def hold(self, chat_id: int) -> None:
        await self.desk.db.execute(
            """
            insert into consent_holds (tenant_id, hold_id, number, source, at, chat_id, message_id, words, reason)
            values (1, $1, '+14155550100', $2, $3, $4, 1, 'stop it maybe', 'unclear')
            """,
            self.take_id(), OURS, self.desk.clock.now, chat_id,
        )  # fmt: skip

    async def opt_out(self, ago: float = 0) -> None:
        await self.desk.db.execute(
            """
            insert into consent_history (tenant_id, number, at, event_id, kind, source, words)
            values (1, '+14155550100', $1, $2, 'opted_out', 'text', 'STOP')
            """,
            self.at(ago), self.take_id(),
        )  # fmt: skip


def _status(queued: float | None, taken: float | None, ended: float | None) -> str:
    if ended is not None:
        return "abandoned" if taken is None else "finished"
    if taken is not None:
        return "ongoing"
    return "selecting" if queued is None else "queued"
