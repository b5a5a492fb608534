"""An agent takes a chat that waits, without being asked."""

from smsdesk.domain.chat_life import WAITING, WITH_AN_AGENT
from smsdesk.domain.tenant import Tenant
from smsdesk.errors import Problem
from smsdesk.steps import routing
from smsdesk.steps.begin import Begin
from smsdesk.steps.work import Work
from smsdesk.store.agents import AgentRow, is_in_queue, lock_asked
from smsdesk.store.chat_rows import ChatRow, require_open
from smsdesk.store.transfers import find_open


async def take_chat(begin: Begin, tenant: Tenant, chat_id: int, agent_id: int) -> None:
    """Gives a waiting chat of one of his queues to the agent; a supervisor may take any. Of several who take it at once
    one gets it; to take what one has already changes nothing."""
    async with begin(tenant.tenant_id) as work:
        chat = await require_open(work.conn, tenant.tenant_id, chat_id)
        agent = await lock_asked(work.conn, tenant.tenant_id, chat_id, agent_id, work.now)
        if chat.status in WITH_AN_AGENT and chat.agent_id == agent_id:
            return
        if chat.status in WITH_AN_AGENT:
            raise Problem("chat_taken")
        if chat.status not in WAITING:
            raise Problem("chat_status_wrong", f"chat {chat_id} is {chat.status}: it does not wait for an agent")
        if not agent.supervises:
            await _require_his_to_take(work, chat, agent)
        await routing.assign(work, chat, agent_id)


async def _require_his_to_take(work: Work, chat: ChatRow, agent: AgentRow) -> None:
    transfer = await find_open(work.conn, work.tenant_id, chat.chat_id)
    for_him = transfer is not None and transfer.to_agent_id == agent.agent_id
    if transfer is not None and transfer.to_agent_id is not None and not for_him:
        raise Problem("transfer_open", "Chat is being transferred to another agent.")
    queue_id = chat.queue_id
    if not for_him and (queue_id is None or not await is_in_queue(work.conn, work.tenant_id, agent.agent_id, queue_id)):
        raise Problem("forbidden", f"agent {agent.agent_id} does not work in the queue of chat {chat.chat_id}")
    if agent.full and not for_him:
        raise Problem("agent_unavailable", f"agent {agent.agent_id} has {agent.load} of {agent.places} chats")
