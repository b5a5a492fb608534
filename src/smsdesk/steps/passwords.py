"""A new password, and what becomes worthless by it."""

from smsdesk.domain.audit import Author, Deed
from smsdesk.steps.audit import record
from smsdesk.steps.work import Work
from smsdesk.store.sessions import end_sessions_of
from smsdesk.store.sign_in import Account, drop_browsers, drop_steps_of, set_password


async def put_password(work: Work, account: Account, hashed: str, author: Author, keep: bytes | None = None) -> None:
    """Gives a person this password: links and half sign-ins of his are over, and so are his sessions, but the one of
    the hash `keep`."""
    await set_password(work.conn, work.tenant_id, account.agent_id, hashed)
    await drop_steps_of(work.conn, work.tenant_id, account.agent_id)
    await drop_browsers(work.conn, work.tenant_id, account.agent_id)
    ended = await end_sessions_of(work.conn, work.tenant_id, account.agent_id, keep)
    await record(work, Deed(author, "change password", account.email, {"ended_sessions": ended}))
