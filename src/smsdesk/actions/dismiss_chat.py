"""A chat is set aside, for its consumer has gone silent."""

from smsdesk.domain.tenant import Tenant
from smsdesk.errors import Problem
from smsdesk.steps import routing
from smsdesk.steps.begin import Begin
from smsdesk.steps.speaking import set_aside
from smsdesk.steps.work import Work
from smsdesk.store.agents import require_agent
from smsdesk.store.chat_rows import ChatRow, require_open
from smsdesk.store.spans import last_end
from smsdesk.store.transfers import find_open


async def dismiss_chat(begin: Begin, tenant: Tenant, chat_id: int, agent_id: int) -> None:
    """Sets a chat aside by the hand of its agent or of a supervisor; it comes back with the consumer's next text.

    The rules are those of `Chat_Settings_and_Features`: only inbound chats, both sides have written, and after a chat
    came back the consumer has written once more. Raises Problem `chat_status_wrong` where they do not allow it.
    """
    async with begin(tenant.tenant_id) as work:
        chat = await require_open(work.conn, tenant.tenant_id, chat_id)
        agent = await require_agent(work.conn, tenant.tenant_id, agent_id)
        if chat.agent_id != agent_id and not agent.supervises:
            raise Problem("not_in_chat", f"agent {agent_id} is not in chat {chat_id}")
        if await find_open(work.conn, tenant.tenant_id, chat_id) is not None:
            raise Problem("transfer_open")
        await _require_dismissable(work, chat)
        await set_aside(work, chat, "Set aside: it comes back with the consumer's next text.", agent_id)
        if chat.agent_id is not None:
            await routing.fill(work, chat.agent_id)


async def _require_dismissable(work: Work, chat: ChatRow) -> None:
    if chat.direction != "inbound":
        raise Problem("chat_status_wrong", "only a chat that the consumer began can be dismissed")
    if chat.end_user_said_at is None or chat.agent_said_at is None:
        raise Problem("chat_status_wrong", "both sides must have written before a chat can be dismissed")
    came_back = await last_end(work.conn, work.tenant_id, chat.chat_id, "dismissed")
    if came_back is not None and chat.end_user_said_at < came_back:
        raise Problem("chat_status_wrong", "the consumer has not written since the chat came back")
