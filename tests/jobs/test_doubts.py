"""Carriers are asked about what nobody knows, and are believed only where that sends nothing twice."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta

import pytest
import structlog

from smsdesk.actions.receive_reply import ReceiveReply
from smsdesk.carriers.contract import Absent, Doubt, Found, LookUp, OutboundText, Sink, Unknown
from smsdesk.domain.health import Health
from smsdesk.domain.text_state import AttemptOutcome
from smsdesk.jobs.doubts import SURELY_ABSENT, Doubts
from smsdesk.jobs.routes import Watched
from smsdesk.jobs.sink import Calls, LineSink, Place
from smsdesk.store import texts
from smsdesk.store.db import Database, Ids
from tests.jobs.test_worker import eventually
from tests.store.outbox import LINE, NODE, NOW, TENANT, make_tenant, opened, queue_texts, states


class Oracle:
    """A carrier that sends nothing and answers what a test says."""

    def __init__(self) -> None:
        self.answer: LookUp = Unknown("nothing was said")
        self.asked: list[int] = []

    def room(self) -> int:
        return 0

    def send(self, texts: Sequence[OutboundText]) -> None:
        raise AssertionError("nothing is to be sent")

    async def run(self, sink: Sink) -> None:
        return None

    def state(self) -> str:
        return "bound"

    def up(self) -> bool:
        return True

    async def look_up(self, doubt: Doubt) -> LookUp:
        self.asked.append(doubt.text.text_id)
        return self.answer


class Scene:
    """A line that asks, at a time that stands until moved."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.now = NOW
        self.oracle = Oracle()
        place = Place(db, TENANT, LINE, self.clock, structlog.get_logger())
        self.sink = LineSink(
            place, ReceiveReply(db, Ids(), lambda: 0.5), Calls(lambda: None, lambda _: None, lambda *_: None)
        )
        self._lines = {(TENANT, LINE): Watched(Health(0.0), self.oracle, self.sink, lambda: None)}
        self._doubts = Doubts(db, self.clock, structlog.get_logger())

    def clock(self) -> datetime:
        return self.now

    async def ask(self, answer: LookUp, after: timedelta = timedelta(minutes=10)) -> None:
        """Asks after so long, and waits until what was heard is written down."""
        self.now += after
        self.oracle.answer = answer
        await self._doubts.ask(self._lines)
        await self.sink.close(5.0)

    async def doubt(self, message_id: int, named: tuple[str | None, ...] = (None,)) -> None:
        async with self.db.connection() as conn:
            await queue_texts(conn, [message_id], parts=len(named))
            await texts.claim(conn, TENANT, LINE, texts.Wanted(10), NODE, NOW)
            outcome = AttemptOutcome(message_id, 1, "doubtful", part_ids=named)
            await texts.record_outcomes(conn, TENANT, LINE, NOW, [outcome])

    async def state(self, message_id: int) -> str:
        async with self.db.connection() as conn:
            return (await states(conn))[message_id][0]


@pytest.fixture
async def scene(database: str) -> AsyncIterator[Scene]:
    db = await opened(database)
    async with db.connection() as conn:
        await make_tenant(conn)
    yield Scene(db)
    await db.close()


async def test_what_is_absent_twice_goes_back_into_the_queue(scene: Scene) -> None:
    await scene.doubt(1)
    await scene.ask(Absent("no such message"))
    assert await scene.state(1) == "doubtful", "it may not be listed yet"
    await scene.ask(Absent("no such message"), after=SURELY_ABSENT)
    assert await scene.state(1) == "queued"


async def test_what_is_unknown_in_between_begins_anew(scene: Scene) -> None:
    await scene.doubt(1)
    for answer in (Absent("no"), Unknown("away"), Absent("no")):
        await scene.ask(answer)
    assert await scene.state(1) == "doubtful"


async def test_a_text_of_which_a_part_is_named_did_leave(scene: Scene) -> None:
    await scene.doubt(1, ("a", None))
    for _ in range(3):
        await scene.ask(Absent("no such message"))
    assert await scene.state(1) == "doubtful"


async def test_what_is_found_was_sent(scene: Scene) -> None:
    await scene.doubt(1)
    await scene.ask(Found(("a",)))
    assert await scene.state(1) == "sent"


async def test_what_is_found_and_is_another_text_settles_nothing(scene: Scene) -> None:
    await scene.doubt(1)
    await scene.ask(Found(("a",)))
    await scene.doubt(2)
    await scene.ask(Found(("a",)))
    assert await scene.state(2) == "doubtful"
    await scene.ask(Found(("b",)))
    assert await scene.state(2) == "sent"


async def test_an_outcome_that_cannot_be_written_is_doubtful_and_not_sending_for_ever(scene: Scene) -> None:
    async with scene.db.connection() as conn:
        await queue_texts(conn, [1, 2])
        await texts.claim(conn, TENANT, LINE, texts.Wanted(10), NODE, NOW)
    scene.sink.record(AttemptOutcome(1, 1, "refused", "carrier_error", "\0"))  # no text of PostgreSQL
    scene.sink.record(AttemptOutcome(2, 1, "accepted", part_ids=("a",)))

    async def known() -> bool:
        return [await scene.state(one) for one in (1, 2)] == ["doubtful", "sent"]

    await eventually(known, "both outcomes")
