"""A chat waits, agents are asked, one of them gets it.

enqueue    the chat waits in a queue from now on
`- ask     one round: offers, or the chat itself where the queue answers by itself
fill       an agent has become ready: what waits in his queues
assign     an agent has it
release    its agent is gone: it waits again

Chats are locked before agents, and whoever holds an agent takes only chats that nobody holds: nobody waits crosswise.
"""

from dataclasses import replace
from datetime import timedelta

from smsdesk.domain.chat_life import Event
from smsdesk.domain.hours import is_open, next_open
from smsdesk.domain.queue_settings import QueueSettings
from smsdesk.domain.routing import Cast, plan_cast
from smsdesk.domain.wordings import template_of
from smsdesk.steps.moving import move
from smsdesk.steps.work import Work
from smsdesk.store import routing
from smsdesk.store.chat_rows import ChatRow, require_open
from smsdesk.store.moves import Move, refresh_agent, set_timer, stop_timer
from smsdesk.store.queues import find_queue, supervisors_queue
from smsdesk.store.routing import Asked, Waiting

FILLED = 20
"""Chats for which an agent who becomes ready is considered at once; the rest follow within a second."""

LOOK_AGAIN = timedelta(minutes=10)
"""A closed queue is looked at again so soon at the latest: its hours may have been changed."""


async def enqueue(work: Work, chat: ChatRow, queue_id: int, event: Event = "choose") -> None:
    """Puts the chat into a queue and asks for it at once. A queue that is gone is the supervisors'."""
    queue = await find_queue(work.conn, work.tenant_id, queue_id)
    if queue is None or queue.deleted:
        queue_id = await supervisors_queue(work.conn, work.tenant_id, work.now)
        queue = await find_queue(work.conn, work.tenant_id, queue_id)
    settings = queue.settings if queue else QueueSettings()
    await move(work, chat, event, Move("", None, queue_id))
    await _start_waiting(work, chat.chat_id, settings)
    await ask(work, chat.chat_id)


async def _start_waiting(work: Work, chat_id: int, settings: QueueSettings) -> None:
    """The clocks of a chat that waits begin when its queue is open."""
    closed = settings.hours is not None and not is_open(settings.hours, work.now)
    begins = next_open(settings.hours, work.now) if closed and settings.hours else work.now
    if begins is None:
        return
    if settings.queue_expiry_minutes:
        due = begins + timedelta(minutes=settings.queue_expiry_minutes)
        await set_timer(work.conn, work.tenant_id, chat_id, "queue_expiry", due)
    if template_of(settings, "hold", settings.lang) and not closed:
        due = begins + timedelta(seconds=settings.hold_seconds)
        await set_timer(work.conn, work.tenant_id, chat_id, "hold", due)


async def ask(work: Work, chat_id: int) -> None:
    """Asks for a chat that waits, once: the agent who is preferred, else those whom the queue's settings name. Where
    nobody is ready, it is asked for when somebody becomes so; where the queue is closed, when it opens. For a chat that
    is being transferred to one agent nobody else is asked."""
    waiting = await routing.read_waiting(work.conn, work.tenant_id, chat_id)
    queue = await find_queue(work.conn, work.tenant_id, waiting.queue_id) if waiting else None
    if waiting is None or queue is None or waiting.only_agent_id is not None:
        return
    settings = queue.settings
    if settings.hours is not None and not is_open(settings.hours, work.now):
        again = work.now + LOOK_AGAIN
        opens = next_open(settings.hours, work.now) or again
        await routing.ask_at(work.conn, work.tenant_id, chat_id, min(opens, again))
        return
    cast, agents = await _whom(work, waiting, settings)
    if not agents:
        await routing.ask_at(work.conn, work.tenant_id, chat_id, None)
    elif settings.auto_answer and settings.routing == "deltacast":
        await _offer(work, waiting, settings, cast, agents)
        await assign(work, await require_open(work.conn, work.tenant_id, chat_id), agents[0], "auto")
    else:
        await _offer(work, waiting, settings, cast, agents)


async def fill(work: Work, agent_id: int) -> None:
    """Asks for what waits longest in the queues of an agent who has become ready."""
    chats = await routing.find_to_ask_agent(work.conn, work.tenant_id, agent_id, work.now, FILLED)
    for chat_id in chats:
        await ask(work, chat_id)


async def assign(
    work: Work, chat: ChatRow, agent_id: int, answer_type: str = "manual", event: Event = "assign"
) -> None:
    """Gives the chat to an agent. Where its consumer waits for an answer, the agent's time begins now."""
    await move(work, chat, event, Move("", agent_id, chat.queue_id))
    await routing.set_answer_type(work.conn, work.tenant_id, chat.chat_id, answer_type)
    queue = await find_queue(work.conn, work.tenant_id, chat.queue_id) if chat.queue_id else None
    if queue and queue.settings.agent_silence_minutes and chat.end_user_said_at:
        due = work.now + timedelta(minutes=queue.settings.agent_silence_minutes)
        await set_timer(work.conn, work.tenant_id, chat.chat_id, "agent_silence", due)


async def release(work: Work, chat: ChatRow) -> None:
    """Takes the chat from an agent who does not see to it: it waits again, in its queue or in the supervisors'."""
    await stop_timer(work.conn, work.tenant_id, chat.chat_id, "agent_silence")
    queue_id = chat.queue_id or await supervisors_queue(work.conn, work.tenant_id, work.now)
    await enqueue(work, chat, queue_id, "release")


async def _whom(work: Work, waiting: Waiting, settings: QueueSettings) -> tuple[Cast, list[int]]:
    """The round, and whom it asks."""
    conn, tenant_id = work.conn, work.tenant_id
    if waiting.preferred_agent_id is not None and waiting.rounds == 0:
        agent_id = waiting.preferred_agent_id
        if await routing.lock_if_ready(conn, tenant_id, agent_id):
            return Cast((), 1, reserves=True, seconds=settings.offer_seconds), [agent_id]
    cast = plan_cast(settings, waiting.rounds, work.chance)
    agents = await routing.pick_agents(conn, tenant_id, waiting, cast, work.now, again=not cast.reserves)
    if settings.routing == "cascade":
        # A group where nobody is ready is not waited for.
        for round_ in range(waiting.rounds + 1, len(settings.groups)):
            if agents:
                break
            cast = plan_cast(settings, round_, work.chance)
            agents = await routing.pick_agents(conn, tenant_id, waiting, cast, work.now, again=True)
    if not agents and cast.reserves:
        # Those who let it pass are asked again, and a group's share goes to whoever is ready, before nobody is asked.
        every = replace(cast, groups=tuple(range(1, max(1, len(settings.groups)) + 1)))
        agents = await routing.pick_agents(conn, tenant_id, waiting, every, work.now, again=True)
    return cast, agents


async def _offer(work: Work, waiting: Waiting, settings: QueueSettings, cast: Cast, agents: list[int]) -> None:
    asked = Asked(
        waiting.chat_id,
        agents,
        await work.ids.take(work.conn, len(agents)),
        cast.reserves,
        work.now + timedelta(seconds=cast.seconds),
        settings.routing,
        cast.groups[-1] if cast.group_name and cast.groups else None,
        cast.group_name,
    )
    await routing.write_cast(work.conn, work.tenant_id, asked, work.now)
    if cast.reserves:
        for agent_id in sorted(agents):
            await refresh_agent(work.conn, work.tenant_id, agent_id, work.now)
