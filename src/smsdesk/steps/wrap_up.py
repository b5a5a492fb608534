"""An agent's work after a chat: it takes one of his places until he is done, or until its time is over."""

from datetime import timedelta

from smsdesk.domain.chat_life import WITH_AN_AGENT
from smsdesk.domain.queue_settings import QueueSettings
from smsdesk.steps import routing
from smsdesk.steps.work import Work
from smsdesk.store import wrap_ups
from smsdesk.store.chat_rows import ChatRow
from smsdesk.store.moves import refresh_agent, set_timer, stop_timer


async def begin(work: Work, chat: ChatRow, settings: QueueSettings) -> None:
    """Begins it for the agent of a chat that has just ended, where the queue gives time for it and the two have had
    something to speak about. `chat` is as it was before its end."""
    if chat.agent_id is None or chat.status not in WITH_AN_AGENT or chat.end_user_said_at is None:
        return
    if settings.wrap_up_seconds:
        await wrap_ups.begin(work.conn, work.tenant_id, chat.chat_id, chat.agent_id, work.now)
        due = work.now + timedelta(seconds=settings.wrap_up_seconds)
        await set_timer(work.conn, work.tenant_id, chat.chat_id, "wrap_up", due)
        await refresh_agent(work.conn, work.tenant_id, chat.agent_id, work.now)


async def finish(work: Work, chat_id: int) -> None:
    """Ends it: the agent is asked for what waits. The chat's row is locked by the caller."""
    await stop_timer(work.conn, work.tenant_id, chat_id, "wrap_up")
    for agent_id in await wrap_ups.finish(work.conn, work.tenant_id, chat_id, work.now):
        await refresh_agent(work.conn, work.tenant_id, agent_id, work.now)
        await routing.fill(work, agent_id)
