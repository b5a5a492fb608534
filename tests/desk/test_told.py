"""Whatever changes something that a desk shows tells the desks that show it: each use case, and who hears of it."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from smsdesk.actions.accept_offer import accept_offer
from smsdesk.actions.add_note import add_note
from smsdesk.actions.answer_chat import Answer
from smsdesk.actions.ask_agents import AskAgents
from smsdesk.actions.assign_chat import Assignment, assign_chat
from smsdesk.actions.block_number import block_number
from smsdesk.actions.bury_dead_nodes import bury_dead_nodes
from smsdesk.actions.decline_offer import decline_offer
from smsdesk.actions.expire_chats import expire_chats
from smsdesk.actions.expire_texts import expire_texts
from smsdesk.actions.join_chat import join_chat
from smsdesk.actions.set_agent_status import set_agent_status
from smsdesk.actions.take_chat import take_chat
from smsdesk.actions.transfer_chat import TransferRequest, transfer_chat
from smsdesk.actions.wrap_up_chat import WrapUp, wrap_up_chat
from smsdesk.domain.reply import InboundPart
from smsdesk.domain.segments import segment
from smsdesk.domain.send import Send
from smsdesk.domain.tenant import Tenant
from smsdesk.domain.text_state import AttemptOutcome, PartReceipt
from smsdesk.store import receipts, texts
from smsdesk.store.db import Ids
from smsdesk.store.sends import WantedSend
from smsdesk.store.tenants import mark_changed
from smsdesk.store.texts import Wanted
from tests.kit.api import CONSUMER, OURS
from tests.kit.desk import DeskKit
from tests.kit.live import Listening, listening

JOHN, SECOND, SUPERVISOR = 1, 2, 10


@dataclass
class Story:
    """A contact center with one consumer."""

    desk: DeskKit
    chat_id: int = 0
    replies: int = 0

    @property
    def tenant(self) -> Tenant:
        return self.desk.services.directory.tenants["acme"]

    @property
    def begin(self) -> Any:
        return self.desk.services.begin

    async def writes(self, body: str = "hello") -> None:
        self.replies += 1
        carrier_id = await self.desk.db.fetchval("select carrier_id from carriers where tenant_id = 1")
        part = InboundPart(
            carrier_id, CONSUMER, OURS, body, "gsm7", self.desk.clock.now, "s", carrier_reference=f"{self.replies}"
        )
        self.chat_id = (await self.desk.services.receive_reply(1, part)).chat_id or 0

    async def available(self, *agents: int) -> None:
        for agent_id in agents:
            await set_agent_status(self.begin, self.tenant, agent_id, "available", None)

    async def given(self, agent_id: int = JOHN) -> None:
        await assign_chat(self.begin, self.tenant, Assignment(self.chat_id, agent_id, None, force=True))

    async def answers(self, agent_id: int = JOHN) -> int:
        said = await self.desk.services.answer_chat(self.tenant, Answer(self.chat_id, agent_id, "hi there"))
        return said.message_id

    async def claimed(self, node: int = 7) -> texts.ClaimedText:
        async with self.desk.services.db.connection() as conn:
            carrier_id = await conn.fetchval("select carrier_id from carriers where tenant_id = 1")
            claimed = await texts.claim(conn, 1, carrier_id, Wanted(10), node, self.desk.clock.now)
        return claimed[-1]

    async def recorded(self, kind: str) -> None:
        text = await self.claimed()
        outcome = AttemptOutcome(text.message_id, text.attempt, kind, part_ids=("p1",))
        async with self.desk.services.db.connection() as conn:
            carrier_id = await conn.fetchval("select carrier_id from carriers where tenant_id = 1")
            await texts.record_outcomes(conn, 1, carrier_id, self.desk.clock.now, [outcome])

    async def receipt(self) -> None:
        async with self.desk.services.db.connection() as conn:
            carrier_id = await conn.fetchval("select carrier_id from carriers where tenant_id = 1")
            receipt = PartReceipt("p1", "delivered", None, "DELIVRD")
            await receipts.record(conn, 1, carrier_id, self.desk.clock.now, [receipt])

    async def waiting(self) -> None:
        await self.writes()

    async def johns(self) -> None:
        await self.writes()
        await self.given()
        await self.answers()

    async def asked(self) -> None:
        await self.available(JOHN)
        await self.writes()

    async def sent(self) -> None:
        await self.johns()
        await self.recorded("accepted")

    async def ended(self) -> None:
        await self.johns()
        await self.desk.services.finish_chat(self.tenant, self.chat_id, JOHN)


Step = Callable[[Story], Awaitable[Any]]
CHAT = "chat-"
HIS = {"mine", CHAT}


async def _expired(story: Story) -> None:
    story.desk.clock.forward(days=5)
    await expire_texts(story.desk.services.db, 1, story.desk.clock.now)


async def _buried(story: Story) -> None:
    await story.claimed(node=99)
    await bury_dead_nodes(story.desk.services.db, story.desk.clock.now)


async def _missed(story: Story) -> None:
    story.desk.clock.forward(hours=1)
    await AskAgents(story.desk.services.db, Ids(), lambda: 0.5)(1, story.desk.clock.now)


async def _unanswered(story: Story) -> None:
    story.desk.clock.forward(days=2)
    await expire_chats(story.desk.services.db, 1, story.desk.clock.now)


async def _set_up(story: Story) -> None:
    async with story.desk.services.db.transaction() as conn:
        await mark_changed(conn, 1, story.desk.clock.now)


CASES: Mapping[str, tuple[Step | None, Step, Mapping[str, set[str]]]] = {
    "a new consumer waits": (None, lambda s: s.writes(), {"john": {"waiting"}, "supervisor": {"board"}}),
    "he writes again": (Story.waiting, lambda s: s.writes("more"), {"john": {"waiting"}, "supervisor": {"board"}}),
    "an agent is asked": (Story.waiting, lambda s: s.available(JOHN), {"john": {"offers", "me"}}),
    "he accepts": (
        Story.asked, lambda s: accept_offer(s.begin, s.tenant, s.chat_id, JOHN),
        {"john": {"offers", "me", *HIS}, "second": {"waiting"}, "supervisor": {"board"}},
    ),
    "he declines": (
        Story.asked, lambda s: decline_offer(s.begin, s.tenant, s.chat_id, JOHN), {"john": {"offers", "me"}},
    ),
    "he misses it": (Story.asked, _missed, {"john": {"offers", "me"}, "supervisor": {"board"}}),
    "an agent takes it": (
        Story.waiting, lambda s: take_chat(s.begin, s.tenant, s.chat_id, JOHN),
        {"john": {"me", *HIS}, "second": {"waiting"}},
    ),
    "the consumer writes to his agent": (
        Story.johns, lambda s: s.writes("more"), {"john": HIS, "supervisor": {"board", CHAT}},
    ),
    "his agent answers": (Story.johns, Story.answers, {"john": HIS, "supervisor": {"board", CHAT}}),
    "a note": (
        Story.johns, lambda s: add_note(s.begin, s.tenant, s.chat_id, JOHN, "mind"), {"john": HIS},
    ),
    "the carrier took it": (Story.johns, lambda s: s.recorded("accepted"), {"john": HIS, "supervisor": {CHAT}}),
    "nobody knows whether it left": (Story.johns, lambda s: s.recorded("doubtful"), {"john": HIS}),
    "its node died": (Story.johns, _buried, {"john": HIS, "supervisor": {"board"}}),
    "its time ran out": (Story.johns, _expired, {"john": HIS}),
    "a receipt": (Story.sent, Story.receipt, {"john": HIS, "supervisor": {CHAT}}),
    "given to another": (
        Story.johns, lambda s: s.given(SECOND), {"john": {"me", *HIS}, "second": {"me", *HIS}},
    ),
    "a cold transfer": (
        Story.johns,
        lambda s: transfer_chat(s.begin, s.tenant, TransferRequest(s.chat_id, "cold", JOHN, SECOND, force=True)),
        {"john": HIS, "second": {"offers", "waiting"}},
    ),
    "a warm transfer": (
        Story.johns,
        lambda s: transfer_chat(s.begin, s.tenant, TransferRequest(s.chat_id, "warm", JOHN, SECOND, force=True)),
        {"john": HIS, "second": {"offers", "mine", CHAT}},
    ),
    "a supervisor looks in": (
        Story.johns, lambda s: join_chat(s.begin, s.tenant, s.chat_id, SUPERVISOR, "monitoring"),
        {"john": {CHAT}, "supervisor": HIS},
    ),
    "he is done": (
        Story.ended, lambda s: wrap_up_chat(s.begin, s.tenant, WrapUp(s.chat_id, JOHN, notes="well", done=True)),
        {"john": {"me", *HIS}},
    ),
    "it ends": (
        Story.johns, lambda s: s.desk.services.finish_chat(s.tenant, s.chat_id, JOHN),
        {"john": {"me", *HIS}, "supervisor": {"board", CHAT}},
    ),
    "the consumer opts out": (Story.johns, lambda s: s.writes("STOP"), {"john": HIS}),
    "the number is blocked": (
        Story.johns, lambda s: block_number(s.begin, 1, CONSUMER, "", "somebody"), {"john": {CHAT}},
    ),
    "an agent's status": (
        None, lambda s: set_agent_status(s.begin, s.tenant, JOHN, "break", "tea"),
        {"john": {"me"}, "supervisor": {"board"}},
    ),
    "the set-up": (None, _set_up, {"john": {"setup"}, "supervisor": {"setup"}}),
}  # fmt: skip


@pytest.mark.parametrize("case", list(CASES))
async def test_it_is_told(desk: DeskKit, case: str) -> None:
    before, act, expected = CASES[case]
    story = Story(desk)
    if before is not None:
        await before(story)
    async with AsyncExitStack() as stack:
        heard: dict[str, Listening] = {}
        for who in ("john", "second", "supervisor", "theirs"):
            heard[who] = await stack.enter_async_context(listening(await desk.person(who), story.chat_id))
        await act(story)
        for who, topics in expected.items():
            await heard[who].heard(*(topic + str(story.chat_id) if topic == CHAT else topic for topic in topics))
        assert await heard["theirs"].quiet(0.15) == set(), "another tenant"
        # An agent who has nothing to do with it hears nothing of the chat.
        if "second" not in expected:
            told = heard["second"].topics.keys() & {"mine", "offers"}
            assert not told


async def test_what_one_may_not_see_one_hears_nothing_of(desk: DeskKit) -> None:
    story = Story(desk)
    await story.johns()
    await desk.db.execute("delete from agent_queues where agent_id = $1", SECOND)
    async with listening(await desk.person("second"), story.chat_id) as heard:
        async with listening(await desk.person("john")) as his:
            await story.writes("more")
            await his.heard("mine")
        assert await heard.quiet(0.2) == set()


async def test_a_colleague_of_the_queue_hears_of_the_chat_that_he_shows(desk: DeskKit) -> None:
    story = Story(desk)
    await story.waiting()
    async with listening(await desk.person("john"), story.chat_id) as heard:
        await story.writes("more")
        await heard.heard(f"chat-{story.chat_id}")
    async with listening(await desk.person("john")) as heard:
        await story.writes("and more")
        assert await heard.quiet(0.2) == {"waiting"}


async def test_who_lost_a_chat_hears_it_once_and_no_more(desk: DeskKit) -> None:
    story = Story(desk)
    await story.johns()
    await desk.db.execute("delete from agent_queues where agent_id = $1", JOHN)
    async with listening(await desk.person("john"), story.chat_id) as heard:
        await story.given(SECOND)
        await heard.heard("mine", f"chat-{story.chat_id}")
        await heard.quiet(0.3)
        heard.forget()
        await story.writes("more")
        assert await heard.quiet(0.3) == set()


async def test_a_notice_of_the_api_tells_nobody_and_a_send_in_a_name_tells_him(desk: DeskKit) -> None:
    story = Story(desk)
    async with listening(await desk.person("john")) as heard:
        await _send(story, None)
        await story.recorded("accepted")
        await story.receipt()
        assert await heard.quiet(0.2) == set()
        await desk.db.execute("update chats set ends_at = now(), status = 'finished', expires_at = null")
        await _send(story, "john.doe@foo.com")
        await heard.heard("mine")
        heard.forget()
        await story.recorded("accepted")
        await heard.heard("mine")
        await _unanswered(story)
        await heard.heard("me")


async def _send(story: Story, agent: str | None) -> None:
    who = story.tenant.agents_by_email[agent] if agent else None
    send = Send(CONSUMER, OURS, "your order is ready", segment("your order is ready"), who, None)
    await story.desk.services.send_message(story.tenant, WantedSend(send, None))
