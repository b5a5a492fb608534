"""The ordinary end of a chat."""

from smsdesk.domain.tenant import Tenant
from smsdesk.errors import Problem
from smsdesk.steps.begin import Begin
from smsdesk.steps.ending import BY_AGENT, BY_API, end
from smsdesk.store.agents import find_agent
from smsdesk.store.chat_rows import require_open


class FinishChat:
    """Ends an open chat; the next send to its consumer opens a new one."""

    def __init__(self, begin: Begin) -> None:
        self._begin = begin

    async def __call__(
        self, tenant: Tenant, chat_id: int, agent_id: int | None, *, only_his: bool = False
    ) -> None:  # fmt: skip
        """Ends the chat in the name of this agent, or of nobody; raises Problem where there is none to end, or it is
        another agent's. A supervisor may end any. `only_his`: not one that nobody has either, as at the desk."""
        async with self._begin(tenant.tenant_id) as work:
            chat = await require_open(work.conn, tenant.tenant_id, chat_id)
            if agent_id is not None:
                agent = await find_agent(work.conn, tenant.tenant_id, agent_id)
                if agent is None or (only_his and agent.disabled):
                    raise Problem("agent_unknown")
                whose = (agent_id,) if only_his else (agent_id, None)
                if chat.agent_id not in whose and not agent.supervises:
                    raise Problem("not_in_chat", f"agent {agent_id} is not in chat {chat_id}")
            await end(work, chat, BY_API if agent_id is None else BY_AGENT)
