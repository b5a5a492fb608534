"""A chat goes from one agent to another, or to a queue.

start       cold: its agent lets go, and it waits for whom it is meant; warm: he keeps it, and the other is asked in
join        whom a warm transfer is meant for comes into the chat
complete    a warm one is done: the chat is the other's
cancel      it is called off: the chat is its first agent's again
give_up     whom it is meant for does not take it: back to the first agent if he is there, else to its queue

Where somebody else gives the chat to an agent, `move_chat` ends the transfer that it was in.
"""

from dataclasses import dataclass, replace
from datetime import timedelta

from smsdesk.domain.queue_settings import QueueSettings
from smsdesk.steps import routing
from smsdesk.steps.moving import move
from smsdesk.steps.say import note
from smsdesk.steps.work import Work
from smsdesk.store import offers, participants, transfers
from smsdesk.store.agents import find_agent
from smsdesk.store.chat_rows import ChatRow
from smsdesk.store.moves import Move, refresh_agent
from smsdesk.store.participants import Part
from smsdesk.store.queues import find_queue, supervisors_queue
from smsdesk.store.routing import Asked, write_cast
from smsdesk.store.transfers import NewTransfer, OpenTransfer


@dataclass(frozen=True, slots=True)
class Wanted:
    """A transfer that may be made: to an agent, to a queue, or (warm) to this agent of this queue."""

    warm: bool
    from_agent_id: int | None
    to_agent_id: int | None
    to_queue_id: int | None
    note: str = ""


async def start(work: Work, chat: ChatRow, wanted: Wanted) -> int:
    """Begins a transfer of a chat that is in none: its id."""
    new = NewTransfer(
        await work.take_id(), "warm" if wanted.warm else "cold", wanted.from_agent_id, wanted.to_agent_id,
        chat.queue_id, wanted.to_queue_id, wanted.note,
    )  # fmt: skip
    await transfers.add(work.conn, work.tenant_id, chat.chat_id, new, work.now)
    if wanted.note:
        await note(work, chat.chat_id, wanted.note, wanted.from_agent_id)
    if wanted.warm and wanted.to_agent_id is not None:
        part = Part(await work.take_id(), wanted.to_agent_id, "waiting")
        await participants.enter(work.conn, work.tenant_id, chat.chat_id, part, work.now)
        await _ask(work, chat, wanted.to_agent_id)
    elif wanted.to_agent_id is not None:
        # Whatever waits stands in a queue, also what never had one.
        queue_id = chat.queue_id or await supervisors_queue(work.conn, work.tenant_id, work.now)
        await move(work, chat, "transfer", Move("", None, queue_id))
        await _ask(work, chat, wanted.to_agent_id)
    elif wanted.to_queue_id is not None:
        await routing.enqueue(work, chat, wanted.to_queue_id, "transfer")
    if chat.agent_id is not None and not wanted.warm:
        await routing.fill(work, chat.agent_id)
    return new.transfer_id


async def join(work: Work, chat: ChatRow, transfer: OpenTransfer) -> None:
    """Brings whom a warm transfer is meant for into the chat, beside its agent."""
    agent_id = _target(transfer)
    await offers.end_offer(work.conn, work.tenant_id, chat.chat_id, agent_id, "accepted", work.now)
    part = Part(await work.take_id(), agent_id, "connected")
    await participants.enter(work.conn, work.tenant_id, chat.chat_id, part, work.now)
    await transfers.connect(work.conn, work.tenant_id, chat.chat_id, work.now)
    await refresh_agent(work.conn, work.tenant_id, agent_id, work.now)


async def complete(work: Work, chat: ChatRow, transfer: OpenTransfer) -> None:
    """Gives the chat to whom a warm transfer brought into it."""
    queue_id = transfer.to_queue_id or chat.queue_id
    await routing.assign(work, replace(chat, queue_id=queue_id), _target(transfer))
    if transfer.from_agent_id is not None:
        await routing.fill(work, transfer.from_agent_id)


async def cancel(work: Work, chat: ChatRow, transfer: OpenTransfer) -> None:
    """Calls a transfer off. The first agent of a cold one has the chat again, whatever else he has."""
    await transfers.end(work.conn, work.tenant_id, chat.chat_id, "cancelled", "nothing", work.now)
    if transfer.kind == "warm":
        await _show_out(work, chat, _target(transfer), "nothing")
    else:
        await _give_back(work, chat, transfer, even_if_busy=True)


async def give_up(work: Work, chat: ChatRow, agent_id: int, reason: str) -> None:
    """Ends a transfer to this agent as failed, because he did not come (`no_answer`) or said no (`declined`). Does
    nothing where there is none."""
    transfer = await transfers.find_open(work.conn, work.tenant_id, chat.chat_id)
    if transfer is None or transfer.to_agent_id != agent_id:
        return
    await transfers.end(work.conn, work.tenant_id, chat.chat_id, "failed", reason, work.now)
    if transfer.kind == "warm":
        await _show_out(work, chat, agent_id, reason)
    else:
        await _give_back(work, chat, transfer, even_if_busy=False)


async def expire(work: Work, chat: ChatRow) -> None:
    """Ends the transfer of an open chat to an agent who is not being asked for it any more."""
    transfer = await transfers.find_open(work.conn, work.tenant_id, chat.chat_id)
    if transfer is None or transfer.to_agent_id is None or transfer.connected_at is not None:
        return
    offer = await offers.find_offer(work.conn, work.tenant_id, chat.chat_id, transfer.to_agent_id)
    if offer is None or offer.state != "open":
        await give_up(work, chat, transfer.to_agent_id, "no_answer")


async def _ask(work: Work, chat: ChatRow, agent_id: int) -> None:
    """Asks this one agent, for as long as the queue asks one; others are not asked while the transfer is open."""
    queue = await find_queue(work.conn, work.tenant_id, chat.queue_id) if chat.queue_id else None
    settings = queue.settings if queue else QueueSettings()
    asked = Asked(
        chat.chat_id, [agent_id], await work.take_id(), reserves=True,
        expires_at=work.now + timedelta(seconds=settings.offer_seconds), offer_type=settings.routing,
        group_number=None, group_name=None,
    )  # fmt: skip
    await write_cast(work.conn, work.tenant_id, asked, work.now)
    await refresh_agent(work.conn, work.tenant_id, agent_id, work.now)


async def _show_out(work: Work, chat: ChatRow, agent_id: int, reason: str) -> None:
    await offers.end_offer(work.conn, work.tenant_id, chat.chat_id, agent_id, "withdrawn", work.now)
    await participants.leave(work.conn, work.tenant_id, chat.chat_id, agent_id, work.now, reason)
    await refresh_agent(work.conn, work.tenant_id, agent_id, work.now)


async def _give_back(work: Work, chat: ChatRow, transfer: OpenTransfer, *, even_if_busy: bool) -> None:
    """The chat of a cold transfer that came to nothing: to its first agent, else to the queue that it came from."""
    if transfer.from_agent_id is not None:
        first = await find_agent(work.conn, work.tenant_id, transfer.from_agent_id)
        if first is not None and not first.disabled and (first.ready or even_if_busy):
            await routing.assign(work, replace(chat, queue_id=transfer.from_queue_id), first.agent_id, "auto")
            return
    queue_id = transfer.from_queue_id or await supervisors_queue(work.conn, work.tenant_id, work.now)
    await routing.enqueue(work, chat, queue_id, "release")


def _target(transfer: OpenTransfer) -> int:
    assert transfer.to_agent_id is not None, "a warm transfer is meant for one agent"
    return transfer.to_agent_id
