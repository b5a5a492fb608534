"""What others know of a consumer is kept."""

from smsdesk.domain.end_user import EndUserRow, Identity
from smsdesk.domain.tenant import Tenant
from smsdesk.steps import identity as steps
from smsdesk.steps.begin import Begin


async def put_end_user(begin: Begin, tenant: Tenant, identity: Identity, number: str | None) -> EndUserRow:
    """Keeps it of the consumer with this identifier, new or known. Raises Problem as `steps/identity.py` tells."""
    async with begin(tenant.tenant_id) as work:
        return await steps.put(work, identity, number)


async def update_end_user(begin: Begin, tenant: Tenant, end_user_id: int, identity: Identity) -> EndUserRow:
    """Keeps it of the consumer of this id. Raises Problem `not_found`, or `end_user_conflict` where the identifier is
    another consumer's."""
    async with begin(tenant.tenant_id) as work:
        return await steps.update(work, end_user_id, identity)
