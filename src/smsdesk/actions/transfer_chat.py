"""An agent, or a supervisor, gives a chat on."""

from dataclasses import dataclass

from smsdesk.domain.audit import Author, Deed
from smsdesk.domain.chat_life import WITH_AN_AGENT
from smsdesk.domain.tenant import Tenant
from smsdesk.errors import Problem
from smsdesk.steps import transfers
from smsdesk.steps.audit import record
from smsdesk.steps.begin import Begin
from smsdesk.steps.transfers import Wanted
from smsdesk.steps.work import Work
from smsdesk.store.agents import lock_asked, require_agent
from smsdesk.store.chat_rows import ChatRow, require_open
from smsdesk.store.queues import find_children, find_queue
from smsdesk.store.transfers import find_open, find_ready

KINDS = ("cold", "warm")
LONGEST_NOTE = 2000


@dataclass(frozen=True, slots=True)
class TransferRequest:
    """A transfer as it is asked for: to an agent or to a queue. `from_agent_id` is who gives the chat on; None is the
    API's own word."""

    chat_id: int
    kind: str
    from_agent_id: int | None = None
    to_agent_id: int | None = None
    to_queue_id: int | None = None
    note: str = ""
    force: bool = False
    """Whether an agent is asked although he is away, or has all the chats that he may have."""
    at_desk: bool = False
    """Whether a person says so at the desk: of a chat that is not his own, the audit keeps who it was."""


async def transfer_chat(begin: Begin, tenant: Tenant, wanted: TransferRequest) -> int:
    """Begins the transfer: its id. Raises Problem where the chat is not the agent's to give, is on its way already, or
    there is nobody for it."""
    _check(wanted)
    async with begin(tenant.tenant_id) as work:
        chat = await require_open(work.conn, tenant.tenant_id, wanted.chat_id)
        if wanted.from_agent_id is not None:
            giver = await require_agent(work.conn, tenant.tenant_id, wanted.from_agent_id)
            if chat.agent_id != giver.agent_id and not giver.supervises:
                raise Problem("not_in_chat", f"agent {giver.agent_id} is not in chat {chat.chat_id}")
        if await find_open(work.conn, tenant.tenant_id, chat.chat_id) is not None:
            raise Problem("transfer_open")
        if wanted.kind == "warm" and chat.status not in WITH_AN_AGENT:
            raise Problem("chat_status_wrong", "a warm transfer needs an agent who keeps the chat: make it a cold one")
        to_agent_id = await _agent(work, chat, wanted)
        if wanted.at_desk and chat.agent_id != wanted.from_agent_id:
            await record(work, _deed(chat, wanted))
        return await transfers.start(
            work,
            chat,
            Wanted(wanted.kind == "warm", chat.agent_id, to_agent_id, wanted.to_queue_id, wanted.note.strip()),
        )


def _deed(chat: ChatRow, wanted: TransferRequest) -> Deed:
    to = f"queue {wanted.to_queue_id}" if wanted.to_agent_id is None else f"agent {wanted.to_agent_id}"
    whose = {"from": f"agent {chat.agent_id}"} if chat.agent_id else {}
    author = Author("desk", wanted.from_agent_id)
    return Deed(author, "transfer chat", f"chat {chat.chat_id}", {**whose, "to": to, "kind": wanted.kind})


def _check(wanted: TransferRequest) -> None:
    if wanted.kind not in KINDS:
        raise Problem("parameter_invalid", f"kind must be one of {', '.join(KINDS)}")
    if (wanted.to_agent_id is None) == (wanted.to_queue_id is None):
        raise Problem("parameter_invalid", "either to_agent_id or to_queue_id is required")
    if len(wanted.note) > LONGEST_NOTE or "\x00" in wanted.note:
        raise Problem("parameter_invalid", f"note must have at most {LONGEST_NOTE} characters")


async def _agent(work: Work, chat: ChatRow, wanted: TransferRequest) -> int | None:
    """The one agent whom it is meant for: who is named, or, of a warm one to a queue, who is ready there."""
    if wanted.to_agent_id is not None:
        if wanted.to_agent_id == chat.agent_id:
            raise Problem("parameter_invalid", f"chat {chat.chat_id} is agent {wanted.to_agent_id}'s already")
        agent = await lock_asked(work.conn, work.tenant_id, chat.chat_id, wanted.to_agent_id, work.now)
        if not (agent.ready or wanted.force):
            raise Problem("agent_unavailable")
        return agent.agent_id
    assert wanted.to_queue_id is not None, "checked before"
    await _require_leaf(work, wanted.to_queue_id)
    if wanted.kind == "cold":
        return None
    agent_id = await find_ready(work.conn, work.tenant_id, wanted.to_queue_id, chat.agent_id)
    if agent_id is None:
        raise Problem("agent_unavailable", f"no agent of queue {wanted.to_queue_id} is ready")
    return agent_id


async def _require_leaf(work: Work, queue_id: int) -> None:
    queue = await find_queue(work.conn, work.tenant_id, queue_id)
    if queue is None or queue.deleted:
        raise Problem("parameter_invalid", f"there is no queue {queue_id}")
    if await find_children(work.conn, work.tenant_id, queue_id):
        raise Problem("parameter_invalid", f"queue {queue_id} is a menu: name one of the queues below it")
