"""Opt-outs that only a carrier knew of are taken over, a few seconds after it said so."""

from structlog.typing import FilteringBoundLogger

from smsdesk.actions.take_over_opt_outs import take_over_opt_outs
from smsdesk.jobs.repeat import report
from smsdesk.steps.begin import Begin
from smsdesk.store.carrier_opt_outs import tenants_with_new
from smsdesk.store.db import TRY_AGAIN, Database
from smsdesk.store.groups import AWAY

EVERY = 2.0
"""Seconds between two looks."""


class OptOuts:
    """Looks for what carriers refused as opted out, in all tenants."""

    def __init__(self, db: Database, begin: Begin, log: FilteringBoundLogger) -> None:
        self._db = db
        self._begin = begin
        self._log = log

    async def take_over(self) -> None:
        """Takes over what is new. One tenant's trouble keeps no other's waiting."""
        async with self._db.connection() as conn:
            tenants = await tenants_with_new(conn)
        for tenant_id in tenants:
            try:
                taken = await take_over_opt_outs(self._begin, tenant_id)
            except (*AWAY, *TRY_AGAIN) as error:
                report("take over opt-outs", error, self._log)
                continue
            if taken:
                self._log.info("carriers' opt-outs were taken over", tenant_id=tenant_id, numbers=taken)
