"""Writing down who did what, in the transaction that does it."""

from smsdesk.domain.audit import Deed
from smsdesk.steps.work import Work
from smsdesk.store.audit import add_deed


async def record(work: Work, deed: Deed) -> None:
    """Adds the deed to the tenant's audit: there with the change, or not at all."""
    await add_deed(work.conn, work.tenant_id, await work.take_id(), deed, work.now)
