"""Links by which a person gives himself a password."""

from collections.abc import Callable

from smsdesk.domain.audit import Author, Deed
from smsdesk.domain.sign_in import LINK_LASTS
from smsdesk.domain.token import digest
from smsdesk.steps.audit import record
from smsdesk.steps.work import Work
from smsdesk.store.sign_in import Account, Step, add_step, drop_steps_of


async def make_link(
    work: Work, subdomain: str, account: Account, author: Author, chance: Callable[[int], bytes]
) -> str:
    """The path of a link that is good once, for LINK_LASTS; those made before are over."""
    secret = chance(32).hex()
    await drop_steps_of(work.conn, work.tenant_id, account.agent_id)
    step = Step(digest(secret), "password", work.now + LINK_LASTS, account.agent_id)
    await add_step(work.conn, work.tenant_id, step)
    await record(work, Deed(author, "invite agent", account.email))
    return f"/desk/password/{subdomain}.{secret}"
