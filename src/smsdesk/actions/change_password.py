"""A person changes his own password."""

from smsdesk.domain.audit import Author
from smsdesk.domain.sign_in import limit_of_own_password
from smsdesk.errors import Problem
from smsdesk.steps.begin import Begin
from smsdesk.steps.entering import Chance
from smsdesk.steps.hashing import hash_of, is_password
from smsdesk.steps.passwords import put_password
from smsdesk.steps.rights import require_right
from smsdesk.steps.tries import count_try, failed, forgive, tell_failure
from smsdesk.store.sessions import Session
from smsdesk.store.sign_in import find_account_of


async def change_password(begin: Begin, tenant_id: int, session: Session, old: str, new: str, chance: Chance) -> None:
    """Puts the new password in the place of the old one and ends the other sessions. Raises Problem `sign_in_refused`
    where the old one is wrong, `password_unfit` where the new one cannot be used, or TooManyTries."""
    agent_id = session.agent.agent_id
    async with begin(tenant_id) as work:
        account = await find_account_of(work.conn, tenant_id, agent_id)
    counted = await count_try(begin, tenant_id, [limit_of_own_password(agent_id)])
    if account is None or not await is_password(account.password_hash, old):
        await tell_failure(begin, tenant_id, counted, failed(session.agent.email, "", "own password", agent_id))
        raise Problem("sign_in_refused")
    hashed = await hash_of(new, account.email, chance)
    async with begin(tenant_id) as work:
        await require_right(work.conn, tenant_id, agent_id, "work")
        await forgive(work, counted)
        await put_password(work, account, hashed, Author("desk", agent_id), keep=session.session_sha256)
