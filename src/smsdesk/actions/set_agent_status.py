"""An agent says what he does, or a supervisor says it for him."""

from smsdesk.domain.agent_status import read_reason, read_status
from smsdesk.domain.audit import Author, Deed
from smsdesk.domain.tenant import Tenant
from smsdesk.steps import agent_status, audit
from smsdesk.steps.begin import Begin
from smsdesk.steps.rights import require_right
from smsdesk.store.agents import require_agent


async def set_agent_status(
    begin: Begin, tenant: Tenant, agent_id: int, status: str, reason: str | None, by_agent_id: int | None = None
) -> None:
    """Puts an agent into a status that a person may choose, whatever he was in; raises Problem where he may not.

    One who becomes available is asked for what waits in the same transaction. `by_agent_id` is the person at the desk
    who says so: of another than himself he must supervise, and the audit keeps who it was.
    """
    wanted, why = read_status(status, tenant.settings.agent_statuses), read_reason(reason)
    async with begin(tenant.tenant_id) as work:
        for_another = by_agent_id is not None and by_agent_id != agent_id
        if by_agent_id is not None:
            await require_right(work.conn, tenant.tenant_id, by_agent_id, "supervise" if for_another else "work")
        await require_agent(work.conn, tenant.tenant_id, agent_id)
        before = await agent_status.change(work, agent_id, wanted, why)
        if for_another:
            author = Author("desk", agent_id=by_agent_id)
            details = {"from": before, "to": wanted}
            await audit.record(work, Deed(author, "change agent status", f"agent {agent_id}", details))
