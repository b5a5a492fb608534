"""What the system says: a text to the consumer, or a line that is read at the desk alone."""

from dataclasses import dataclass
from datetime import timedelta

from smsdesk.domain.queue_settings import QueueSettings
from smsdesk.domain.segments import segment
from smsdesk.domain.wordings import fill, of_queue, template_of
from smsdesk.steps.quiet_hours import judge_answer
from smsdesk.steps.work import Work
from smsdesk.store.chat_rows import ChatRow
from smsdesk.store.conversations import Said, add_message, find_line
from smsdesk.store.messages import NewText, add_texts
from smsdesk.store.wordings import read_variables

VALID = {"confirmation": timedelta(minutes=5)}
"""A confirmation that is later than this is none (47 CFR 64.1200(a)(12))."""
ANSWER_VALID = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Over:
    """Where a text leaves from, where that is not the chat's own number."""

    number: str
    carrier_id: int


async def say(work: Work, chat: ChatRow, body: str, kind: str = "answer", over: Over | None = None) -> int | None:
    """Puts a text of the system on its way in a chat: its message's id. None where nothing may be said: to one who
    opted out (but for the confirmation of that), to a blocked number, or over a number that is not ours any more."""
    if not body or chat.blocked or (chat.opted_out and kind != "confirmation"):
        return None
    if over is None:
        line = await find_line(work.conn, work.tenant_id, chat.outbound_number)
        if line is None:
            return None
        over = Over(chat.outbound_number, line.carrier_id)
    message_id = await work.take_id()
    text = NewText(
        message_id, chat.chat_id, "system", None, None, body, segment(body), kind, over.carrier_id,
        over.number, chat.end_user_number, work.now, work.now + VALID.get(kind, ANSWER_VALID),
    )  # fmt: skip
    await add_texts(work.conn, work.tenant_id, [text])
    await judge_answer(work, text, chat.end_user_said_at)
    return message_id


async def say_text(work: Work, chat: ChatRow, settings: QueueSettings, *names: str) -> int | None:
    """Says these texts of the queue as one, below each other, in the chat's language, their variables filled; an empty
    one is not said."""
    templates = [template_of(settings, name, chat.lang) for name in names]
    wanted = "\n".join(template for template in templates if template)
    if not wanted:
        return None
    variables = await read_variables(work.conn, work.tenant_id, chat.chat_id)
    known = {**of_queue(settings, work.now, chat.lang), **variables}
    return await say(work, chat, fill(wanted, known, chat.lang))


async def note(work: Work, chat_id: int, body: str, agent_id: int | None = None) -> int:
    """Writes a line into the chat that only the desk sees: its message's id."""
    message_id = await work.take_id()
    said = Said(message_id, chat_id, "note", body, segment(body).encoding, len(segment(body).parts), agent_id)
    await add_message(work.conn, work.tenant_id, said, work.now)
    return message_id
