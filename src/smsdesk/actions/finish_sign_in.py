"""A person shows his second factor, after his password was right."""

from dataclasses import dataclass, field, replace

from smsdesk.domain.sign_in import Caller, limit_of_codes
from smsdesk.domain.tenant import Tenant
from smsdesk.domain.token import digest
from smsdesk.errors import Problem
from smsdesk.steps.begin import Begin
from smsdesk.steps.entering import Arrival, Chance, Entry, open_session
from smsdesk.steps.second_factor import use_factor
from smsdesk.steps.tries import count_try, failed, forgive, tell_failure
from smsdesk.store.sign_in import find_account_of, find_step, take_step


@dataclass(frozen=True, slots=True)
class Shown:
    """The step's secret, what was typed, and from where."""

    step: str
    code: str
    caller: Caller = field(default_factory=Caller)


async def finish_sign_in(begin: Begin, tenant: Tenant, shown: Shown, chance: Chance) -> Entry:
    """A session. Raises Problem `link_over` where nobody waits for this, `second_factor_wrong`, or TooManyTries."""
    tenant_id, hashed = tenant.tenant_id, digest(shown.step)
    async with begin(tenant_id) as work:
        step = await find_step(work.conn, tenant_id, "totp", hashed, work.now)
        account = await find_account_of(work.conn, tenant_id, step.agent_id) if step and step.agent_id else None
    if step is None or account is None:
        raise Problem("link_over")
    counted = await count_try(begin, tenant_id, [limit_of_codes(account.agent_id)])
    async with begin(tenant_id) as work:
        second = await use_factor(work, account.agent_id, shown.code)
        if second and await take_step(work.conn, tenant_id, "totp", hashed, work.now) is not None:
            await forgive(work, counted)
            entry = await open_session(work, tenant, Arrival(account, shown.caller, second=second), chance)
            return replace(entry, next_path=step.next_path)
    deed = failed(account.email, shown.caller.address, "second factor", account.agent_id)
    await tell_failure(begin, tenant_id, counted, deed)
    raise Problem("second_factor_wrong")
