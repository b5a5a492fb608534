"""One process that sends: its row among the nodes, its lines, its sweeps, and what wakes it."""

import asyncio
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from structlog.typing import FilteringBoundLogger

from smsdesk.actions.bury_dead_nodes import NODE_LIFE, bury_dead_nodes
from smsdesk.actions.end_silent_texts import end_silent_texts
from smsdesk.actions.expire_chats import expire_chats
from smsdesk.actions.expire_texts import expire_texts
from smsdesk.actions.receive_reply import ReceiveReply
from smsdesk.actions.rejudge_texts import rejudge_texts
from smsdesk.actions.resend_doubtful import resend_doubtful
from smsdesk.actions.resolve_doubtful import resolve_doubtful
from smsdesk.actions.sweep_sign_ins import sweep_sign_ins
from smsdesk.domain.reply import MISSING_PART_WAIT
from smsdesk.jobs import conversations, crm, opt_outs, periods, words
from smsdesk.jobs.conversations import Conversations
from smsdesk.jobs.crm import CrmJobs
from smsdesk.jobs.crm_visit import Surroundings as CrmSurroundings
from smsdesk.jobs.deliver_texts import Node
from smsdesk.jobs.doubts import Doubts
from smsdesk.jobs.lines import Lines, Surroundings
from smsdesk.jobs.media import MediaJob
from smsdesk.jobs.media import Surroundings as MediaSurroundings
from smsdesk.jobs.opt_outs import OptOuts
from smsdesk.jobs.pace import Paces
from smsdesk.jobs.periods import Periods
from smsdesk.jobs.repeat import repeat, report
from smsdesk.jobs.routes import LOOK, Routes
from smsdesk.jobs.sink import Place
from smsdesk.jobs.words import Words
from smsdesk.media.stores import Stores
from smsdesk.steps.begin import Begin
from smsdesk.store import api_keys, nodes, replies
from smsdesk.store.db import Database, Ids
from smsdesk.store.groups import AWAY
from smsdesk.store.tenants import tenant_ids
from smsdesk.store.transcripts import transcript_text
from smsdesk.store.wakeups import listen

RENEW = 2.0
"""Seconds between two renewals of the node's row."""
FRESH = 6.0
"""Seconds after a renewal in which texts are claimed: well within the life of a node."""
LOOK_FOR_SETUP = 1.0
ASK = 5.0
"""Seconds between two rounds of asking carriers about texts."""
RESEND = 10.0
EXPIRE = 30.0
"""Seconds between two looks for texts that are past their time on a line that does not claim them."""
RECEIVED_KEPT = timedelta(days=90)
"""How long replies are remembered. Networks repeat themselves for a day or two; a callback whose signature has no time
(Twilio) may be repeated by whoever overheard it."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What a process gives its worker. `name` is for people, such as host and process id; `clock` gives UTC, `random`
    numbers in 0..1."""

    name: str
    clock: Callable[[], datetime]
    random: Callable[[], float]
    log: FilteringBoundLogger
    history_days: int = 0
    """How long ended chats are kept; 0 is for ever."""


