"""An administrator makes the link by which a person gives himself a password."""

from smsdesk.domain.audit import COMMAND, Author
from smsdesk.domain.tenant import Tenant
from smsdesk.errors import Problem
from smsdesk.steps.begin import Begin
from smsdesk.steps.entering import Chance
from smsdesk.steps.invitations import make_link
from smsdesk.steps.rights import require_right
from smsdesk.store.sign_in import find_account, find_account_of


async def invite_agent(begin: Begin, tenant: Tenant, acting_agent_id: int, agent_id: int, secret: Chance) -> str:
    """The path of a link that is good once, for a day, shown this once. Raises Problem `forbidden`, or `not_found`
    where there is no such agent or he is disabled."""
    async with begin(tenant.tenant_id) as work:
        await require_right(work.conn, tenant.tenant_id, acting_agent_id, "administer")
        account = await find_account_of(work.conn, tenant.tenant_id, agent_id)
        if account is None:
            raise Problem("not_found")
        return await make_link(work, tenant.subdomain, account, Author("desk", acting_agent_id), secret)


async def invite_by_command(begin: Begin, tenant_id: int, subdomain: str, email: str, secret: Chance) -> str:
    """The same for somebody at the machine, who has every right. Raises Problem `agent_unknown`."""
    async with begin(tenant_id) as work:
        account = await find_account(work.conn, tenant_id, email)
        if account is None:
            raise Problem("agent_unknown", f'there is no agent "{email}" who may work')
        return await make_link(work, subdomain, account, COMMAND, secret)
