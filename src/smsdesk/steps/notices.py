"""A reply to a sessionless text: it is kept, answered with the tenant's words, and needs nobody."""

from smsdesk.steps.moving import move
from smsdesk.steps.say import say
from smsdesk.steps.work import Work
from smsdesk.store.chat_rows import ChatRow
from smsdesk.store.moves import Move
from smsdesk.store.notices import find_answered, mark_reply

_DONE = Move("", None, None, disconnected_by="disconnected_by_system")


async def answer_notice(work: Work, chat: ChatRow) -> bool:
    """Answers and finishes a chat that a consumer has just begun, where it answers a notice; False where it is for a
    person, as it is where the tenant has no `sessionless_reply`."""
    answered = await find_answered(work.conn, work.tenant_id, chat.end_user_id, chat.outbound_number, work.now)
    if answered is None:
        return False
    await mark_reply(work.conn, work.tenant_id, chat.chat_id, answered.chat_id)
    if not answered.lately:
        await say(work, chat, answered.reply)
    await move(work, chat, "finish", _DONE)
    return True
