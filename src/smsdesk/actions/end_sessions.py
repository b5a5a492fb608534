"""A person signs out: here, or in other browsers."""

from smsdesk.domain.audit import Author, Deed
from smsdesk.errors import Problem
from smsdesk.steps.audit import record
from smsdesk.steps.begin import Begin
from smsdesk.steps.rights import require_right
from smsdesk.store.sessions import Session, end_session, end_session_of, end_sessions_of


async def sign_out(begin: Begin, tenant_id: int, session: Session) -> None:
    """Ends this session; harmless where it has ended."""
    async with begin(tenant_id) as work:
        await end_session(work.conn, tenant_id, session.session_sha256)
        await record(work, Deed(Author("desk", session.agent.agent_id), "sign out", session.agent.email))


async def end_other_sessions(begin: Begin, tenant_id: int, session: Session, one: bytes | None = None) -> None:
    """Ends all other sessions of a person, or the one of this hash. Raises Problem `not_found` where it is not his."""
    agent = session.agent
    async with begin(tenant_id) as work:
        await require_right(work.conn, tenant_id, agent.agent_id, "work")
        if one is None:
            ended = await end_sessions_of(work.conn, tenant_id, agent.agent_id, session.session_sha256)
        elif await end_session_of(work.conn, tenant_id, agent.agent_id, one):
            ended = 1
        else:
            raise Problem("not_found")
        await record(work, Deed(Author("desk", agent.agent_id), "end sessions", agent.email, {"ended_sessions": ended}))
