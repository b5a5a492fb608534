"""A consumer on his way to a queue: menus are shown, queues entered, the way out taken.

answer    one text of a consumer who has no agent yet
|- show   a menu
|- enter  a queue: its texts, its hours, and the wait
`- leave  the way out
settle    a menu that was never answered

Whatever is said in answer to one text is one text, its pieces below each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from smsdesk.domain.chat_life import WAITING, Event
from smsdesk.domain.hours import is_open, next_open
from smsdesk.domain.menu import Enter, Leave, Place, Show, Tree, default_leaf, menu_of, next_place
from smsdesk.domain.queue_settings import QueueSettings
from smsdesk.domain.wordings import fill, of_queue, template_of
from smsdesk.steps.ending import Ending, end
from smsdesk.steps.moving import move
from smsdesk.steps.routing import enqueue
from smsdesk.steps.say import say
from smsdesk.steps.work import Work
from smsdesk.store import arrivals
from smsdesk.store.arrivals import Line, Placed
from smsdesk.store.chat_rows import ChatRow
from smsdesk.store.moves import Move, set_timer
from smsdesk.store.queues import QueueRow, find_queue, supervisors_queue
from smsdesk.store.wordings import read_variables

LONGEST_MENU = timedelta(days=1)
"""How long a menu waits for an answer where the queue's `consumer_silence_minutes` set no time."""
_LEFT = Ending("leave", "disconnected_by_end_user")
_WAIT = "@{EWT_minutes}"


@dataclass(frozen=True, slots=True)
class Entrance:
    """How a chat comes into a queue."""

    event: Event = "choose"
    templates: Sequence[str] = ()
    """What the consumer is told."""
    preferred_agent_id: int | None = None


async def answer(work: Work, chat: ChatRow, line: Line, tree: Tree, body: str) -> None:
    """Takes a text as an answer to the menu that was shown last; where none was, it begins the conversation."""
    assert line.queue_id is not None, "only the number of a queue has a menu"
    place = Place(line.queue_id, chat.menu_id, chat.menu_tries, line.words, line.default_queue_id)
    match next_place(tree, place, body):
        case Leave():
            await leave(work, chat, chat.menu_id or line.queue_id)
        case Show() as shown:
            await show(work, chat, tree, place, shown)
        case Enter(queue_id):
            await _enter_from(work, chat, tree, queue_id)


async def show(work: Work, chat: ChatRow, tree: Tree, place: Place, shown: Show) -> None:
    """Sends a menu, and waits for the answer. Who cannot be texted gets a person instead, and so does who would get an
    empty menu."""
    queue = await _require(work, shown.queue_id)
    settings, lang = queue.settings, queue.settings.lang
    menu = template_of(settings, "menu", lang)
    templates = (
        "" if _is_upwards(tree, chat, shown.queue_id) else greeting(chat, settings, await _before(work, chat)),
        template_of(settings, "not_understood", lang) if shown.tries else "",
        menu,
    )
    if not menu or await tell(work, chat, queue, templates, MENU=menu_of(tree.lines(shown.queue_id))) is None:
        await _enter_from(work, chat, tree, chat.queue_id or default_leaf(tree, place, shown.queue_id))
        return
    await arrivals.place(work.conn, work.tenant_id, chat, Placed(lang, shown.queue_id, shown.tries))
    if chat.status == "selecting":
        wait = timedelta(minutes=settings.consumer_silence_minutes) or LONGEST_MENU
        await set_timer(work.conn, work.tenant_id, chat.chat_id, "consumer_silence", work.now + wait)


async def enter(work: Work, chat: ChatRow, queue: QueueRow, entrance: Entrance) -> None:
    """Puts the chat into a queue and tells the consumer what he has to know. A queue that is closed and takes nothing
    then ends the chat, if no agent has had it yet and the consumer could be told."""
    settings, lang = queue.settings, queue.settings.lang
    closed = not is_open(settings.hours, work.now)
    after_hours = template_of(settings, "after_hours", lang) if closed else ""
    await tell(work, chat, queue, (*entrance.templates, after_hours))
    placed = Placed(lang, preferred_agent_id=entrance.preferred_agent_id)
    await arrivals.place(work.conn, work.tenant_id, chat, placed)
    turned_away = closed and settings.after_hours == "close" and chat.assigned_at is None
    if turned_away and not (chat.opted_out or chat.blocked):
        failed = Move("", None, queue.queue_id, "after_hours", "disconnected_by_system")
        await move(work, chat, "fail", failed)
    else:
        await enqueue(work, chat, queue.queue_id, entrance.event)


