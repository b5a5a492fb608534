"""Makes the changes of a plan that somebody at the machine has seen, all of them or none."""

import random
from collections.abc import Callable
from datetime import datetime

from smsdesk.domain.audit import COMMAND
from smsdesk.setup.plan import SetupMoved, TenantPlan
from smsdesk.steps.setting_up import ChangeSetup, make_changes
from smsdesk.steps.work import Work
from smsdesk.store.db import Database, Ids
from smsdesk.store.setup_changes import create_tenant
from smsdesk.store.tenants import find_tenant_id


async def apply_setup(
    database: Database, planned: TenantPlan, now: datetime, chance: Callable[[], float] = random.random
) -> None:
    """Applies a tenant's plan in one transaction, as `steps.setting_up.make_changes` says; makes the tenant where there
    is none. An empty plan touches nothing. Raises SetupMoved and Problem."""
    if planned.is_empty:
        return
    subdomain = planned.current.subdomain
    async with database.transaction() as conn:
        there = await find_tenant_id(conn, subdomain)
        if (there is None) != (planned.current.tenant_id is None):
            raise SetupMoved(f"the tenant {subdomain} was made or taken away by somebody else in the meantime")
        tenant_id = there or await create_tenant(conn, subdomain, now)
        if tenant_id is None:
            raise SetupMoved(f"the tenant {subdomain} was made by somebody else in the meantime")
        await make_changes(Work(conn, tenant_id, now, Ids(), chance), ChangeSetup(planned, COMMAND))
