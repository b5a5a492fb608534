"""What is new, told to the browsers that show it.

A hint of the database names a chat or a person, never what is there. Hints of one tenant that come close together are
worked out at once: one question to the database, however many desks look. Each desk gets the topics that concern it; it
then asks for the parts of its page that show them. The topics are those of `static/live.js`.
"""

import asyncio
import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import msgspec
import structlog

from smsdesk.desk.stream import ALL, Stream, Watch
from smsdesk.store.concerned import Concerned, find_concerned
from smsdesk.store.db import Database
from smsdesk.store.groups import AWAY
from smsdesk.store.telling import CHANNEL
from smsdesk.store.wakeups import listen

log = structlog.get_logger()

GAP = 0.05
"""Seconds from one question about a tenant's chats to the next: the first of a burst is told at once."""
AFTER_ACCEPT = (0.0, 1.0, 3.0)
"""Seconds after which supervisors look at the floor when the API has accepted texts."""
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0
"""Seconds until the database is tried again that went away."""


class _Heard(msgspec.Struct):
    """A hint as `store.telling` writes it."""

    t: int
    w: str
    c: int = 0
    q: int = 0
    d: str = ""
    a: list[int] = []


@dataclass(slots=True)
class _Pending:
    """What of a tenant was heard and not worked out yet."""

    chats: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    """By chat, the agents whom the hints name."""
    moved: set[int] = field(default_factory=set)
    """The chats that are somebody else's now, or stand otherwise."""
    typing: dict[int, tuple[str, frozenset[int]]] = field(default_factory=dict)
    """By chat, the name of who types and his id."""
    queues: set[int] = field(default_factory=set)
    offers: set[int] = field(default_factory=set)
    agents: set[int] = field(default_factory=set)
    setup: bool = False
    accepted: bool = False

    def add(self, hint: _Heard) -> None:
        if hint.w == "typing":
            self.typing[hint.c] = (hint.d, frozenset(hint.a))
            return
        if hint.c:
            self.chats[hint.c].update(hint.a)
        if hint.w == "chat":
            self.moved.add(hint.c)
        if hint.q:
            self.queues.add(hint.q)
        if hint.w == "offer":
            self.offers.update(hint.a)
        elif hint.w == "agent":
            self.agents.update(hint.a)
        elif hint.w == "setup":
            self.setup = True
        elif hint.w == "floor":
            self.accepted = True


