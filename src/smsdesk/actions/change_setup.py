"""An administrator makes the changes of a plan that he has seen, all of them or none."""

from smsdesk.domain.audit import Author
from smsdesk.setup.plan import SetupMoved, TenantPlan
from smsdesk.steps.begin import Begin
from smsdesk.steps.rights import require_right
from smsdesk.steps.setting_up import ChangeSetup, make_changes


async def change_setup(begin: Begin, tenant_id: int, agent_id: int, planned: TenantPlan) -> None:
    """Applies a plan for the agent's own tenant in one transaction, with its deed in the audit; an empty one touches
    nothing. Raises Problem `forbidden` where he is no administrator, or where texts or chats in progress stand against
    it, and SetupMoved where the set-up is not the one that was planned on any more."""
    async with begin(tenant_id) as work:
        await require_right(work.conn, tenant_id, agent_id, "administer")
        if planned.current.tenant_id != tenant_id:
            raise SetupMoved("this plan is for another tenant")
        if planned.changes:
            await make_changes(work, ChangeSetup(planned, Author("desk", agent_id)))
