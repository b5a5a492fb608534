"""A person signs in by his company's identity provider: out to it, and back with its word."""

from dataclasses import dataclass, replace

from smsdesk.domain.audit import Author, Deed
from smsdesk.domain.sign_in import STEP_LASTS, Caller, limit, network
from smsdesk.domain.tenant import Tenant
from smsdesk.domain.token import digest
from smsdesk.errors import Problem
from smsdesk.steps.audit import record
from smsdesk.steps.begin import Begin
from smsdesk.steps.entering import Arrival, Chance, Entry, open_session
from smsdesk.steps.tries import count_try
from smsdesk.store.sign_in import Step, add_step, find_account, take_step

MOST_STARTS = 300
"""Ways out to the provider from one address within a quarter of an hour: an office that begins its day."""


@dataclass(frozen=True, slots=True)
class Way:
    """A way out to the provider: its secrets, of which `state` goes with the browser and comes back."""

    state: str
    nonce: str
    verifier: str


async def leave_for_identity(begin: Begin, tenant: Tenant, caller: Caller, next_path: str, chance: Chance) -> Way:
    """Notes that somebody is on his way. Raises TooManyTries."""
    await count_try(begin, tenant.tenant_id, [limit(MOST_STARTS, "identity", network(caller.address))])
    way = Way(chance(32).hex(), chance(32).hex(), chance(32).hex())
    async with begin(tenant.tenant_id) as work:
        until = work.now + STEP_LASTS
        step = Step(digest(way.state), "oidc", until, None, way.nonce, way.verifier, next_path)
        await add_step(work.conn, tenant.tenant_id, step)
    return way


async def return_from_identity(begin: Begin, tenant: Tenant, state: str) -> Step:
    """Whom the provider's answer is to be held against: once. Raises Problem `link_over`."""
    async with begin(tenant.tenant_id) as work:
        step = await take_step(work.conn, tenant.tenant_id, "oidc", digest(state), work.now)
    if step is None:
        raise Problem("link_over")
    return step


async def enter_by_identity(
    begin: Begin, tenant: Tenant, email: str, caller: Caller, step: Step, chance: Chance
) -> Entry:
    """A session of the agent of this address, of whom the provider has vouched for. Nobody is created. Raises Problem
    `identity_refused` where nobody has the address, or he is disabled."""
    async with begin(tenant.tenant_id) as work:
        account = await find_account(work.conn, tenant.tenant_id, email)
        if account is not None:
            entry = await open_session(work, tenant, Arrival(account, caller, "oidc"), chance)
            return replace(entry, next_path=step.next_path)
        details = {"address": caller.address, "with": "oidc"}
        await record(work, Deed(Author("desk"), "fail sign-in", email[:254], details))
    raise Problem("identity_refused", f"nobody here has the address {email[:254]}")
