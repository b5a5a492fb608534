"""What happens to a chat by itself when its time has come."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from smsdesk.domain.chat_life import WAITING, WITH_AN_AGENT, after
from smsdesk.domain.queue_settings import QueueSettings
from smsdesk.steps import menus, routing, wrap_up
from smsdesk.steps.ending import CONSUMER_SILENT, EXPIRED, end
from smsdesk.steps.say import note, say_text
from smsdesk.steps.speaking import set_aside
from smsdesk.steps.work import Work
from smsdesk.store.chat_rows import ChatRow, lock_chat_row
from smsdesk.store.db import Database, Ids
from smsdesk.store.queues import find_queue
from smsdesk.store.timers import put_off, take_due

AGAIN = timedelta(minutes=1)
"""How soon a timer that could not be obeyed is tried again."""


class FireTimers:
    """Obeys timers, each in a transaction of its own that takes it out: it fires once, on whichever node."""

    def __init__(self, db: Database, ids: Ids, chance: Callable[[], float]) -> None:
        self._db = db
        self._ids = ids
        self._chance = chance

    async def __call__(self, tenant_id: int, now: datetime) -> bool:
        """Obeys the tenant's timer that is due first; False where none is."""
        async with self._db.transaction() as conn:
            timer = await take_due(conn, tenant_id, now)
            if timer is None:
                return False
            chat = await lock_chat_row(conn, tenant_id, timer.chat_id)
            assert chat is not None, "a timer's chat is locked with it"
            await _OBEY[timer.kind](Work(conn, tenant_id, now, self._ids, self._chance), chat)
        return True

    async def put_off(self, tenant_id: int, now: datetime) -> None:
        """Leaves the timer that is due first, which could not be obeyed, for later: it keeps no other waiting."""
        async with self._db.transaction() as conn:
            await put_off(conn, tenant_id, now, now + AGAIN)


async def _expire(work: Work, chat: ChatRow) -> None:
    if chat.status in WAITING:
        await end(work, chat, EXPIRED)


async def _hold(work: Work, chat: ChatRow) -> None:
    if chat.status in WAITING and chat.queue_id is not None:
        queue = await find_queue(work.conn, work.tenant_id, chat.queue_id)
        await say_text(work, chat, queue.settings if queue else QueueSettings(), "hold")


async def _agent_silent(work: Work, chat: ChatRow) -> None:
    if chat.status in WITH_AN_AGENT:
        await note(work, chat.chat_id, "The agent did not answer in time: others are asked.")
        await routing.release(work, chat)


async def _consumer_silent(work: Work, chat: ChatRow) -> None:
    if chat.status == "selecting":
        await menus.settle(work, chat)
    elif chat.status in (*WITH_AN_AGENT, "dismissed"):
        await end(work, chat, CONSUMER_SILENT)


async def _dismiss(work: Work, chat: ChatRow) -> None:
    if after(chat.status, "dismiss"):
        await set_aside(work, chat, "Set aside: the consumer went silent. It comes back with the next text.")


async def _end_wrap_up(work: Work, chat: ChatRow) -> None:
    await wrap_up.finish(work, chat.chat_id)


async def _nothing(work: Work, chat: ChatRow) -> None:
    """The time to answer a survey, or to send a code back, is over: later answers are read as any text."""


_OBEY: dict[str, Callable[[Work, ChatRow], Awaitable[None]]] = {
    "queue_expiry": _expire,
    "hold": _hold,
    "agent_silence": _agent_silent,
    "consumer_silence": _consumer_silent,
    "dismissal": _dismiss,
    "survey": _nothing,
    "wrap_up": _end_wrap_up,
    "verification": _nothing,
}
