"""A person gives himself a password by a link, or somebody at the machine gives him one."""

from smsdesk.domain.audit import COMMAND, Author
from smsdesk.domain.token import digest
from smsdesk.errors import Problem
from smsdesk.steps.begin import Begin
from smsdesk.steps.entering import Chance
from smsdesk.steps.hashing import hash_of
from smsdesk.steps.passwords import put_password
from smsdesk.store.sign_in import Account, find_account, find_account_of, find_step, take_step


async def look_at_link(begin: Begin, tenant_id: int, secret: str) -> Account:
    """Whose link it is. Raises Problem `link_over`."""
    async with begin(tenant_id) as work:
        step = await find_step(work.conn, tenant_id, "password", digest(secret), work.now)
        account = await find_account_of(work.conn, tenant_id, step.agent_id) if step and step.agent_id else None
    if account is None:
        raise Problem("link_over")
    return account


async def use_link(begin: Begin, tenant_id: int, secret: str, password: str, chance: Chance) -> None:
    """Gives the person of the link this password; the link is over by that. He signs in with it then, with his second
    factor if he has one. Raises Problem `link_over` or `password_unfit`."""
    account = await look_at_link(begin, tenant_id, secret)
    hashed = await hash_of(password, account.email, chance)
    async with begin(tenant_id) as work:
        if await take_step(work.conn, tenant_id, "password", digest(secret), work.now) is None:
            raise Problem("link_over")
        await put_password(work, account, hashed, Author("desk", account.agent_id))


async def set_by_command(begin: Begin, tenant_id: int, email: str, password: str, chance: Chance) -> None:
    """Gives the agent of this address a password. Raises Problem `agent_unknown` or `password_unfit`."""
    async with begin(tenant_id) as work:
        account = await find_account(work.conn, tenant_id, email)
    if account is None:
        raise Problem("agent_unknown", f'there is no agent "{email}" who may work')
    hashed = await hash_of(password, account.email, chance)
    async with begin(tenant_id) as work:
        await put_password(work, account, hashed, COMMAND)
