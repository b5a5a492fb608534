"""Whatever happens at once, in whatever order: one open chat for each consumer, one owner for each chat, and numbers
that agree with the rows they are made from (R7, R9).

Hypothesis writes histories of sends, replies, acceptances, answers, transfers and endings that meet in the database;
after each batch the rules are read from the rows. More of them, and new ones each time:
`SMSDESK_HISTORIES=2000 make test ARGS=tests/steps/test_histories.py`
"""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smsdesk.actions.accept_offer import accept_offer
from smsdesk.actions.answer_chat import Answer, AnswerChat
from smsdesk.actions.dismiss_chat import dismiss_chat
from smsdesk.actions.finish_chat import FinishChat
from smsdesk.actions.receive_reply import ReceiveReply
from smsdesk.actions.resume_chat import resume_chat
from smsdesk.actions.send_message import SendMessage
from smsdesk.actions.take_chat import take_chat
from smsdesk.actions.transfer_chat import TransferRequest, transfer_chat
from smsdesk.carriers.registry import most_media
from smsdesk.domain.reply import InboundPart
from smsdesk.domain.segments import segment
from smsdesk.domain.send import Send
from smsdesk.domain.tenant import Tenant
from smsdesk.errors import Problem
from smsdesk.steps.begin import Begin
from smsdesk.store.db import TRY_AGAIN
from smsdesk.store.sends import WantedSend
from smsdesk.store.tenants import read_tenant
from tests.kit.center import Center
from tests.store.outbox import LINE, OURS, TENANT, opened

HISTORIES = int(os.environ.get("SMSDESK_HISTORIES", "25"))
PHONES, AGENTS = 3, 4

OPERATIONS = st.tuples(
    st.sampled_from(
        ["send", "send_as", "reply", "reply", "exit", "stop", "start", "accept", "accept", "take", "answer", "transfer",
         "transfer_to_queue", "finish", "dismiss", "resume", "away", "back", "sweep", "fire"]
    ),
    st.integers(0, PHONES - 1),
    st.integers(0, AGENTS - 1),
)  # fmt: skip
HISTORY = st.lists(st.tuples(st.integers(0, 45), st.lists(OPERATIONS, min_size=1, max_size=6)), min_size=2, max_size=7)

RULES = {
    "two open chats": "select end_user_id from chats where ends_at is null group by 1 having count(*) > 1",
    "a chat and its agent disagree": """
        select chat_id, status, agent_id, queue_id from chats where ends_at is null and (
            (status in ('assigned', 'ongoing') and agent_id is null)
            or (status in ('queued', 'resumed', 'transferred') and (agent_id is not null or queue_id is null)))""",
    "two owners": """
        select c.chat_id, c.agent_id, array_agg(p.user_id) from chats c join participants p using (tenant_id, chat_id)
        where p.type = 'agent' and p.role = 'agent' and p.status = 'connected'
        group by c.chat_id, c.agent_id, c.ends_at
        having c.ends_at is not null or array_agg(p.user_id) <> array[c.agent_id]""",
    "an owner who is not in the chat": """
        select c.chat_id from chats c where c.ends_at is null and c.status in ('assigned', 'ongoing') and not exists (
            select from participants p
            where p.chat_id = c.chat_id and p.user_id = c.agent_id and p.status = 'connected')""",
    "an offer for what does not wait": """
        select o.chat_id from offers o join chats c using (tenant_id, chat_id)
        where o.state = 'open' and c.status not in ('queued', 'resumed', 'transferred')""",
    "an agent beyond his places": "select agent_id, load from agent_statuses where ready and load >= 2",
    "a gap in a life": """
        select chat_id, number from (
            select s.chat_id, s.number, s.started_at,
                   coalesce(lag(s.ended_at) over w, c.created_at) as before,
                   coalesce(lag(s.number) over w + 1, 0) as next
            from spans s join chats c using (tenant_id, chat_id) window w as (partition by s.chat_id order by s.number)
        ) x where x.started_at <> x.before or x.number <> x.next""",
    "a timer of what has ended": """
        select t.chat_id, t.kind from timers t join chats c using (tenant_id, chat_id)
        where c.ends_at is not null and t.kind not in ('survey', 'wrap_up')""",
    "an unseen reply": """
        select chat_id, status from chats where ends_at is null and end_user_said_at is not null
        and status = 'selecting' and menu_id is null""",
}


