"""A contact center with a menu, and consumers who write to it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from smsdesk.domain.queue_settings import QueueSettings
from smsdesk.domain.wordings import fill, template_of
from smsdesk.steps.arrivals import ArrivedReply, arrive
from smsdesk.steps.speaking import consumer_spoke
from smsdesk.steps.work import Work
from smsdesk.store.chat_rows import ChatRow, NewChat, find_ended, lock_open_chat, open_inbound, require_open
from smsdesk.store.conversations import Said, add_message
from smsdesk.store.replies import lock_end_user
from tests.kit.center import Center
from tests.store.outbox import LINE, NOW, OURS, TENANT

OTHER = "+16285550198"
SUPPORT, BILLING, ORDERS, CARDS, INVOICES, VIP = range(1, 7)
GREETING = fill(template_of(QueueSettings(), "greeting", "en"), {"COMPANY_NAME": "Acme"})
OFFICE = {"time_zone": "UTC", "week": {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}}
"""NOW is a Sunday: closed until Monday at 9."""


class Desk(Center):
    """Number OURS leads to the queue Support. One consumer writes; `someone_else` is another one."""

    phone = "+14155550100"

    def someone_else(self) -> None:
        self.phone = f"+{int(self.phone) + 1}"

    async def menu(self) -> None:
        """Support: 1 Billing (BILL), with 1 Cards and 2 Invoices; 2 Orders; hidden: Vip (VIP)."""
        await self.rows(
            """
            insert into queues (tenant_id, name, parent_id, position, keyword, hidden) values
                (1, 'Billing', 1, 1, 'BILL', false), (1, 'Orders', 1, 2, null, false), (1, 'Cards', 2, 1, null, false),
                (1, 'Invoices', 2, 2, null, false), (1, 'Vip', 1, 3, 'VIP', true)
            """
        )

    async def set_queue(self, queue_id: int, **settings: Any) -> None:
        """Gives a queue these settings and no others."""
        await self.rows("update queues set effective = $2 where queue_id = $1", queue_id, settings)

    async def set(self, settings: Mapping[str, Any]) -> None:
        """Gives the tenant these settings beside those that it has."""
        await self.rows("update tenants set settings = settings || $1", settings)

    async def add_number(self, number: str, agent_id: int | None = None, queue_id: int | None = None) -> None:
        """Another number of the tenant, which leads to an agent, to a queue, or nowhere."""
        await self.rows(
            "insert into numbers (tenant_id, number, carrier_id, agent_id, queue_id) values (1, $1, $2, $3, $4)",
            number, LINE, agent_id, queue_id,
        )  # fmt: skip

    async def opt_out(self) -> None:
        """Nothing may be sent to the consumer any more."""
        await self.rows(
            "insert into opt_outs (tenant_id, number, source, at) values (1, $1, 'text', $2)", self.phone, NOW
        )

    async def notice(self, agent_id: int | None = None) -> None:
        """A text of ours opens a chat, in an agent's name if one is given."""
        async with self.work() as work:
            await work.conn.execute(
                """
                insert into chats (tenant_id, chat_id, end_user_id, outbound_number, direction, status, created_at,
                                   assigned_at, expires_at, agent_id)
                values (1, $1, $2, $3, 'outbound', $4, $5, $6, $7, $8)
                """,
                await work.take_id(), await self._end_user(work), OURS, "assigned" if agent_id else "selecting",
                self.now, self.now if agent_id else None, self.now + timedelta(days=1), agent_id,
            )  # fmt: skip

    async def says(self, body: str, to: str = OURS) -> None:
        """The consumer writes: taken in as `ReceiveReply` does it, but for what consent and surveys have to say."""
        self.later(1)
        async with self.work() as work:
            end_user_id = await self._end_user(work)
            chat = await lock_open_chat(work.conn, TENANT, end_user_id)
            opened = chat is None
            chat = chat or await self._open(work, end_user_id, to)
            said = Said(await work.take_id(), chat.chat_id, "end_user", body, "gsm7", 1)
            await add_message(work.conn, TENANT, said, self.now)
            await consumer_spoke(work, chat)
            chat = await require_open(work.conn, TENANT, chat.chat_id)
            await arrive(work, chat, ArrivedReply(body, to), opened)

    async def _open(self, work: Work, end_user_id: int, to: str) -> ChatRow:
        former = await find_ended(work.conn, TENANT, end_user_id)
        chat_id = await work.ids.take(work.conn, 2)
        new = NewChat(chat_id, end_user_id, to, "Messaging Inbound (SMS)", former.chat_id if former else None)
        assert await open_inbound(work.conn, TENANT, new, self.now)
        return await require_open(work.conn, TENANT, chat_id)

    async def _end_user(self, work: Work) -> int:
        return await lock_end_user(work.conn, TENANT, self.phone, await work.take_id(), self.now)

    async def told(self) -> list[str]:
        """What the system has said to the consumer, in order."""
        rows = await self.rows(
            """
            select m.body from messages m join chats c using (tenant_id, chat_id)
            join end_users e using (tenant_id, end_user_id)
            where m.sender = 'system' and e.number = $1 order by m.created_at, m.message_id
            """,
            self.phone,
        )  # fmt: skip
        return [row[0] for row in rows]

    async def last(self) -> asyncpg.Record:
        """The consumer's chat that began last."""
        async with self.db.connection() as conn:
            row = await conn.fetchrow(
                """
                select c.* from chats c join end_users e using (tenant_id, end_user_id)
                where e.number = $1 order by c.created_at desc, c.chat_id desc limit 1
                """,
                self.phone,
            )  # fmt: skip
        assert row is not None
        return row

    async def where(self) -> tuple[str, int | None, int | None]:
        """Its status, queue and menu."""
        row = await self.last()
        return row["status"], row["queue_id"], row["menu_id"]

    async def supervisors(self) -> int:
        """Their queue."""
        return int(await self.value("select queue_id from queues where purpose = 'supervisors'"))


def at(hour: int, day: int) -> datetime:
    """A time of March 2026; the 2nd is a Monday."""
    return NOW.replace(day=day, hour=hour, minute=0)
