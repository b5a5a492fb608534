"""Consent is given again by somebody else than a text of the consumer: a form, a call, a signature."""

from smsdesk.domain.consent import Scope
from smsdesk.steps.begin import Begin
from smsdesk.steps.consent import Said, restore


async def restore_consent(begin: Begin, tenant_id: int, said: Said, scope: Scope | None) -> list[Scope]:
    """Ends the opt-outs of the number within this scope, or all of them: which ones. The words must say how consent was
    given: whoever texts has to prove it."""
    async with begin(tenant_id) as work:
        return await restore(work, said, scope)