class Hub:
    """Hears the hints of all processes and hands each desk those that concern it."""

    def __init__(self, db: Database, chance: Callable[[], float] = random.random) -> None:
        self._db = db
        self._chance = chance
        self._streams: dict[int, set[Stream]] = defaultdict(set)
        self._pending: dict[int, _Pending] = {}
        self._tellers: dict[int, asyncio.Task[None]] = {}
        self._closed = False
        self.hears = asyncio.Event()
        """Set while the database's hints are heard."""

    async def run(self) -> None:
        """Listens until cancelled. After each time that it could not, everybody looks at everything again."""
        pause = FIRST_PAUSE
        try:
            while True:
                try:
                    await listen(self._db.session_dsn, self._heard, (CHANNEL,), self._began)
                except AWAY as error:
                    log.warning("the desks hear nothing: the database is away", error=type(error).__name__)
                if self.hears.is_set():
                    pause = FIRST_PAUSE
                self.hears.clear()
                await asyncio.sleep(pause * (0.5 + self._chance() / 2))
                pause = min(2 * pause, LONGEST_PAUSE)
        finally:
            self.hears.clear()
            self.close()

    def close(self) -> None:
        """Ends all streams, and lets no new one begin: the process is about to end."""
        self._closed = True
        for streams in self._streams.values():
            for stream in streams:
                stream.close()
        for task in self._tellers.values():
            task.cancel()

    @contextmanager
    def joined(self, watch: Watch) -> Iterator[Stream]:
        """A desk that is told what is new until the block ends; first that all may be."""
        stream = Stream(watch)
        stream.add(ALL)
        if self._closed:
            stream.close()
        self._streams[watch.tenant_id].add(stream)
        try:
            yield stream
        finally:
            self._streams[watch.tenant_id].discard(stream)
            if not self._streams[watch.tenant_id]:
                del self._streams[watch.tenant_id]

    def __len__(self) -> int:
        """How many desks are told."""
        return sum(map(len, self._streams.values()))

    def _began(self) -> None:
        self.hears.set()
        for streams in self._streams.values():
            for stream in streams:
                stream.add(ALL)

    def _heard(self, _channel: str, payload: str) -> None:
        try:
            hint = msgspec.json.decode(payload, type=_Heard)
        except msgspec.DecodeError:
            log.warning("a hint to the desks cannot be read")
            return
        if hint.t not in self._streams or self._closed:
            return
        self._pending.setdefault(hint.t, _Pending()).add(hint)
        if hint.t not in self._tellers:
            self._tellers[hint.t] = asyncio.get_running_loop().create_task(self._tell(hint.t))

    async def _tell(self, tenant_id: int) -> None:
        try:
            while (pending := self._pending.pop(tenant_id, None)) is not None:
                await self._work_out(tenant_id, pending)
                await asyncio.sleep(GAP)
        finally:
            del self._tellers[tenant_id]

    async def _work_out(self, tenant_id: int, pending: _Pending) -> None:
        chat_ids = {*pending.chats, *pending.typing}
        try:
            chats: dict[int, Concerned] = {}
            if chat_ids:
                async with self._db.connection() as conn:
                    chats = await find_concerned(conn, tenant_id, chat_ids)
        except AWAY:
            # What was heard is gone with it: let everybody look for himself, as after any other gap.
            for stream in self._streams.get(tenant_id, ()):
                stream.add(ALL)
            return
        for stream in self._streams.get(tenant_id, ()):
            _hand_out(stream, pending, chats)
            if pending.accepted and stream.watch.supervises:
                # What the carrier says of it comes within seconds, and nobody is told of each.
                for seconds in AFTER_ACCEPT:
                    asyncio.get_running_loop().call_later(seconds, stream.add, "board")


def _hand_out(stream: Stream, pending: _Pending, chats: dict[int, Concerned]) -> None:
    me = stream.watch.agent_id
    if me in pending.offers:
        stream.add("offers")
    if me in pending.agents or me in pending.offers:
        stream.add("me")
    if stream.watch.queue_ids & pending.queues:
        stream.add("waiting")
    if pending.setup:
        stream.add("setup")
    for chat_id, named in pending.chats.items():
        if chat_id in chats:
            _hand_chat(stream, chats[chat_id], me in named, chat_id in pending.moved)
    for chat_id, (name, typists) in pending.typing.items():
        if chat_id in chats and me not in typists and _shows(stream.watch, chats[chat_id]):
            stream.add(f"typing-{chat_id}", name)
    if stream.watch.supervises and (pending.chats or pending.offers or pending.agents or pending.queues):
        stream.add("board")


def _hand_chat(stream: Stream, chat: Concerned, named: bool, moved: bool) -> None:
    watch = stream.watch
    his = named or watch.agent_id in chat.agent_ids
    if his:
        stream.add("mine")
        if moved:
            stream.add("me")
    if watch.agent_id in chat.asked:
        stream.add("offers")
    if chat.waits and chat.queue_id in watch.queue_ids:
        stream.add("waiting")
    if named or _shows(watch, chat):
        stream.add(f"chat-{chat.chat_id}")
        if moved:
            stream.add(f"moved-{chat.chat_id}")


def _shows(watch: Watch, chat: Concerned) -> bool:
    """Whether the desk shows the chat, and may: what one may not see, one hears nothing of."""
    if watch.agent_id in chat.agent_ids:
        return True
    return chat.chat_id in watch.chat_ids and (watch.supervises or chat.queue_id in watch.queue_ids)
