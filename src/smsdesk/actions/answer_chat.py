"""An agent's answer: a message in his chat, and its text in the queue."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from smsdesk.domain.segments import segment
from smsdesk.domain.send import MOST_PARTS
from smsdesk.domain.tenant import Tenant
from smsdesk.errors import Problem
from smsdesk.store.chats import LockedChat, assign_chat, lock_chat
from smsdesk.store.db import Database, Ids
from smsdesk.store.messages import NewText, add_texts


@dataclass(frozen=True, slots=True)
class Answer:
    """What an agent wants to say in a chat."""

    chat_id: int
    agent_id: int
    body: str
    credential_id: int | None = None


class AnswerChat:
    """Puts an agent's answer on its way. An agent who answers a chat that nobody has yet takes it."""

    def __init__(self, db: Database, ids: Ids, clock: Callable[[], datetime]) -> None:
        self._db = db
        self._ids = ids
        self._clock = clock

    async def __call__(self, tenant: Tenant, answer: Answer) -> NewText:
        """The text, once it is on disk; raises Problem where the chat or the consumer takes no more."""
        segments = segment(answer.body)
        if len(segments.parts) > MOST_PARTS:
            raise Problem("message_too_long")
        agent = tenant.agents.get(answer.agent_id)
        if agent is None or agent.disabled:
            raise Problem("agent_unknown")
        now = self._clock()
        async with self._db.transaction() as conn:
            chat = _answerable(await lock_chat(conn, tenant.tenant_id, answer.chat_id), tenant, answer)
            first_id = await self._ids.take(conn, 2)
            if chat.agent_id is None:
                await assign_chat(conn, tenant.tenant_id, chat.chat_id, agent.agent_id, first_id + 1, now)
            text = NewText(
                first_id, chat.chat_id, "agent", agent.agent_id, answer.credential_id, answer.body, segments, "answer",
                tenant.numbers[chat.outbound_number].carrier_id, chat.outbound_number, chat.end_user_number, now,
                now + timedelta(minutes=tenant.settings.text_validity_minutes), tenant.settings.on_doubt,
            )  # fmt: skip
            await add_texts(conn, tenant.tenant_id, [text])
        return text


def _answerable(chat: LockedChat | None, tenant: Tenant, answer: Answer) -> LockedChat:
    if chat is None:
        raise Problem("not_found")
    if chat.ended:
        raise Problem("chat_ended")
    if chat.agent_id is not None and chat.agent_id != answer.agent_id:
        raise Problem("agent_unknown", f"agent {answer.agent_id} is not in chat {chat.chat_id}")
    if chat.outbound_number not in tenant.numbers:
        raise Problem("outbound_number_unknown")
    if chat.blocked:
        raise Problem("end_user_blocked")
    if chat.opted_out:
        raise Problem("end_user_opted_out")
    return chat
