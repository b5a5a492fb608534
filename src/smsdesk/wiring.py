"""The only module that sees everything: it puts clocks, connections, use cases and routes together."""

import asyncio
import gc
import os
import random
import secrets
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from smsdesk.actions.add_media import AddMedia
from smsdesk.actions.answer_chat import AnswerChat
from smsdesk.actions.finish_chat import FinishChat
from smsdesk.actions.receive_reply import ReceiveReply
from smsdesk.actions.send_code import SendCode
from smsdesk.actions.send_message import SendMessage
from smsdesk.api.app import build_app
from smsdesk.api.limits import Buckets, RateLimiter
from smsdesk.api.overload import Overload
from smsdesk.api.services import Services
from smsdesk.api.serving import HttpServer, QuickApp, http_server
from smsdesk.api.v1.sent_object import render_sent
from smsdesk.carriers.registry import most_media
from smsdesk.desk.app import PREFIX as DESK
from smsdesk.desk.app import build_desk
from smsdesk.desk.callers import Proxies
from smsdesk.desk.hub import Hub
from smsdesk.desk.services import Desk
from smsdesk.jobs.worker import Machine, Worker
from smsdesk.media.stores import Stores
from smsdesk.postgres import PostgresError
from smsdesk.postgres.use import revive
from smsdesk.settings import Settings, read_networks
from smsdesk.steps.begin import Begin
from smsdesk.store.db import Database, Ids
from smsdesk.store.directory import Directory
from smsdesk.store.groups import AWAY
from smsdesk.store.hints import Hints


def utc_now() -> datetime:
    """The clock of every process of ours."""
    return datetime.now(UTC)


Clock = Callable[[], datetime]
DEFAULTS = Settings()


def build_services(
    db: Database, ids: Ids, settings: Settings, wake: Callable[[int], None], clock: Clock = utc_now,
    shared: int | None = None,
) -> Services:  # fmt: skip
    """The API's use cases on this database; `shared` is memory that other processes of the API have as well."""
    begin = Begin(db, ids, clock, random.random)
    return Services(
        db=db,
        clock=clock,
        begin=begin,
        directory=Directory(db),
        limiter=RateLimiter(time.monotonic, Buckets(shared)),
        overload=Overload(time.monotonic, random.random, _call_later),
        send_message=SendMessage(db, ids, clock, render_sent),
        answer_chat=AnswerChat(begin, most_media),
        finish_chat=FinishChat(begin),
        receive_reply=ReceiveReply(db, ids, random.random),
        send_code=SendCode(begin, random.SystemRandom().random),
        add_media=AddMedia(begin),
        media_stores=media_stores(settings, clock),
        environ=os.environ,
        domain=settings.domain,
        lab_page=settings.lab_page,
        wake=wake,
    )


def _call_later(seconds: float, call: Callable[[], None]) -> None:
    asyncio.get_running_loop().call_later(seconds, call)


def build_services_of_desk(services: Services, settings: Settings = DEFAULTS) -> Desk:
    """The desk's use cases: those of the API, on the same database, at the same clock."""
    return Desk(
        db=services.db,
        clock=services.clock,
        begin=services.begin,
        secret=secrets.token_bytes,
        directory=services.directory,
        hub=Hub(services.db),
        send_message=services.send_message,
        answer_chat=services.answer_chat,
        finish_chat=services.finish_chat,
        receive_reply=services.receive_reply,
        add_media=services.add_media,
        media_stores=services.media_stores,
        environ=services.environ,
        domain=services.domain,
        lab_page=services.lab_page,
        wake=services.wake,
        proxies=Proxies(read_networks(settings.trusted_proxies)),
    )


class Site:
    """All that one address serves: the desk's pages, and the API with its own."""

    def __init__(self, api: QuickApp, pages: ASGIApp) -> None:
        self.quick = api.quick
        self._api = api
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        desks = scope["type"] == ScopeType.HTTP and (path == DESK or path.startswith(f"{DESK}/"))
        await (self._pages if desks else self._api)(scope, receive, send)


def media_stores(settings: Settings, clock: Clock = utc_now) -> Stores:
    """Where files of chats are kept."""
    return Stores(Path(settings.media_folder or ".smsdesk/media"), os.environ, clock)


