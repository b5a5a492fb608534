"""Somebody at the desk writes down who the consumer of a chat is."""

from smsdesk.domain.audit import Author, Deed
from smsdesk.domain.end_user import EndUserRow, Identity
from smsdesk.errors import Problem
from smsdesk.steps import identity as steps
from smsdesk.steps.audit import record
from smsdesk.steps.begin import Begin
from smsdesk.steps.desk_view import require_read
from smsdesk.store.telling import Hint, tell


async def correct_person(begin: Begin, tenant_id: int, agent_id: int, chat_id: int, told: Identity) -> EndUserRow:
    """Keeps it of the chat's consumer, if the agent may read the chat; the audit has which fields he wrote, and not
    what. Raises Problem `not_found`, `end_user_conflict`, or `forbidden` where he would replace an identifier: only
    supervisors may, for others know the consumer by it."""
    async with begin(tenant_id) as work:
        agent, chat = await require_read(work.conn, tenant_id, agent_id, chat_id)
        before = await steps.find_person(work, chat.end_user_id)
        if told.identifier and before.identifier not in (None, told.identifier) and not agent.supervises:
            raise Problem("forbidden")
        person = await steps.update(work, chat.end_user_id, told)
        written = [name for name in told.__dataclass_fields__ if getattr(told, name) is not None]
        deed = Deed(Author("desk", agent_id), "correct person", str(person.end_user_id), {"fields": written})
        await record(work, deed)
        await tell(work.conn, tenant_id, Hint("chat", chat_id))
        return person
