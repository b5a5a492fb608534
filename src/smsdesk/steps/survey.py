"""The question how it was: put once after the end of a chat, and its answer read."""

from datetime import timedelta

from smsdesk.domain import survey
from smsdesk.domain.chat_life import Status
from smsdesk.domain.queue_settings import QueueSettings
from smsdesk.domain.wordings import template_of
from smsdesk.steps.say import say_text
from smsdesk.steps.work import Work
from smsdesk.store import surveys
from smsdesk.store.chat_rows import ChatRow
from smsdesk.store.queues import find_queue


def is_due(chat: ChatRow, settings: QueueSettings, status: Status) -> bool:
    """Whether the question is to be put: the queue has one, and the chat has ended in the ordinary way after both sides
    have spoken. `chat` is as it was before its end."""
    spoken = chat.assigned_at and chat.agent_said_at and chat.end_user_said_at
    return bool(settings.survey and status == "finished" and spoken and template_of(settings, "survey", chat.lang))


async def begin(work: Work, chat: ChatRow, settings: QueueSettings) -> None:
    """Waits for the answer from now on: the question has been put."""
    until = work.now + timedelta(minutes=settings.survey_minutes)
    await surveys.add_survey(work.conn, work.tenant_id, chat.chat_id, work.now, until)


async def read_answer(work: Work, chat: ChatRow, body: str) -> bool:
    """Whether the text answers the survey of this ended chat, and counts. One that does belongs to that chat and opens
    no other; what is no clear answer is for a person."""
    said = survey.read_answer(body)
    if said is None or not await surveys.is_open(work.conn, work.tenant_id, chat.chat_id, work.now):
        return False
    await surveys.answer(work.conn, work.tenant_id, chat.chat_id, said, work.now)
    queue = await find_queue(work.conn, work.tenant_id, chat.queue_id) if chat.queue_id else None
    await say_text(work, chat, queue.settings if queue else QueueSettings(), "survey_thanks")
    return True
