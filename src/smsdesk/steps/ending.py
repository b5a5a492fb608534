"""A chat ends: what is said, asked and left to do then."""

from dataclasses import dataclass

from smsdesk.domain.chat_life import Event, Status
from smsdesk.domain.queue_settings import QueueSettings
from smsdesk.steps import routing, survey, wrap_up
from smsdesk.steps.moving import move
from smsdesk.steps.say import say_text
from smsdesk.steps.work import Work
from smsdesk.store.chat_rows import ChatRow
from smsdesk.store.moves import Move
from smsdesk.store.queues import find_queue


@dataclass(frozen=True, slots=True)
class Ending:
    """How a chat ends, in the words of the imitated API."""

    event: Event
    by: str
    """`disconnected_by_agent`, `disconnected_by_end_user`, `disconnected_by_system`, or `disconnected_by_unknown`."""
    fail_reason: str | None = None
    text: str | None = None
    """The queue's text that the consumer gets, by name of TEXTS."""


BY_AGENT = Ending("finish", "disconnected_by_agent", text="closing")
BY_API = Ending("finish", "disconnected_by_unknown", text="closing")
CONSUMER_SILENT = Ending("finish", "disconnected_by_system", text="timeout")
EXPIRED = Ending("fail", "disconnected_by_system", "expired", "expired")


async def end(work: Work, chat: ChatRow, ending: Ending) -> Status:
    """Ends the chat: its text and the question how it was, both in one, and the agent's time to note what it was about.
    Raises Problem where it cannot end so."""
    queue = await find_queue(work.conn, work.tenant_id, chat.queue_id) if chat.queue_id else None
    settings = queue.settings if queue else QueueSettings()
    status = await move(work, chat, ending.event, Move("", chat.agent_id, chat.queue_id, ending.fail_reason, ending.by))
    texts = (ending.text,) if ending.text else ()
    if not survey.is_due(chat, settings, status):
        await say_text(work, chat, settings, *texts)
    elif await say_text(work, chat, settings, *texts, "survey") is not None:
        await survey.begin(work, chat, settings)
    if chat.assigned_at is not None:
        await wrap_up.begin(work, chat, settings)
    if chat.agent_id is not None:
        await routing.fill(work, chat.agent_id)
    return status
