"""A person signs in at the desk by e-mail address and password."""

from dataclasses import dataclass, field

from smsdesk.domain.sign_in import Caller, limits_of_password
from smsdesk.domain.tenant import Tenant
from smsdesk.errors import Problem
from smsdesk.steps.begin import Begin
from smsdesk.steps.entering import Arrival, Chance, Entry, ask_for_code, known_browser, open_session
from smsdesk.steps.hashing import is_password
from smsdesk.steps.tries import count_try, failed, forgive, tell_failure
from smsdesk.store.sign_in import find_account, lock_account


@dataclass(frozen=True, slots=True)
class SignIn:
    """What somebody typed, and from where."""

    email: str
    password: str
    caller: Caller = field(default_factory=Caller)
    next_path: str = ""


async def sign_in(begin: Begin, tenant: Tenant, tried: SignIn, chance: Chance) -> Entry:
    """A session, or the first half of one where a second factor is to come.

    Raises Problem `sign_in_refused`, after the same time and with the same words whether the address is unknown, has no
    password, is disabled, or the password is wrong; TooManyTries; `forbidden` where the tenant wants no passwords.
    """
    if not tenant.settings.passwords:
        raise Problem("forbidden")
    async with begin(tenant.tenant_id) as work:
        account = await find_account(work.conn, tenant.tenant_id, tried.email)
        known = await known_browser(work, tried.caller, tried.email)
    counted = await count_try(begin, tenant.tenant_id, limits_of_password(tried.email, tried.caller, known))
    hashed = account.password_hash if account else None
    good = await is_password(hashed, tried.password)
    if account is None or not good:
        deed = failed(account.email if account else "", tried.caller.address, "password")
        await tell_failure(begin, tenant.tenant_id, counted, deed)
        raise Problem("sign_in_refused")
    async with begin(tenant.tenant_id) as work:
        account = await lock_account(work.conn, tenant.tenant_id, account.agent_id)
        if account is None or account.password_hash != hashed:
            raise Problem("sign_in_refused")  # it was changed while it was looked at, which takes its time
        await forgive(work, counted)
        if account.has_second_factor:
            return await ask_for_code(work, tenant, account.agent_id, tried.next_path, chance)
        return await open_session(work, tenant, Arrival(account, tried.caller), chance)
