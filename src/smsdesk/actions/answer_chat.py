"""An agent's answer: a message in his chat, and its text in the queue."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from smsdesk.domain.segments import Segments, segment
from smsdesk.domain.send import MOST_PARTS
from smsdesk.domain.tenant import Tenant
from smsdesk.errors import Problem
from smsdesk.steps import routing
from smsdesk.steps.begin import Begin
from smsdesk.steps.media import Enclosed, MostMedia, attach, enclose
from smsdesk.steps.quiet_hours import judge_answer
from smsdesk.steps.rights import require_right, require_view
from smsdesk.steps.speaking import agent_spoke
from smsdesk.steps.work import Work
from smsdesk.store.agents import require_agent
from smsdesk.store.chat_rows import ChatRow, lock_chat_row, require_open
from smsdesk.store.desk_chats import count_answers, find_desk_chat, note_sent
from smsdesk.store.messages import NewText, add_texts
from smsdesk.store.participants import find_present
from smsdesk.store.transfers import find_open


@dataclass(frozen=True, slots=True)
class Answer:
    """What an agent wants to say in a chat."""

    chat_id: int
    agent_id: int
    body: str
    credential_id: int | None = None
    media_ids: Sequence[int] = ()
    """Uploads that go with it."""


@dataclass(frozen=True, slots=True)
class AtDesk:
    """An answer that somebody has written at the desk, and how the chat looked to him."""

    form: str
    """What his form is known by: the same form twice is one text."""
    answers: int
    """How many answers of ours were in the chat that he saw."""


class AnswerChat:
    """Puts an agent's answer on its way. An agent who answers a chat that nobody has yet takes it; a supervisor who has
    joined a chat answers beside its agent."""

    def __init__(self, begin: Begin, most_media: MostMedia) -> None:
        self._begin = begin
        self._most_media = most_media

    async def __call__(self, tenant: Tenant, answer: Answer) -> NewText:
        """The text, once it is on disk; raises Problem where the chat or the consumer takes no more."""
        segments = _segments(answer.body)
        _require_known(tenant, answer.agent_id)
        async with self._begin(tenant.tenant_id) as work:
            return await self._answer(work, tenant, answer, segments)

    async def at_desk(self, tenant: Tenant, answer: Answer, at_desk: AtDesk) -> int:
        """The same for somebody at the desk: his message's id, also where this form was sent before. He has to see the
        chat, and to have seen every answer in it: else Problem `answered_meanwhile`, so that nobody is answered twice.
        """
        if not answer.body.strip() and not answer.media_ids:
            raise Problem("message_missing")
        segments = _segments(answer.body)
        _require_known(tenant, answer.agent_id)
        async with self._begin(tenant.tenant_id) as work:
            chat = await lock_chat_row(work.conn, work.tenant_id, answer.chat_id)
            if chat is None:
                raise Problem("not_found")
            agent = await require_right(work.conn, work.tenant_id, answer.agent_id, "work")
            await require_view(work.conn, work.tenant_id, agent, chat)
            before = await find_desk_chat(work.conn, work.tenant_id, chat.chat_id, agent.agent_id)
            if before.sent_key == at_desk.form and before.sent_message_id is not None:
                return before.sent_message_id
            if await count_answers(work.conn, work.tenant_id, chat.chat_id) != at_desk.answers:
                raise Problem("answered_meanwhile")
            text = await self._answer(work, tenant, answer, segments)
            where, sent = (chat.chat_id, agent.agent_id), (at_desk.form, text.message_id)
            await note_sent(work.conn, work.tenant_id, where, sent, work.now)
        return text.message_id

    async def _answer(self, work: Work, tenant: Tenant, answer: Answer, segments: Segments) -> NewText:
        chat = await _answerable(work, tenant, answer)
        if chat.agent_id is None:
            # `tenant` may be a second old, and he has been disabled.
            await require_agent(work.conn, work.tenant_id, answer.agent_id)
            await routing.assign(work, chat, answer.agent_id)
            chat = await require_open(work.conn, work.tenant_id, chat.chat_id)
        await agent_spoke(work, chat)
        said = Enclosed(answer.body)
        if answer.media_ids:
            wanted = (chat.chat_id, chat.outbound_number, answer.body)
            said = await enclose(work, wanted, answer.media_ids, tenant.settings, self._most_media)
            segments = _segments(said.body)
        text = NewText(
            await work.take_id(), chat.chat_id, "agent", answer.agent_id, answer.credential_id, said.body, segments,
            "answer", tenant.numbers[chat.outbound_number].carrier_id, chat.outbound_number, chat.end_user_number,
            work.now, work.now + timedelta(minutes=tenant.settings.text_validity_minutes), tenant.settings.on_doubt,
        )  # fmt: skip
        await add_texts(work.conn, work.tenant_id, [text])
        await attach(work, chat.chat_id, text.message_id, said)
        await judge_answer(work, text, chat.end_user_said_at)
        return text


def _require_known(tenant: Tenant, agent_id: int) -> None:
    agent = tenant.agents.get(agent_id)
    if agent is None or agent.disabled:
        raise Problem("agent_unknown")


def _segments(body: str) -> Segments:
    segments = segment(body)
    if len(segments.parts) > MOST_PARTS:
        raise Problem("message_too_long")
    return segments


async def _answerable(work: Work, tenant: Tenant, answer: Answer) -> ChatRow:
    """The chat, locked, if this agent may speak in it now."""
    chat = await require_open(work.conn, work.tenant_id, answer.chat_id)
    if chat.agent_id is not None and chat.agent_id != answer.agent_id:
        present = await find_present(work.conn, work.tenant_id, chat.chat_id, answer.agent_id)
        if present is None or not present.may_answer:
            raise Problem("not_in_chat", f"agent {answer.agent_id} is not in chat {chat.chat_id}")
    transfer = await find_open(work.conn, work.tenant_id, chat.chat_id) if chat.agent_id is None else None
    if transfer is not None and transfer.to_agent_id not in (None, answer.agent_id):
        raise Problem("transfer_open", f"chat {chat.chat_id} is on its way to agent {transfer.to_agent_id}")
    if chat.outbound_number not in tenant.numbers:
        raise Problem("outbound_number_unknown")
    if chat.blocked:
        raise Problem("end_user_blocked")
    if chat.opted_out:
        raise Problem("end_user_opted_out")
    return chat
