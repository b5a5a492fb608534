"""Sends a one-time code, so that the consumer can show that the phone is his."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from smsdesk.domain.tenant import Tenant
from smsdesk.domain.verification import VALID, code_text, digest, new_code
from smsdesk.errors import Problem
from smsdesk.steps.begin import Begin
from smsdesk.steps.say import say
from smsdesk.store.chat_rows import require_open
from smsdesk.store.moves import set_timer
from smsdesk.store.verifications import NewCode, put_verification


@dataclass(frozen=True, slots=True)
class SentCode:
    """A code on its way."""

    message_id: int
    expires_at: datetime


class SendCode:
    """Sends codes in open chats. `secret` gives numbers in 0..1 that nobody can foretell."""

    def __init__(self, begin: Begin, secret: Callable[[], float]) -> None:
        self._begin = begin
        self._secret = secret

    async def __call__(self, tenant: Tenant, chat_id: int) -> SentCode:
        """A new code; the one before it is no good any more. Raises Problem where the chat has ended, or the consumer
        may not be texted."""
        async with self._begin(tenant.tenant_id) as work:
            chat = await require_open(work.conn, work.tenant_id, chat_id)
            if chat.opted_out or chat.blocked:
                raise Problem("end_user_opted_out" if chat.opted_out else "end_user_blocked")
            code = new_code(self._secret)
            name = tenant.settings.company_name or tenant.subdomain
            message_id = await say(work, chat, code_text(name, code, chat.lang))
            if message_id is None:
                raise Problem("outbound_number_unknown")
            until = work.now + VALID
            kept = NewCode(chat_id, message_id, digest(work.tenant_id, chat_id, code), until)
            await put_verification(work.conn, work.tenant_id, kept, work.now)
            await set_timer(work.conn, work.tenant_id, chat_id, "verification", until)
        return SentCode(message_id, until)
