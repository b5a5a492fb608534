"""The consumer of an open chat has shown who he is."""

from smsdesk.domain.end_user import Identity
from smsdesk.domain.tenant import Tenant
from smsdesk.errors import Problem
from smsdesk.steps.begin import Begin
from smsdesk.steps.identity import put
from smsdesk.store.chat_rows import require_open
from smsdesk.store.end_users import find_number_of_chat


async def identify_end_user(
    begin: Begin, tenant: Tenant, chat_id: int, identity: Identity, number: str | None = None
) -> None:
    """Keeps who the consumer of the chat is. `number` is refused where it is not the chat's own: by SMS a consumer is
    where his phone is. Raises Problem `not_found`, `chat_ended`, and as `steps/identity.py` does."""
    async with begin(tenant.tenant_id) as work:
        own = await find_number_of_chat(work.conn, tenant.tenant_id, chat_id)
        if own is None:
            raise Problem("not_found")
        if number not in (None, own):
            raise Problem("parameter_invalid", "phone is not the number of this chat: leave it out")
        # A consumer is locked before his chat, as where a reply of his is taken in.
        await put(work, identity, own)
        await require_open(work.conn, tenant.tenant_id, chat_id)
