"""Makes the changes of a plan, all of them or none."""

from datetime import datetime

from smsdesk.errors import Problem
from smsdesk.setup.plan import SetupMoved, TenantPlan
from smsdesk.store.db import Database
from smsdesk.store.setup import read_state
from smsdesk.store.setup_changes import create_tenant, obstacles, write_changes
from smsdesk.store.tenants import mark_changed


async def apply_setup(database: Database, planned: TenantPlan, now: datetime) -> None:
    """Applies a tenant's plan in one transaction and tells the running servers; an empty plan touches nothing.

    Applies of one tenant go one after the other. Raises SetupMoved where the set-up is not the one that was planned on
    any more, and Problem where texts or chats in progress stand against it.
    """
    if planned.is_empty:
        return
    subdomain = planned.current.subdomain
    async with database.transaction() as conn:
        current = await read_state(conn, subdomain, lock=True)
        if current != planned.current:
            raise SetupMoved(f"the set-up of {subdomain} was changed by somebody else in the meantime")
        tenant_id = current.tenant_id or await create_tenant(conn, subdomain, now)
        if tenant_id is None:
            raise SetupMoved(f"the tenant {subdomain} was made by somebody else in the meantime")
        if blocked := await obstacles(conn, tenant_id, planned.changes):
            raise Problem("parameter_invalid", f"tenant {subdomain}: {'; '.join(blocked)}")
        await write_changes(conn, tenant_id, planned.changes, now)
        await mark_changed(conn, tenant_id, now)
