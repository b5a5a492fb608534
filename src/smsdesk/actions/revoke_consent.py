"""Consent is taken back by somebody else than a text of the consumer: he called, wrote, or told an agent."""

from smsdesk.domain.consent import Scope
from smsdesk.steps.begin import Begin
from smsdesk.steps.consent import CONSUMER, Said, revoke
from smsdesk.store.consent_holds import Decision, decide


async def revoke_consent(begin: Begin, tenant_id: int, said: Said, scope: Scope) -> bool:
    """Nothing is claimed or accepted for the number within this scope any more; no confirmation is sent, for it was no
    text that asked. False where that was so already: it is noted all the same."""
    async with begin(tenant_id) as work:
        new = await revoke(work, said, scope)
        if scope.kind != "brand":
            our_number = scope.of or None
            by = Decision("revoked", said.actor or CONSUMER, work.now)
            await decide(work.conn, tenant_id, said.number, our_number, by)
        return new
