"""A person sets up his second factor, or gives it up."""

from base64 import b32encode
from dataclasses import dataclass

from smsdesk.domain.audit import Author, Deed
from smsdesk.domain.sign_in import limit_of_codes, limit_of_own_password
from smsdesk.domain.tenant import Tenant
from smsdesk.errors import Problem
from smsdesk.steps.audit import record
from smsdesk.steps.begin import Begin
from smsdesk.steps.entering import Chance
from smsdesk.steps.hashing import is_password
from smsdesk.steps.rights import require_right
from smsdesk.steps.second_factor import new_codes, use_digits, use_factor
from smsdesk.steps.tries import Try, count_try, failed, forgive, tell_failure
from smsdesk.steps.work import Work
from smsdesk.store.profiles import Factor, codes_left, lock_factor, replace_codes, save_factor
from smsdesk.store.sessions import end_sessions_of
from smsdesk.store.sign_in import find_account_of


@dataclass(frozen=True, slots=True)
class Standing:
    """What a person has: the secret to show to his app while it is not confirmed, or how many codes are left."""

    confirmed: bool
    secret: str = ""
    codes_left: int = 0


@dataclass(frozen=True, slots=True)
class Person:
    """Who changes his own."""

    tenant: Tenant
    agent_id: int
    email: str
    session_sha256: bytes


async def begin_second_factor(begin: Begin, who: Person, chance: Chance) -> Standing:
    """Where he stands; a secret is made where he has none, and is the same until he confirms it."""
    tenant_id = who.tenant.tenant_id
    async with begin(tenant_id) as work:
        await require_right(work.conn, tenant_id, who.agent_id, "work")
        factor = await lock_factor(work.conn, tenant_id, who.agent_id)
        if factor.confirmed_at is not None:
            return Standing(True, codes_left=await codes_left(work.conn, tenant_id, who.agent_id))
        secret = factor.secret or b32encode(chance(20)).decode()
        if secret != factor.secret:
            await save_factor(work.conn, tenant_id, who.agent_id, Factor(secret, None, 0))
    return Standing(False, secret=secret)


async def confirm_second_factor(begin: Begin, who: Person, code: str, chance: Chance) -> list[str]:
    """Turns it on, once he has shown that his app makes the codes: his recovery codes, this once. His other sessions
    end. Raises Problem `second_factor_wrong`, or TooManyTries."""
    tenant_id = who.tenant.tenant_id
    counted = await count_try(begin, tenant_id, [limit_of_codes(who.agent_id)])
    async with begin(tenant_id) as work:
        await require_right(work.conn, tenant_id, who.agent_id, "work")
        factor = await lock_factor(work.conn, tenant_id, who.agent_id)
        if factor.confirmed_at is not None or not await use_digits(work, who.agent_id, factor, code):
            raise Problem("second_factor_wrong")
        await forgive(work, counted)
        used = await lock_factor(work.conn, tenant_id, who.agent_id)
        await save_factor(work.conn, tenant_id, who.agent_id, Factor(used.secret, work.now, used.step))
        await end_sessions_of(work.conn, tenant_id, who.agent_id, who.session_sha256)
        await record(work, Deed(Author("desk", who.agent_id), "turn on second factor", who.email))
        return await new_codes(work, who.agent_id, chance)


async def renew_recovery_codes(begin: Begin, who: Person, proof: str, chance: Chance) -> list[str]:
    """New recovery codes in the place of the old ones, this once. Raises as `_prove` does."""
    counted = await _prove(begin, who, proof)
    async with begin(who.tenant.tenant_id) as work:
        await forgive(work, counted)
        await record(work, Deed(Author("desk", who.agent_id), "renew recovery codes", who.email))
        return await new_codes(work, who.agent_id, chance)


async def turn_off_second_factor(begin: Begin, who: Person, proof: str) -> None:
    """Takes it away. Raises Problem `forbidden` where the tenant asks for one, and as `_prove` does."""
    if who.tenant.settings.second_factor == "required":
        raise Problem("forbidden")
    counted = await _prove(begin, who, proof)
    async with begin(who.tenant.tenant_id) as work:
        await forgive(work, counted)
        await _drop(work, who.agent_id)
        await record(work, Deed(Author("desk", who.agent_id), "turn off second factor", who.email))


async def reset_second_factor(begin: Begin, tenant_id: int, author: Author, agent_id: int) -> None:
    """Takes away the second factor of one who has lost it, and ends his sessions. The author is somebody at the
    machine, or an administrator. Raises Problem `forbidden` or `not_found`."""
    async with begin(tenant_id) as work:
        if author.source != "command":
            await require_right(work.conn, tenant_id, author.agent_id or 0, "administer")
        account = await find_account_of(work.conn, tenant_id, agent_id)
        if account is None:
            raise Problem("not_found")
        await _drop(work, agent_id)
        await end_sessions_of(work.conn, tenant_id, agent_id)
        await record(work, Deed(author, "reset second factor", account.email))


async def _drop(work: Work, agent_id: int) -> None:
    await lock_factor(work.conn, work.tenant_id, agent_id)
    await save_factor(work.conn, work.tenant_id, agent_id, Factor(None, None, 0))
    await replace_codes(work.conn, work.tenant_id, agent_id, [])


async def _prove(begin: Begin, who: Person, proof: str) -> Try:
    """That it is he: by his password, or by a code where he has none. Raises Problem `sign_in_refused`, or
    TooManyTries."""
    tenant_id = who.tenant.tenant_id
    counted = await count_try(begin, tenant_id, [limit_of_own_password(who.agent_id)])
    async with begin(tenant_id) as work:
        await require_right(work.conn, tenant_id, who.agent_id, "work")
        account = await find_account_of(work.conn, tenant_id, who.agent_id)
    hashed = account.password_hash if account else None
    if hashed is not None:
        good = await is_password(hashed, proof)
    else:
        async with begin(tenant_id) as work:
            good = await use_factor(work, who.agent_id, proof) is not None
    if not good:
        await tell_failure(begin, tenant_id, counted, failed(who.email, "", "own password", who.agent_id))
        raise Problem("sign_in_refused")
    return counted