@dataclass
class Scene:
    """The center with everything that can be done to it."""

    center: Center
    tenant: Tenant
    agents: list[int]
    queue: int
    round: int = 0

    def __post_init__(self) -> None:
        center = self.center
        self.begin = Begin(center.db, center.ids, lambda: center.now, center.chance)
        self.send = SendMessage(center.db, center.ids, lambda: center.now, lambda _: b"")
        self.receive = ReceiveReply(center.db, center.ids, center.chance)
        self.answer = AnswerChat(self.begin, most_media)
        self.count = 0

    def phone(self, number: int) -> str:
        return f"+1415{self.round:04}{number:03}"

    async def open_chat(self, number: int) -> int:
        found = await self.center.value(
            "select chat_id from chats join end_users using (tenant_id, end_user_id) where number = $1"
            " and ends_at is null", self.phone(number),
        )  # fmt: skip
        return found or 0

    async def do(self, what: str, number: int, agent: int) -> None:
        agent_id, center = self.agents[agent], self.center
        self.count += 1
        match what:
            case "send" | "send_as":
                who = self.tenant.agents[agent_id] if what == "send_as" else None
                text = "news"
                wanted = Send(self.phone(number), OURS, text, segment(text), who, None)
                await self.send(self.tenant, WantedSend(wanted, None))
            case "reply" | "exit" | "stop" | "start":
                body = f"hello {self.count}" if what == "reply" else what
                await self.receive(
                    TENANT, InboundPart(LINE, self.phone(number), OURS, body, "gsm7", center.now, f"s{self.count}")
                )
            case "away" | "back":
                await center.status(agent_id, "break" if what == "away" else "available")
            case "sweep":
                assert (await center.sweep()).unowned == 0
            case "fire":
                await center.fire()
            case _:
                await self._on_chat(what, await self.open_chat(number), agent_id)

    async def _on_chat(self, what: str, chat_id: int, agent_id: int) -> None:
        begin, tenant = self.begin, self.tenant
        other = next(each for each in self.agents if each != agent_id)
        does: dict[str, Any] = {
            "accept": lambda: accept_offer(begin, tenant, chat_id, agent_id),
            "take": lambda: take_chat(begin, tenant, chat_id, agent_id),
            "answer": lambda: self.answer(tenant, Answer(chat_id, agent_id, "on it")),
            "transfer": lambda: transfer_chat(
                begin, tenant, TransferRequest(chat_id, "cold", agent_id, to_agent_id=other)
            ),
            "transfer_to_queue": lambda: transfer_chat(
                begin, tenant, TransferRequest(chat_id, "cold", agent_id, to_queue_id=self.queue)
            ),
            "finish": lambda: FinishChat(begin)(tenant, chat_id, agent_id),
            "dismiss": lambda: dismiss_chat(begin, tenant, chat_id, agent_id),
            "resume": lambda: resume_chat(begin, tenant, chat_id, agent_id),
        }
        await does[what]()


async def tolerant(doing: Awaitable[None]) -> None:
    """Somebody else was quicker: a refusal, or a transaction that the database ended for another's sake."""
    try:
        await doing
    except (Problem, *TRY_AGAIN):
        pass


async def check(center: Center) -> None:
    for name, rule in RULES.items():
        assert not (found := await center.rows(rule)), f"{name}: {found}"
    before = await center.rows("select agent_id, load, ready from agent_statuses order by 1")
    await center.rows("select refresh_agent(1, agent_id, $1) from agent_statuses", center.now)
    assert await center.rows("select agent_id, load, ready from agent_statuses order by 1") == before


@pytest.fixture
async def scene(database: str) -> AsyncIterator[Scene]:
    db = await opened(database)
    center = await Center(db).begin()
    queue = await center.queue("Second", offer_seconds=20, dismissal_minutes=1, consumer_silence_minutes=2)
    first = {"offer_seconds": 15, "agent_silence_minutes": 1}
    await center.value("update queues set effective = $1 where queue_id = 1 returning 1", first)
    agents = [await center.agent(name, 1, queue, max_chats=2) for name in "abcd"]
    async with db.connection() as conn:
        tenant = await read_tenant(conn, TENANT)
    yield Scene(center, tenant, agents, queue)
    await db.close()


@settings(
    max_examples=HISTORIES, deadline=None, derandomize="SMSDESK_HISTORIES" not in os.environ,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(history=HISTORY)
async def test_histories(scene: Scene, history: list[tuple[int, list[tuple[str, int, int]]]]) -> None:
    scene.round += 1
    for seconds, batch in history:
        scene.center.later(seconds)
        await asyncio.gather(*(tolerant(scene.do(*one)) for one in batch))
        await check(scene.center)
    for number in range(PHONES):
        if chat_id := await scene.open_chat(number):
            await FinishChat(scene.begin)(scene.tenant, chat_id, None)
    await check(scene.center)
