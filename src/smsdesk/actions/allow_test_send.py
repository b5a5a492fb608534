"""A person is about to send a text to try a number of ours."""

from smsdesk.domain.audit import Author, Deed
from smsdesk.steps.audit import record
from smsdesk.steps.begin import Begin
from smsdesk.steps.rights import require_right


async def allow_test_send(begin: Begin, tenant_id: int, agent_id: int, ours: str, phone: str) -> None:
    """Writes down who tries which of our numbers with which phone; raises Problem where he may not administer. The text
    itself is accepted as any other is."""
    async with begin(tenant_id) as work:
        await require_right(work.conn, tenant_id, agent_id, "administer")
        await record(work, Deed(Author("desk", agent_id), "send test text", phone, {"from": ours}))
