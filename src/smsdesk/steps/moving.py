"""A chat changes its status, where the table of its life allows it."""

from smsdesk.domain.chat_life import Event, Status, after
from smsdesk.errors import Problem
from smsdesk.steps.work import Work
from smsdesk.store.chat_rows import ChatRow
from smsdesk.store.moves import Move, move_chat


async def move(work: Work, chat: ChatRow, event: Event, to: Move | None = None) -> Status:
    """Does what the event does to the chat: its new status. `to` names whose it is from now on, and why it ended, with
    any status; without it the chat stays whose it is. Raises Problem where the event cannot happen to it.
    """
    status = after(chat.status, event)
    if status is None:
        raise Problem("chat_status_wrong", f"chat {chat.chat_id} is {chat.status}: it cannot {event} now")
    wanted = to or Move("", chat.agent_id, chat.queue_id)
    new = Move(status, wanted.agent_id, wanted.queue_id, wanted.fail_reason, wanted.disconnected_by)
    participant_id = await work.take_id() if new.agent_id is not None and new.agent_id != chat.agent_id else None
    await move_chat(work.conn, work.tenant_id, chat.chat_id, new, participant_id, work.now)
    return status
