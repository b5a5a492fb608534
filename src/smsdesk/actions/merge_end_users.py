"""Two consumers turn out to be one person."""

from smsdesk.domain.end_user import EndUserRow
from smsdesk.domain.tenant import Tenant
from smsdesk.steps.begin import Begin
from smsdesk.steps.identity import merge


async def merge_end_users(begin: Begin, tenant: Tenant, end_user_id: int, into_id: int) -> EndUserRow:
    """Merges one into the other: who he is now. Raises Problem as `steps/identity.py` does."""
    async with begin(tenant.tenant_id) as work:
        return await merge(work, end_user_id, into_id)
