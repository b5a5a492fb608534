"""What others know of a consumer is kept."""

from smsdesk.domain.end_user import EndUserRow, Identity
from smsdesk.domain.tenant import Tenant
from smsdesk.errors import Problem
from smsdesk.steps import identity as steps
from smsdesk.steps.begin import Begin
from smsdesk.store import end_users


async def put_end_user(begin: Begin, tenant: Tenant, identity: Identity, number: str | None) -> EndUserRow:
    """Keeps it of the consumer with this identifier, new or known. Raises Problem as `steps/identity.py` tells."""
    async with begin(tenant.tenant_id) as work:
        return await steps.put(work, identity, number)


async def update_end_user(begin: Begin, tenant: Tenant, end_user_id: int, identity: Identity) -> EndUserRow:
    """Keeps it of the consumer of this id. Raises Problem `not_found`, or `end_user_conflict` where the identifier is
    another consumer's."""
    async with begin(tenant.tenant_id) as work:
        rows = await end_users.lock_end_users(work.conn, tenant.tenant_id, (end_user_id,), identity.identifier)
        asked = next((row for row in rows if row.end_user_id == end_user_id), None)
        if asked is None:
            raise Problem("not_found")
        person_id = asked.merged_into or asked.end_user_id
        if any(
            row.identifier == identity.identifier for row in rows if row.identifier and row.end_user_id != person_id
        ):
            raise Problem("end_user_conflict", "identifier is another end user's: merge the two")
        return await steps.tell(work, next(row for row in rows if row.end_user_id == person_id), identity)
