"""A number is put on the blocklist, or taken off it."""

from smsdesk.errors import Problem
from smsdesk.steps.begin import Begin
from smsdesk.store import blocklist
from smsdesk.store.blocklist import BlockedNumber


async def block_number(begin: Begin, tenant_id: int, number: str, note: str, actor: str) -> bool:
    """From now on it is not texted, and its replies reach nobody; False where that was so already."""
    async with begin(tenant_id) as work:
        return await blocklist.block(work.conn, tenant_id, BlockedNumber(number, work.now, note, actor))


async def unblock_number(begin: Begin, tenant_id: int, number: str) -> None:
    """Takes it off; raises Problem `not_found` where it was not on it."""
    async with begin(tenant_id) as work:
        if not await blocklist.unblock(work.conn, tenant_id, number):
            raise Problem("not_found")
