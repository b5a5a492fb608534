"""What a carrier refused as opted out is taken over into our list, unless there is suspiciously much of it."""

from smsdesk.steps.begin import Begin
from smsdesk.steps.consent import Said, revoke
from smsdesk.steps.work import Work
from smsdesk.store import carrier_opt_outs, consent
from smsdesk.store.carrier_opt_outs import CarrierOptOut

MOST = 500
"""Texts of one tenant in one call, each in a transaction of its own."""
KNOWN = "known already"


async def take_over_opt_outs(begin: Begin, tenant_id: int) -> int:
    """Takes over what is new: how many were. What is more in an hour than the tenant's settings allow waits for a
    person, and all that the carrier says after it: a fault of a carrier must not silence a whole desk."""
    taken = 0
    for _ in range(MOST):
        async with begin(tenant_id) as work:
            one = await carrier_opt_outs.lock_next(work.conn, tenant_id)
            if one is None:
                break
            state, by = "taken", None
            if await consent.is_opted_out(work.conn, tenant_id, one.number, one.our_number):
                state, by = "dropped", KNOWN
            elif await carrier_opt_outs.is_too_many(work.conn, tenant_id, one.carrier_id, work.now):
                state = "waiting"
            else:
                await _take(work, one)
                taken += 1
            await carrier_opt_outs.set_state(work.conn, tenant_id, one.message_id, state, by)
    return taken


async def release_opt_outs(begin: Begin, tenant_id: int, carrier: str, decision: str, by: str) -> int:
    """A person has looked: what waits of this carrier's is `taken` over or `dropped`, and it is believed again. The
    result says how many."""
    released = 0
    while True:
        async with begin(tenant_id) as work:
            one = await carrier_opt_outs.lock_next(work.conn, tenant_id, "waiting", carrier)
            if one is None:
                return released
            if decision == "taken":
                await _take(work, one)
            await carrier_opt_outs.set_state(work.conn, tenant_id, one.message_id, decision, by)
            released += 1


async def _take(work: Work, one: CarrierOptOut) -> None:
    scope = await consent.read_scope(work.conn, work.tenant_id, one.our_number, work.now)
    await revoke(work, Said(one.number, "", "carrier", one.carrier, f"the carrier's code {one.code}"), scope)
