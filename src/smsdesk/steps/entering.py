"""How a sign-in that has succeeded becomes a session."""

from collections.abc import Callable
from dataclasses import dataclass

from smsdesk.domain.audit import Author, Deed
from smsdesk.domain.sign_in import KNOWN_FOR, STEP_LASTS, Caller, Method, good_until
from smsdesk.domain.tenant import Tenant
from smsdesk.domain.token import digest
from smsdesk.steps.audit import record
from smsdesk.steps.work import Work
from smsdesk.store.sessions import NewSession, add_session
from smsdesk.store.sign_in import Account, Step, add_browser, add_step, find_browser

Chance = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Entry:
    """What a browser is given: the secret of a session, or of a step where a second half is to come."""

    session: str = ""
    step: str = ""
    known: str = ""
    """By what the browser is known from now on, where it was not."""
    next_path: str = ""


@dataclass(frozen=True, slots=True)
class Arrival:
    """Somebody who is in, from where and how."""

    account: Account
    caller: Caller
    method: Method = "password"
    second: str = ""
    """What his second factor was, if he has shown one: `code` or `recovery code`."""


async def known_browser(work: Work, caller: Caller, email: str) -> bytes | None:
    """The hash of the browser's secret, if this person has signed in with it before."""
    hashed = digest(caller.known)
    known = bool(caller.known) and await find_browser(work.conn, work.tenant_id, hashed, email, work.now)
    return hashed if known else None


async def open_session(work: Work, tenant: Tenant, arrival: Arrival, chance: Chance) -> Entry:
    """Begins a session, with its line in the audit."""
    account, caller = arrival.account, arrival.caller
    secret, known = chance(32).hex(), ""
    until = good_until(work.now, tenant.settings, work.now)
    session = NewSession(digest(secret), account.agent_id, until, caller.address, caller.browser, arrival.method)
    await add_session(work.conn, tenant.tenant_id, session, work.now)
    if await known_browser(work, caller, account.email) is None:
        known = chance(32).hex()
        await add_browser(work.conn, tenant.tenant_id, account.agent_id, digest(known), work.now + KNOWN_FOR)
    details = {
        "address": caller.address,
        "with": arrival.method,
        **({"second": arrival.second} if arrival.second else {}),
    }
    await record(work, Deed(Author("desk", account.agent_id), "sign in", account.email, details))
    return Entry(session=secret, known=known)


async def ask_for_code(work: Work, tenant: Tenant, agent_id: int, next_path: str, chance: Chance) -> Entry:
    """Keeps that the password was right, until the code comes."""
    secret = chance(32).hex()
    step = Step(digest(secret), "totp", work.now + STEP_LASTS, agent_id, next_path=next_path)
    await add_step(work.conn, tenant.tenant_id, step)
    return Entry(step=secret)
