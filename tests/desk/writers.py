"""Consumers who write to the desk of a test, and what becomes of them."""

from typing import Any

from smsdesk.domain.reply import InboundPart
from tests.kit.api import OURS
from tests.kit.desk import DeskKit


async def writes(desk: DeskKit, phone: str, body: str) -> int:
    """A consumer's text, taken in as a carrier hands it over: his chat."""
    carrier_id = await desk.db.fetchval("select carrier_id from carriers where tenant_id = 1")
    part = InboundPart(carrier_id, phone, OURS, body, "gsm7", desk.clock.now, "session")
    received = await desk.services.receive_reply(1, part)
    assert received.chat_id is not None
    return received.chat_id


async def becomes(desk: DeskKit, who: Any, status: str) -> None:
    """An agent chooses a status in his menu."""
    seen = await who.post("/desk/me/status", {"status": status}, **{"HX-Request": "true"})
    assert seen.status == 200, seen.text


async def sent_in_his_name(desk: DeskKit, agent_id: int, count: int, first: int = 1) -> None:
    """So many open outbound chats of an agent, each with one text, that nobody has answered."""
    await desk.db.execute(
        """
        with n as (select n from generate_series($2::int, $2::int + $3::int - 1) n),
        e as (insert into end_users (tenant_id, end_user_id, number, created_at)
              select 1, 500000 + n, '+1628' || lpad(n::text, 7, '0'), $4 from n),
        c as (insert into chats (tenant_id, chat_id, end_user_id, outbound_number, direction, status, created_at,
                                 agent_id, assigned_at)
              select 1, 600000 + n, 500000 + n, '+16285550199', 'outbound', 'assigned',
                     $4::timestamptz + n * interval '1 second', $1, $4 from n)
        insert into messages
            (tenant_id, chat_id, message_id, sender, agent_id, body, encoding, parts, created_at, state)
        select 1, 600000 + n, 700000 + n, 'agent', $1, 'Text ' || n, 'gsm7', 1, $4, 'delivered' from n
        """,
        agent_id, first, count, desk.clock.now,
    )  # fmt: skip