async def leave(work: Work, chat: ChatRow, queue_id: int | None) -> None:
    """The consumer ends the chat, in the words of the queue where he stands."""
    queue = await find_queue(work.conn, work.tenant_id, queue_id) if queue_id else None
    if queue is not None:
        await tell(work, chat, queue, (template_of(queue.settings, "exit", queue.settings.lang),))
    await end(work, chat, _LEFT)


async def settle(work: Work, chat: ChatRow) -> None:
    """Brings a chat whose consumer never answered the menu to the queue of those who choose nothing: what he wrote
    before he was asked is read by a person too."""
    line = await arrivals.read_line(work.conn, work.tenant_id, chat.outbound_number, chat.outbound_number)
    tree = await arrivals.read_tree(work.conn, work.tenant_id)
    menu_id = tree.living(chat.menu_id)
    if line.queue_id is None or menu_id is None:
        queue_id = await supervisors_queue(work.conn, work.tenant_id, work.now)
    else:
        queue_id = default_leaf(tree, Place(line.queue_id, default_id=line.default_queue_id), menu_id)
    await enter(work, chat, await _require(work, queue_id), Entrance())


async def tell_closed(work: Work, chat: ChatRow) -> None:
    """Tells a consumer who waits that his queue is closed, once in the time that it is so."""
    queue = await find_queue(work.conn, work.tenant_id, chat.queue_id) if chat.queue_id else None
    if queue is None or is_open(queue.settings.hours, work.now):
        return
    settings = queue.settings
    template = template_of(settings, "after_hours", settings.lang)
    if not template:
        return
    words = fill(template, await _variables(work, chat, queue), settings.lang)
    said = await arrivals.find_said(work.conn, work.tenant_id, chat.chat_id, words)
    if said is None or next_open(settings.hours, said) != next_open(settings.hours, work.now):
        await say(work, chat, words)


async def tell(work: Work, chat: ChatRow, queue: QueueRow, templates: Sequence[str], **more: str) -> int | None:
    """Says a queue's texts as one: its message's id, None where there is nothing to say or nobody to say it to."""
    wanted = "\n".join(template for template in templates if template)
    if not wanted:
        return None
    variables = await _variables(work, chat, queue)
    if _WAIT in wanted and is_open(queue.settings.hours, work.now):
        minutes = await arrivals.estimate_wait(work.conn, work.tenant_id, queue.queue_id, work.now)
        if minutes is not None:
            variables["EWT_minutes"] = str(minutes)
    return await say(work, chat, fill(wanted, {**variables, **more}, queue.settings.lang))


def greeting(chat: ChatRow, settings: QueueSettings, before: QueueSettings | None = None) -> str:
    """A queue's greeting; after the texts of another one only what differs from its own.

    Ours, which says that messages recur, what they cost and how to stop them (CTIA principles 5.1), is for who texts us
    first, and once: who answers a text of ours gave his consent before, and who had a chat has read it.
    """
    own = settings.texts.get("greeting")
    if before is not None:
        return own if own and own != before.texts.get("greeting") else ""
    if own is None and (chat.direction == "outbound" or chat.previous_chat_id is not None):
        return ""
    return template_of(settings, "greeting", settings.lang)


async def _enter_from(work: Work, chat: ChatRow, tree: Tree, queue_id: int) -> None:
    """Into a queue by way of the menu. Who waits in it already keeps his place."""
    if chat.status in WAITING and chat.queue_id == queue_id:
        await arrivals.place(work.conn, work.tenant_id, chat, Placed(chat.lang))
        return
    queue = await _require(work, queue_id)
    await enter(work, chat, queue, Entrance(templates=(greeting(chat, queue.settings, await _before(work, chat)),)))


async def _before(work: Work, chat: ChatRow) -> QueueSettings | None:
    """The settings of the queue whose texts he had last."""
    stands = chat.menu_id or chat.queue_id
    queue = await find_queue(work.conn, work.tenant_id, stands) if stands else None
    return queue.settings if queue else None


def _is_upwards(tree: Tree, chat: ChatRow, queue_id: int) -> bool:
    """Whether he has stood there, or comes from below."""
    stands = tree.living(chat.menu_id or chat.queue_id)
    return stands is not None and tree.is_within(stands, queue_id)


async def _variables(work: Work, chat: ChatRow, queue: QueueRow) -> dict[str, str]:
    here = {"QUEUE_NAME": queue.name, "QUEUE": queue.name}
    values = await read_variables(work.conn, work.tenant_id, chat.chat_id)
    return {**values, **of_queue(queue.settings, work.now, queue.settings.lang), **here}


async def _require(work: Work, queue_id: int) -> QueueRow:
    queue = await find_queue(work.conn, work.tenant_id, queue_id)
    assert queue is not None, "queues are never removed"
    return queue
