"""What an agent has written and not sent is kept, and those who look at the chat are told that he writes."""

from smsdesk.domain.tenant import Tenant
from smsdesk.errors import Problem
from smsdesk.steps.begin import Begin
from smsdesk.steps.desk_view import require_read
from smsdesk.store.desk_chats import save_draft
from smsdesk.store.telling import Hint, tell

LONGEST = 20_000
"""Characters of a draft: more than can be sent, so that nothing that was pasted is lost before it is cut."""


async def keep_draft(begin: Begin, tenant: Tenant, where: tuple[int, int], words: str, *, note: bool = False) -> None:
    """Keeps the draft of a chat, named as (chat, agent), for the consumer or as a note. Raises Problem `not_found`
    where he may not read the chat."""
    if len(words) > LONGEST:
        raise Problem("message_too_long")
    chat_id, agent_id = where
    async with begin(tenant.tenant_id) as work:
        await require_read(work.conn, work.tenant_id, agent_id, chat_id)
        await save_draft(work.conn, work.tenant_id, where, words, work.now, note=note)
        agent = tenant.agents.get(agent_id)
        name = (agent.name or agent.email) if agent else ""
        await tell(work.conn, work.tenant_id, Hint("typing", chat_id, detail=name))