VANISHED = 60_000
"""Milliseconds for which a client's machine may not acknowledge what was sent to it. Only what is being sent shows that
it is gone; whoever owes us something has the deadlines of `api/connections.py`."""


def listen_at(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """A socket for an HTTP server. Each part of an answer leaves at once: answers of several parts would else wait for
    the client's acknowledgement, 40 ms, for event loops switch that off only where a socket names its protocol. A
    shared one lets others of this user listen at the same port. Raises OSError where the port is taken."""
    listening = socket.create_server((host, port), backlog=4096, reuse_port=shared)
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux: a client that has vanished is given up after a minute, not 15
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, VANISHED)
    listening.setblocking(False)
    return listening


def listen_often(host: str, port: int, count: int) -> list[socket.socket]:
    """So many sockets at one port, among which the kernel shares out new connections by their addresses.

    Raises OSError where the port is taken, also by somebody who would share it.
    """
    with socket.create_server((host, port), reuse_port=False) as alone:
        port = alone.getsockname()[1]
    return [listen_at(host, port, shared=True) for _ in range(count)]


@dataclass(frozen=True, slots=True)
class Roles:
    """What a process does."""

    api: bool = True
    worker: bool = True


class Server:
    """One process of smsdesk on a database: the API, the worker, or both on one event loop."""

    def __init__(
        self, db: Database, roles: Roles, settings: Settings, *, embedded: Path | None, shared: int | None = None
    ) -> None:
        """`embedded` is the data folder whose PostgreSQL is ours to start again when it dies; None where it is not.
        `shared` is memory that all processes of the API on this machine have; None where this is the only one."""
        self._db = db
        self._roles = roles
        self._embedded = embedded
        self._log = structlog.get_logger("smsdesk")
        ids = Ids()
        name = f"{socket.gethostname()}:{os.getpid()}"
        machine = Machine(name, utc_now, random.random, self._log, settings.history_days)
        self._worker = Worker(db, ids, media_stores(settings), machine)
        self._hints = Hints(db, self._worker.wake if roles.worker else None)
        self._services = build_services(db, ids, settings, self._hints.wake, shared=shared)
        self._desk = build_services_of_desk(self._services, settings)
        self._http: HttpServer | None = None
        self._sockets: list[socket.socket] = []

    async def start(self, listening: socket.socket | None) -> None:
        """Gets ready to serve at this socket; None is without the API. Raises one of AWAY without a database."""
        await self._services.directory.refresh()
        if listening is None:
            return
        self._http = http_server(Site(build_app(self._services), build_desk(self._desk)))
        self._sockets = [listening]

    async def run(self, stop: asyncio.Event) -> None:
        """Works until told to stop, then finishes what it began: open requests, open answers, their records."""
        _tune_collector()
        jobs = [asyncio.create_task(self._services.directory.run()), asyncio.create_task(self._hints.run())]
        if self._roles.api:
            jobs.append(asyncio.create_task(self._desk.hub.run()))
        if self._embedded is not None:
            jobs.append(asyncio.create_task(keep_alive(self._db, self._embedded)))
        working = asyncio.create_task(self._worker.run()) if self._roles.worker else None
        serving = asyncio.create_task(self._http.serve(self._sockets)) if self._http else None
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait(filter(None, (stopping, working, serving)), return_when=asyncio.FIRST_COMPLETED)
        if self._http is not None and serving is not None:
            # Streams have no end of their own: the server would wait for them.
            self._desk.hub.close()
            self._http.should_exit = True
            await serving
        if working is not None:
            working.cancel()
            await asyncio.wait([working])
        for job in (stopping, *jobs):
            job.cancel()
        await asyncio.wait([stopping, *jobs])


def _tune_collector() -> None:
    """Fewer walks over what never dies: 6 to 8 % of the API's CPU at full load (`smsdesk bench accept`)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)


async def keep_alive(db: Database, data_dir: Path) -> None:
    """Starts the embedded PostgreSQL again whenever it died, until cancelled."""
    log = structlog.get_logger("smsdesk")
    while True:
        await asyncio.sleep(1)
        try:
            async with db.connection() as conn:
                await conn.fetchval("select 1")
        except AWAY:
            try:
                db.move(await asyncio.to_thread(revive, data_dir))
            except PostgresError as error:
                log.error("the embedded PostgreSQL does not start", error=str(error))
