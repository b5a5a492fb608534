"""The tenants and their lines as this process sees them: in memory, renewed within a second of a change."""

import asyncio
from datetime import datetime

import structlog

from smsdesk.domain.tenant import Tenant
from smsdesk.store.carriers import CarrierSetup, find_changed
from smsdesk.store.db import Database
from smsdesk.store.groups import AWAY
from smsdesk.store.tenants import read_tenant, versions

EVERY = 0.5
"""Seconds between two looks at the tenants' times of change."""

log = structlog.get_logger()


class Directory:
    """All tenants by subdomain. A request keeps the picture that it began with."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._seen: dict[int, datetime] = {}
        self.tenants: dict[str, Tenant] = {}
        self.carriers: dict[str, dict[str, CarrierSetup]] = {}
        """The lines of each tenant, by subdomain and then by name; their secrets are references still."""

    async def refresh(self) -> None:
        """Reads what has changed since the last look; raises one of AWAY where the database is away."""
        async with self._db.connection() as conn:
            found = (await versions(conn)).items()
            changed = {tenant_id: at for tenant_id, at in found if self._seen.get(tenant_id) != at}
            if not changed:
                return
            lines = await find_changed(conn, min(changed.values()))
            for tenant_id, changed_at in changed.items():
                tenant = await read_tenant(conn, tenant_id)
                self.tenants = {**self.tenants, tenant.subdomain: tenant}
                self.carriers[tenant.subdomain] = {line.name: line for line in lines.get(tenant_id, ())}
                self._seen[tenant_id] = changed_at

    async def run(self) -> None:
        """Keeps the picture fresh until cancelled; an old one serves while the database is away.

        Nothing ends it: with a picture that no longer moves, a token that was disabled would be good for ever.
        """
        failed: type[Exception] | None = None
        while True:
            try:
                await self.refresh()
                failed = None
            except AWAY as error:
                if failed is not type(error):
                    log.warning("set-up not refreshed: database away", error=str(error))
                failed = type(error)
            except Exception as error:
                if failed is not type(error):
                    log.exception("set-up not refreshed")
                failed = type(error)
            await asyncio.sleep(EVERY)
