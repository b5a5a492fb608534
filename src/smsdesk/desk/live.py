"""The connection on which a desk hears what is new (server-sent events), and is known to be there."""

import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromQuery
from litestar.response import Stream as Streaming

from smsdesk.actions.keep_presence import keep_presence
from smsdesk.desk.services import Desk
from smsdesk.desk.stream import Stream, Watch
from smsdesk.desk.visitor import Visitor
from smsdesk.domain.rights import has_right
from smsdesk.errors import Problem
from smsdesk.store.concerned import find_queues_of
from smsdesk.store.groups import AWAY
from smsdesk.store.sessions import Session, find_session

WORK = {"right": "work"}
MOST_CHATS = 20
"""Chats that one browser shows at once; it has a tab for each."""
PRESENT_FOR = 60
"""Seconds for which a desk is taken to be there after it was heard of last: a reload, or a nap of the network, is none
that went away."""
PRESENT_EVERY = 20.0


@dataclass(slots=True)
class Pace:
    """Seconds between two things that a connection does by itself."""

    beat: float = 15.0
    """A sign of life: browsers and what is between us find out by it that a connection is dead."""
    look: float = 30.0
    """Whether he is signed in still, what his role is, and in which queues he works."""
    gather: float = 0.1
    """What is new within it goes together."""


PACE = Pace()


@get("/desk/live", opt=WORK)
async def hear(desk: NamedDependency[Desk], visitor: NamedDependency[Visitor], chats: FromQuery[str] = "") -> Streaming:
    """What is new, as it comes, until the browser goes or he is signed out."""
    headers = {"cache-control": "no-store, no-transform", "x-accel-buffering": "no"}
    return Streaming(_Connection(desk, visitor, _ids(chats)).run(), media_type="text/event-stream", headers=headers)


@get("/desk/live/here", opt=WORK, status_code=204, sync_to_thread=False)
def here() -> Response[None]:
    """Nothing, to one who is signed in: a browser's connection does not say why it was refused."""
    return Response(None, status_code=204)


class _Connection:
    def __init__(self, desk: Desk, visitor: Visitor, chat_ids: frozenset[int]) -> None:
        self._desk = desk
        self._tenant = visitor.tenant
        self._session_sha256 = visitor.session.session_sha256
        self._chat_ids = chat_ids
        self._watch = Watch(visitor.tenant_id, visitor.agent_id, False, frozenset(), chat_ids)

    async def run(self) -> AsyncIterator[bytes]:
        yield b": what is new, as it comes\n\n"
        with self._desk.hub.joined(self._watch) as stream:
            looked = present = -1e9
            while not stream.closed:
                now = time.monotonic()
                if now - looked >= PACE.look:
                    looked = now
                    if not await self._is_good(stream):
                        yield b"event: signed-out\ndata:\n\n"
                        return
                if now - present >= PRESENT_EVERY:
                    present = now
                    await self._keep_present()
                topics = await stream.news(min(PACE.beat, PACE.look, PRESENT_EVERY))
                if stream.closed:
                    return
                if "setup" in topics:
                    looked = -1e9
                yield _event(topics)
                if topics:
                    await stream.gather(PACE.gather)

    async def _is_good(self, stream: Stream) -> bool:
        """Whether the session is good still; the desk is as its role and its queues are now."""
        try:
            async with self._desk.db.connection() as conn:
                session = await find_session(conn, self._tenant.tenant_id, self._session_sha256, self._desk.clock())
                if session is None or not has_right(session.agent.role, "work"):
                    return False
                queue_ids = await find_queues_of(conn, self._tenant.tenant_id, session.agent.agent_id)
        except AWAY:
            return True
        stream.watch = self._watch_of(session, queue_ids)
        return True

    def _watch_of(self, session: Session, queue_ids: frozenset[int]) -> Watch:
        agent = session.agent
        supervises = has_right(agent.role, "supervise")
        return Watch(self._tenant.tenant_id, agent.agent_id, supervises, queue_ids, self._chat_ids)

    async def _keep_present(self) -> None:
        try:
            await keep_presence(self._desk.begin, self._tenant, self._watch.agent_id, PRESENT_FOR)
        except (Problem, *AWAY):
            return  # the next look tells what there is to tell


def _event(topics: Mapping[str, str]) -> bytes:
    """As EventSource reads it; a beat where nothing is new."""
    if not topics:
        return b"event: beat\ndata:\n\n"
    return b"data: " + msgspec.json.encode(topics) + b"\n\n"


def _ids(written: str) -> frozenset[int]:
    found = [int(one) for one in written.split(",") if one.isascii() and one.isdecimal() and len(one) < 19]
    return frozenset(found[:MOST_CHATS])


PAGES: list[Any] = [hear, here]
