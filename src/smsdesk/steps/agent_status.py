"""An agent does something else from now on: who waits for him is told, who waited for others is asked for."""

from smsdesk.domain.agent_status import AVAILABLE
from smsdesk.steps import routing, transfers
from smsdesk.steps.work import Work
from smsdesk.store import agents, offers
from smsdesk.store.chat_rows import require_open
from smsdesk.store.moves import refresh_agent


async def change(work: Work, agent_id: int, status: str, reason: str | None) -> str:
    """Puts an agent into a status: the one that he was in. One who becomes available is asked for what waits; what one
    who leaves was being asked for goes to others at once."""
    offered = [] if status == AVAILABLE else await offers.lock_offered(work.conn, work.tenant_id, agent_id)
    before = await agents.set_status(work.conn, work.tenant_id, agent_id, status, reason, work.now)
    if status == AVAILABLE:
        await routing.fill(work, agent_id)
    await _ask_others(work, agent_id, offered)
    return before


async def log_out(work: Work, agent_id: int) -> None:
    """Logs an agent out once he has no chat, and asks him for no other until then."""
    offered = await offers.lock_offered(work.conn, work.tenant_id, agent_id)
    await agents.set_leaving(work.conn, work.tenant_id, agent_id, work.now)
    await _ask_others(work, agent_id, offered)


async def _ask_others(work: Work, agent_id: int, chat_ids: list[int]) -> None:
    withdrawn = await offers.withdraw(work.conn, work.tenant_id, agent_id, chat_ids, work.now)
    if withdrawn:
        await refresh_agent(work.conn, work.tenant_id, agent_id, work.now)
    for chat_id in withdrawn:
        await transfers.give_up(work, await require_open(work.conn, work.tenant_id, chat_id), agent_id, "no_answer")
        if not await offers.is_asked_for(work.conn, work.tenant_id, chat_id):
            await routing.ask(work, chat_id)
