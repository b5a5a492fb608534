"""What a chat has to do with the tenant's CRM."""

from smsdesk.steps.work import Work
from smsdesk.store import crm


async def chat_opened(work: Work, chat_id: int) -> None:
    """A consumer began a chat, or answered one for the first time: the CRM is asked who he is, where there is one. Once
    for each chat, however often it is called.

    What a send names is in the queue since `accept_sends`, and the transcript since `move_chat` ended the chat.
    """
    await crm.add_job(work.conn, work.tenant_id, await work.take_id(), chat_id, "contact", work.now)
