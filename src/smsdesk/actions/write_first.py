"""An agent writes to somebody who is in no chat."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from smsdesk.domain.send import Send
from smsdesk.domain.tenant import Tenant
from smsdesk.errors import Problem
from smsdesk.steps.begin import Begin
from smsdesk.steps.rights import require_right
from smsdesk.steps.work import Work
from smsdesk.store.outbound import find_open_chat
from smsdesk.store.sends import WantedSend, find_answer


@dataclass(frozen=True, slots=True)
class First:
    """A first text in an agent's name, with the key of the form that it was typed in."""

    send: Send
    agent_id: int
    key: str
    request_sha256: bytes


SendOne = Callable[[Tenant, WantedSend], Awaitable[bytes]]


async def write_first(begin: Begin, send_one: SendOne, tenant: Tenant, first: First) -> bytes:
    """The answer to the send, as `send_one` gives it; the same form posted again gets the same answer, and nothing is
    sent again. Raises Problem: `forbidden` for a number of ours that is another agent's, `active_session` where the
    consumer is in a chat: that chat is the place to write, also where the API's sends would be appended to it."""
    async with begin(tenant.tenant_id) as work:
        await check_first(work, tenant, first)
        stored = await _stored(work, first)
        if stored is None and await find_open_chat(work.conn, tenant.tenant_id, first.send.end_user_number) is not None:
            # The same form may have opened it since the look before.
            stored = await _stored(work, first)
            if stored is None:
                raise Problem("active_session")
    return stored or await send_one(tenant, WantedSend(first.send, None, first.key, first.request_sha256))


async def check_first(work: Work, tenant: Tenant, first: First) -> None:
    """Raises Problem `forbidden` where this agent may not write from this number."""
    agent = await require_right(work.conn, tenant.tenant_id, first.agent_id, "work")
    whose = tenant.numbers[first.send.outbound_number].agent_id
    if whose not in (None, first.agent_id) and not agent.supervises:
        raise Problem("forbidden")


async def _stored(work: Work, first: First) -> bytes | None:
    found = await find_answer(work.conn, work.tenant_id, first.key)
    if found is not None and found[0] != first.request_sha256:
        raise Problem("idempotency_mismatch")
    return found[1] if found else None