class Worker:
    """Sends, records and sweeps for all tenants until cancelled; any number of them share one database."""

    def __init__(
        self,
        db: Database,
        ids: Ids,
        stores: Stores,
        machine: Machine,
    ) -> None:
        name, clock, random, log = machine.name, machine.clock, machine.random, machine.log
        self._db = db
        self._name = name
        self._clock = clock
        self._log = log
        self._receive_reply = ReceiveReply(db, ids, random)
        self._paces = Paces(db, clock, time.monotonic)
        self._routes = Routes(db, clock, time.monotonic, log)
        self._doubts = Doubts(db, clock, log)
        self._words = Words(db, clock)
        self._opt_outs = OptOuts(db, Begin(db, ids, clock, random), log)
        self._crm = CrmJobs(CrmSurroundings(db, os.environ, clock, random, transcript_text), log)
        self._conversations = Conversations(db, ids, clock, random, log)
        self._around = Surroundings(self._receive_reply, os.environ, random, self.wake, self._paces, self._routes)
        self._periods = Periods(db, stores, machine.history_days, clock, log)
        self._media = MediaJob(MediaSurroundings(db, stores, os.environ, clock, random, log))
        self._node_id = 0
        self._renewed = self._steady_since = -NODE_LIFE.total_seconds()
        self._lines: Lines | None = None
        self._setup_changed = asyncio.Event()
        self.ready = asyncio.Event()
        """Set once the lines that are set up have been started."""

    def wake(self, tenant_id: int | None = None) -> None:
        """A hint that a text was queued for this tenant, or for any."""
        if self._lines is not None:
            self._lines.wake(tenant_id)

    def states(self) -> dict[tuple[int, str], str]:
        """What each line is doing, by tenant and name, for people."""
        return self._lines.states() if self._lines else {}

    async def run(self) -> None:
        """Works until cancelled; then drains the lines, writes down what they learned, and takes its row away."""
        await self._begin()
        lines = self._lines = Lines(self._place, Node(self._node_id, self._is_unbroken), self._around)
        jobs = [
            asyncio.ensure_future(repeat(job.__name__.strip("_"), seconds, job, self._log))
            for seconds, job in (
                (RENEW, self._renew),
                (0.0, self._refresh_lines),
                (RENEW, self._bury),
                (LOOK_FOR_SETUP, self._listen),
                (RENEW, self._resolve),
                (LOOK, self._look_at_lines),
                (ASK, self._ask_carriers),
                (RESEND, self._resend_doubtful),
                (5.0, self._expire_chats),
                (1.0, self._fetch_media),
                (conversations.EVERY, self._fire_timers),
                (conversations.EVERY, self._conversations.ask_agents),
                (5.0, self._take_in_incomplete),
                (EXPIRE, self._expire_texts),
                (60.0, self._end_silent),
                (5.0, self._rejudge_texts),
                (words.EVERY, self._words.index),
                (opt_outs.EVERY, self._opt_outs.take_over),
                (crm.LOOK, self._crm.run),
                (3600.0, self._forget_keys),
                (3600.0, self._forget_received),
                (600.0, self._sweep_sign_ins),
                (3600.0, self._paces.forget),
                (periods.EVERY, self._periods.run),
            )
        ]
        try:
            await asyncio.wait(jobs)
        finally:
            renewing, *others = jobs
            for job in others:
                job.cancel()
            await asyncio.wait(others)
            await lines.stop()
            renewing.cancel()
            await asyncio.wait({renewing})
            await self._leave()

    async def _begin(self) -> None:
        """Gets onto the list of nodes, however long the database is away."""
        while not self._node_id:
            try:
                async with self._db.connection() as conn:
                    node_id = await nodes.new_id(conn)
                self._node_id = node_id
                await self._renew()
            except AWAY as error:
                report("begin", error, self._log)
                await asyncio.sleep(LOOK_FOR_SETUP)

    async def _leave(self) -> None:
        try:
            await self._paces.leave(self._node_id)
            async with self._db.connection() as conn:
                await nodes.remove(conn, self._node_id)
        except AWAY as error:
            report("leave", error, self._log)

    async def _renew(self) -> None:
        now, began = self._clock(), time.monotonic()
        async with self._db.connection() as conn:
            await nodes.renew(conn, self._node_id, self._name, now, now + NODE_LIFE)
        if began - self._renewed > NODE_LIFE.total_seconds():
            self._steady_since = began
        self._renewed = began

    def _is_fresh(self) -> bool:
        return time.monotonic() - self._renewed < FRESH

    def _is_unbroken(self, since: float) -> bool:
        return self._is_fresh() and since >= self._steady_since

    async def _bury(self) -> None:
        # After an outage nobody's row is fresh, ours included: the others get the time to renew theirs.
        if time.monotonic() - self._steady_since < NODE_LIFE.total_seconds():
            return
        buried = await bury_dead_nodes(self._db, self._clock())
        if buried:
            self._log.warning("a node died: what it was sending is doubtful", texts=buried)

    async def _resolve(self) -> None:
        placed = await resolve_doubtful(self._db, self._clock())
        if placed:
            self._log.info("receipts settled doubtful texts", receipts=placed)

    async def _look_at_lines(self) -> None:
        assert self._lines is not None
        await self._routes.look(self._lines.watched(), self._lines.unusable(), self._node_id, self.wake)

    async def _ask_carriers(self) -> None:
        assert self._lines is not None
        await self._doubts.ask(self._lines.watched())

    async def _resend_doubtful(self) -> None:
        for tenant_id in await resend_doubtful(self._db, self._clock()):
            self.wake(tenant_id)

    async def _refresh_lines(self) -> None:
        assert self._lines is not None
        self._setup_changed.clear()
        await self._lines.refresh(self._place(0, 0, ""))
        if self._is_fresh():
            for tenant_id in await self._paces.refresh(self._node_id, self._lines.up()):
                self.wake(tenant_id)
        self.ready.set()
        try:
            async with asyncio.timeout(LOOK_FOR_SETUP):
                await self._setup_changed.wait()
        except TimeoutError:
            return

    async def _listen(self) -> None:
        await listen(self._db.session_dsn, self._heard)

    def _heard(self, channel: str, payload: str) -> None:
        if channel == "setup":
            self._setup_changed.set()
        else:
            self.wake(int(payload) if payload.isdecimal() else None)

    async def _tenants(self) -> list[int]:
        async with self._db.connection() as conn:
            return await tenant_ids(conn)

    async def _expire_chats(self) -> None:
        for tenant_id in await self._tenants():
            await expire_chats(self._db, tenant_id, self._clock())

    async def _fire_timers(self) -> None:
        await self._conversations.fire_timers(self.wake)

    async def _fetch_media(self) -> None:
        await self._media.run()

    async def _expire_texts(self) -> None:
        for tenant_id in await self._tenants():
            await expire_texts(self._db, tenant_id, self._clock())

    async def _rejudge_texts(self) -> None:
        for tenant_id in await self._tenants():
            if await rejudge_texts(self._db, tenant_id, self._clock()):
                self.wake(tenant_id)

    async def _forget_keys(self) -> None:
        for tenant_id in await self._tenants():
            async with self._db.connection() as conn:
                await api_keys.forget_keys(conn, tenant_id, self._clock() - api_keys.KEPT)

    async def _end_silent(self) -> None:
        for tenant_id in await self._tenants():
            await end_silent_texts(self._db, tenant_id, self._clock())

    async def _take_in_incomplete(self) -> None:
        now = self._clock()
        for tenant_id in await self._tenants():
            async with self._db.connection() as conn:
                waiting = await replies.find_incomplete(conn, tenant_id, now - MISSING_PART_WAIT)
            for long in waiting:
                received = await self._receive_reply.incomplete(tenant_id, long, now)
                if received.answered:
                    self.wake(tenant_id)

    async def _forget_received(self) -> None:
        for tenant_id in await self._tenants():
            async with self._db.connection() as conn:
                await replies.forget_received(conn, tenant_id, self._clock() - RECEIVED_KEPT)

    async def _sweep_sign_ins(self) -> None:
        for tenant_id in await self._tenants():
            await sweep_sign_ins(self._db, tenant_id, self._clock())

    def _place(self, tenant_id: int, carrier_id: int, name: str) -> Place:
        log = self._log.bind(tenant_id=tenant_id, carrier=name) if tenant_id else self._log
        return Place(self._db, tenant_id, carrier_id, self._clock, log)
