"""An agent notes what a chat was about."""

from dataclasses import dataclass

from smsdesk.domain.tenant import Tenant
from smsdesk.errors import Problem
from smsdesk.steps import wrap_up
from smsdesk.steps.begin import Begin
from smsdesk.steps.work import Work
from smsdesk.store import wrap_ups
from smsdesk.store.agents import require_agent
from smsdesk.store.chat_rows import ChatRow, lock_chat_row
from smsdesk.store.queues import dispositions_of
from smsdesk.store.wrap_ups import Noted

LONGEST_DISPOSITION, LONGEST_NOTES = 255, 10_000


@dataclass(frozen=True, slots=True)
class WrapUp:
    """What the agent notes; None leaves what he noted before. `done` ends the time that he has for it."""

    chat_id: int
    agent_id: int
    disposition: str | None = None
    notes: str | None = None
    done: bool = False


async def wrap_up_chat(begin: Begin, tenant: Tenant, wanted: WrapUp) -> None:
    """Writes down what the agent notes of a chat that ended with him, also when his time for it is over. Raises Problem
    where it was another's, has not ended, or its queue knows no such disposition."""
    _check(wanted)
    async with begin(tenant.tenant_id) as work:
        chat = await lock_chat_row(work.conn, tenant.tenant_id, wanted.chat_id)
        if chat is None:
            raise Problem("not_found")
        await require_agent(work.conn, tenant.tenant_id, wanted.agent_id)
        if chat.agent_id != wanted.agent_id:
            raise Problem("not_in_chat", f"chat {chat.chat_id} did not end with agent {wanted.agent_id}")
        if chat.ends_at is None:
            raise Problem("chat_status_wrong", f"chat {chat.chat_id} is {chat.status}: it is wrapped up after its end")
        if wanted.disposition is not None:
            await _require_disposition(work, chat, wanted.disposition)
        noted = Noted(wanted.disposition, wanted.notes)
        await wrap_ups.write(work.conn, tenant.tenant_id, chat.chat_id, wanted.agent_id, noted, work.now)
        if wanted.done:
            await wrap_up.finish(work, chat.chat_id)


def _check(wanted: WrapUp) -> None:
    for name, value, most in (
        ("disposition", wanted.disposition, LONGEST_DISPOSITION),
        ("notes", wanted.notes, LONGEST_NOTES),
    ):
        if value is not None and (len(value) > most or "\x00" in value):
            raise Problem("parameter_invalid", f"{name} must have at most {most} characters")


async def _require_disposition(work: Work, chat: ChatRow, disposition: str) -> None:
    known = await dispositions_of(work.conn, work.tenant_id, chat.queue_id)
    if known and disposition not in known:
        raise Problem("parameter_invalid", f"disposition must be one of {', '.join(known)}")
