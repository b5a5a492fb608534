"""Somebody at the desk wants nothing to do with a number any more, or takes that back."""

from smsdesk.domain.audit import Author, Deed
from smsdesk.errors import Problem
from smsdesk.steps.audit import record
from smsdesk.steps.begin import Begin
from smsdesk.steps.desk_view import require_read
from smsdesk.steps.work import Work
from smsdesk.store import blocklist
from smsdesk.store.blocklist import BlockedNumber
from smsdesk.store.telling import Hint, tell

LONGEST_NOTE = 500


async def block_person(begin: Begin, tenant_id: int, agent_id: int, chat_id: int, note: str) -> None:
    """Blocks the phone of a chat that the agent may read: it is not texted, and its replies reach nobody. The note says
    why, and has to be there. A number that is blocked already stays as it is."""
    if not note.strip() or len(note) > LONGEST_NOTE or "\x00" in note:
        raise Problem("parameter_invalid", f"write down why, in 1 to {LONGEST_NOTE} characters")
    async with begin(tenant_id) as work:
        _, chat = await require_read(work.conn, tenant_id, agent_id, chat_id)
        blocked = BlockedNumber(chat.end_user_number, work.now, note.strip(), f"agent {agent_id}")
        if await blocklist.block(work.conn, tenant_id, blocked):
            await _note(work, agent_id, chat_id, "block number", chat.end_user_number)


async def unblock_person(begin: Begin, tenant_id: int, agent_id: int, chat_id: int) -> None:
    """Takes the phone of a chat off the blocklist; only supervisors may. What it opted out of stays. Raises Problem
    `not_found` where it is not on it."""
    async with begin(tenant_id) as work:
        agent, chat = await require_read(work.conn, tenant_id, agent_id, chat_id)
        if not agent.supervises:
            raise Problem("forbidden")
        if not await blocklist.unblock(work.conn, tenant_id, chat.end_user_number):
            raise Problem("not_found")
        await _note(work, agent_id, chat_id, "unblock number", chat.end_user_number)


async def _note(work: Work, agent_id: int, chat_id: int, action: str, number: str) -> None:
    await record(work, Deed(Author("desk", agent_id), action, number))
    await tell(work.conn, work.tenant_id, Hint("chat", chat_id))
