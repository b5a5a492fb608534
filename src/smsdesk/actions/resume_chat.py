"""A chat that was set aside comes back without a word of its consumer."""

from smsdesk.domain.queue_settings import QueueSettings
from smsdesk.domain.tenant import Tenant
from smsdesk.errors import Problem
from smsdesk.steps import routing
from smsdesk.steps.begin import Begin
from smsdesk.steps.say import say_text
from smsdesk.store.agents import is_in_queue, lock_asked
from smsdesk.store.arrivals import Placed, place
from smsdesk.store.chat_rows import require_open
from smsdesk.store.queues import find_queue, supervisors_queue


async def resume_chat(begin: Begin, tenant: Tenant, chat_id: int, agent_id: int | None) -> None:
    """Brings a dismissed chat back: to the agent who asks for it, else into its queue, where the agent who had it is
    asked first; the consumer gets the queue's `resumed` text, where it has one. Raises Problem where it is not
    dismissed, or not his to have."""
    async with begin(tenant.tenant_id) as work:
        chat = await require_open(work.conn, tenant.tenant_id, chat_id)
        if chat.status != "dismissed":
            raise Problem("chat_status_wrong", f"chat {chat_id} is {chat.status}: only a dismissed one can be resumed")
        queue = await find_queue(work.conn, tenant.tenant_id, chat.queue_id) if chat.queue_id else None
        await say_text(work, chat, queue.settings if queue else QueueSettings(), "resumed")
        if agent_id is None:
            queue_id = chat.queue_id or await supervisors_queue(work.conn, tenant.tenant_id, work.now)
            await place(work.conn, tenant.tenant_id, chat, Placed(chat.lang, preferred_agent_id=chat.agent_id))
            await routing.enqueue(work, chat, queue_id, "resume")
            return
        agent = await lock_asked(work.conn, tenant.tenant_id, chat_id, agent_id, work.now)
        its_queue = chat.queue_id is not None and await is_in_queue(
            work.conn, tenant.tenant_id, agent_id, chat.queue_id
        )
        if chat.agent_id != agent_id and not its_queue and not agent.supervises:
            raise Problem("forbidden", f"agent {agent_id} does not work in the queue of chat {chat_id}")
        await routing.assign(work, chat, agent_id)
