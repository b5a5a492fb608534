"""A reply has come, and its chat holds it: whose it is now. docs/replies.md has every case.

arrive              by what the chat is
|- _to_an_agent     with an agent: his, unless he is gone
|- _while_waiting   in a queue: the ways out of it, and its hours
|- _come_back       set aside: back into the queue
`- _begin           new, or in a menu: by the number that was written to
own                 a chat that nobody would have seen
"""

from dataclasses import dataclass

from smsdesk.domain.chat_life import WAITING, WITH_AN_AGENT
from smsdesk.domain.menu import Place, Show, is_word
from smsdesk.domain.wordings import template_of
from smsdesk.steps import menus, routing
from smsdesk.steps.menus import Entrance
from smsdesk.steps.moving import move
from smsdesk.steps.work import Work
from smsdesk.store import arrivals
from smsdesk.store.arrivals import Line, Placed
from smsdesk.store.chat_rows import ChatRow
from smsdesk.store.moves import Move
from smsdesk.store.queues import QueueRow, find_queue, supervisors_queue

DIRECT = "Messaging Inbound (SMS Direct)"
"""The type of a chat that a consumer begins over an agent's own number (Standard_Reports)."""
_UNMAPPED = Move("", None, None, "unmapped", "disconnected_by_system")


@dataclass(frozen=True, slots=True)
class ArrivedReply:
    """What a consumer wrote, and to which number of ours."""

    body: str
    our_number: str


async def arrive(work: Work, chat: ChatRow, reply: ArrivedReply, opened: bool) -> None:
    """Brings the reply to whoever is to read it, in the transaction that takes it in. `opened`: it began the chat."""
    if chat.status in WITH_AN_AGENT:
        await _to_an_agent(work, chat)
        return
    if chat.status == "dismissed":
        await _come_back(work, chat)
        return
    line = await arrivals.read_line(work.conn, work.tenant_id, reply.our_number, chat.outbound_number)
    if chat.status in WAITING:
        await _while_waiting(work, chat, line, reply)
    else:
        await _begin(work, chat, line, reply, opened)


async def own(work: Work, chat: ChatRow) -> None:
    """Gives a chat that nobody would have seen to those who see everything."""
    if chat.status in WITH_AN_AGENT:
        await routing.release(work, chat)
    elif chat.status == "dismissed":
        await _come_back(work, chat)
    else:
        await routing.enqueue(work, chat, (await _supervisors(work)).queue_id)


async def _to_an_agent(work: Work, chat: ChatRow) -> None:
    """One who is away for too long is seen to by the sweep; one who is disabled is not waited for."""
    if chat.agent_id is None or await arrivals.is_disabled(work.conn, work.tenant_id, chat.agent_id):
        await routing.release(work, chat)


async def _while_waiting(work: Work, chat: ChatRow, line: Line, reply: ArrivedReply) -> None:
    """EXIT leaves. BACK shows the menu again, unless an agent has had the chat; it waits on meanwhile. All else is for
    the agent to come."""
    if is_word(reply.body, line.words.exit):
        await menus.leave(work, chat, chat.queue_id)
        return
    if line.queue_id is not None and chat.queue_id is not None and chat.status == "queued" and chat.assigned_at is None:
        if chat.menu_id is not None:
            await menus.answer(work, chat, line, await arrivals.read_tree(work.conn, work.tenant_id), reply.body)
            return
        if is_word(reply.body, line.words.back):
            tree = await arrivals.read_tree(work.conn, work.tenant_id)
            above = tree.above(chat.queue_id, line.queue_id)
            if tree.lines(above):
                await menus.show(work, chat, tree, Place(line.queue_id), Show(above))
                return
    await menus.tell_closed(work, chat)


async def _come_back(work: Work, chat: ChatRow) -> None:
    """Into its queue again, past the menu, and first to the agent who had it; one that never had a queue, to him."""
    queue = await _living(work, chat.queue_id)
    direct = queue is None and chat.agent_id is not None
    queue = queue or await _supervisors(work)
    welcome = template_of(queue.settings, "dismissed", queue.settings.lang)
    if direct and chat.agent_id and not await arrivals.is_disabled(work.conn, work.tenant_id, chat.agent_id):
        await menus.tell(work, chat, queue, (welcome,))
        await routing.assign(work, chat, chat.agent_id, "auto")
    else:
        await menus.enter(work, chat, queue, Entrance("resume", (welcome,), chat.agent_id))


async def _begin(work: Work, chat: ChatRow, line: Line, reply: ArrivedReply, opened: bool) -> None:
    """By the number: to its agent, to the queue of the chat before, to its own queue or menu, or to nobody."""
    if line.agent_id is not None:
        await _to_direct(work, chat, line, line.agent_id, opened)
    elif line.queue_id is None:
        await _nowhere(work, chat, line)
    elif not (opened and await _follow(work, chat, line.queue_id)):
        await menus.answer(work, chat, line, await arrivals.read_tree(work.conn, work.tenant_id), reply.body)


async def _to_direct(work: Work, chat: ChatRow, line: Line, agent_id: int, opened: bool) -> None:
    """To the agent whose number it is, unless he is disabled; with the greeting that all queues begin with."""
    supervisors = await _supervisors(work)
    await menus.tell(work, chat, supervisors, (menus.greeting(chat, supervisors.settings),))
    if opened:
        await arrivals.place(work.conn, work.tenant_id, chat, Placed(chat.lang, chat_type=DIRECT))
    if line.agent_gone:
        await routing.enqueue(work, chat, supervisors.queue_id)
    else:
        await routing.assign(work, chat, agent_id, "auto")


async def _nowhere(work: Work, chat: ChatRow, line: Line) -> None:
    """Nothing is said, as the imitated product says nothing."""
    if line.unmapped == "silence":
        await move(work, chat, "finish", _UNMAPPED)
    else:
        await routing.enqueue(work, chat, (await _supervisors(work)).queue_id)


async def _follow(work: Work, chat: ChatRow, root_id: int) -> bool:
    """Whether the chat goes on in the queue where the one before ended. Either way the agent who had that one is asked
    first, where the queue, or that of the number, is set so."""
    if chat.previous_chat_id is None:
        return False
    former = await arrivals.find_former(work.conn, work.tenant_id, chat.previous_chat_id)
    if former is None or former.agent_id is None or former.outbound_number != chat.outbound_number:
        return False
    queue = await _living(work, former.queue_id)
    asked = queue or await _living(work, root_id)
    if asked is None or asked.settings.reply_to_closed != "last_agent":
        return False
    if queue is not None:
        await menus.enter(work, chat, queue, Entrance(preferred_agent_id=former.agent_id))
        return True
    await arrivals.place(work.conn, work.tenant_id, chat, Placed(chat.lang, preferred_agent_id=former.agent_id))
    return False


async def _living(work: Work, queue_id: int | None) -> QueueRow | None:
    queue = await find_queue(work.conn, work.tenant_id, queue_id) if queue_id is not None else None
    return queue if queue is not None and not queue.deleted else None


async def _supervisors(work: Work) -> QueueRow:
    queue = await _living(work, await supervisors_queue(work.conn, work.tenant_id, work.now))
    assert queue is not None, "the supervisors' queue is always there"
    return queue
