"""A side of the chat has spoken: what that makes of the chat, and which clocks it stops and starts."""

from datetime import timedelta

from smsdesk.domain.queue_settings import QueueSettings
from smsdesk.steps.moving import move
from smsdesk.steps.say import note
from smsdesk.steps.work import Work
from smsdesk.store import moves
from smsdesk.store.chat_rows import ChatRow, note_said
from smsdesk.store.moves import refresh_agent, set_timer, stop_timer
from smsdesk.store.queues import find_queue


async def agent_spoke(work: Work, chat: ChatRow) -> None:
    """The chat's agent has answered: he is not waited for any more, and the consumer is. What a send of the API says in
    his name does the same, in its own statement."""
    await moves.agent_spoke(work.conn, work.tenant_id, chat.chat_id, work.now)


async def consumer_spoke(work: Work, chat: ChatRow) -> None:
    """The consumer has written in a chat that an agent has: the agent is waited for. `chat` is as it was before."""
    await note_said(work.conn, work.tenant_id, chat.chat_id, work.now, by_agent=False)
    if chat.status == "selecting":
        return  # the menu has a clock of its own
    await stop_timer(work.conn, work.tenant_id, chat.chat_id, "consumer_silence", "dismissal")
    if chat.agent_id is None or chat.status not in ("assigned", "ongoing"):
        return
    if chat.status == "assigned" and _agent_has_spoken(chat):
        await move(work, chat, "speak")
    elif chat.end_user_said_at is None:
        # Only now is it work for the agent.
        await refresh_agent(work.conn, work.tenant_id, chat.agent_id, work.now)
    settings = await _settings(work, chat)
    if chat.end_user_said_at is None or (chat.agent_said_at and chat.agent_said_at >= chat.end_user_said_at):
        await _start(work, chat, "agent_silence", settings.agent_silence_minutes)


async def set_aside(work: Work, chat: ChatRow, words: str, agent_id: int | None = None) -> None:
    """Sets a chat aside, with a line at the desk. The consumer is waited for from now on where he had the last word
    too: else nothing would ever end it."""
    await move(work, chat, "dismiss")
    await note(work, chat.chat_id, words, agent_id)
    if chat.agent_said_at is None or (chat.end_user_said_at and chat.agent_said_at < chat.end_user_said_at):
        settings = await _settings(work, chat)
        await _start(work, chat, "consumer_silence", settings.consumer_silence_minutes)


def _agent_has_spoken(chat: ChatRow) -> bool:
    """By his own hand, or with the send that began the chat in his name."""
    return chat.agent_said_at is not None or (chat.direction == "outbound" and chat.assigned_at == chat.created_at)


async def _settings(work: Work, chat: ChatRow) -> QueueSettings:
    queue = await find_queue(work.conn, work.tenant_id, chat.queue_id) if chat.queue_id else None
    return queue.settings if queue else QueueSettings()


async def _start(work: Work, chat: ChatRow, kind: str, minutes: int) -> None:
    if minutes:
        await set_timer(work.conn, work.tenant_id, chat.chat_id, kind, work.now + timedelta(minutes=minutes))
