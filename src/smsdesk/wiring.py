"""The only module that sees everything: it puts clocks, connections, use cases and routes together."""

import asyncio
import gc
import os
import random
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import structlog
import uvicorn
from litestar.types import ASGIApp

from smsdesk.actions.add_media import AddMedia
from smsdesk.actions.answer_chat import AnswerChat
from smsdesk.actions.finish_chat import FinishChat
from smsdesk.actions.receive_reply import ReceiveReply
from smsdesk.actions.send_code import SendCode
from smsdesk.actions.send_message import SendMessage
from smsdesk.api.app import build_app
from smsdesk.api.directory import Directory
from smsdesk.api.limits import RateLimiter
from smsdesk.api.services import Services
from smsdesk.api.v1.chat_object import render_sent
from smsdesk.carriers.registry import most_media
from smsdesk.jobs.worker import Machine, Worker
from smsdesk.media.stores import Stores
from smsdesk.postgres import PostgresError
from smsdesk.postgres.use import revive
from smsdesk.settings import Settings
from smsdesk.steps.begin import Begin
from smsdesk.store.db import Database, Ids
from smsdesk.store.groups import AWAY
from smsdesk.store.hints import Hints


def utc_now() -> datetime:
    """The clock of every process of ours."""
    return datetime.now(UTC)


Clock = Callable[[], datetime]


def build_services(
    db: Database, ids: Ids, settings: Settings, wake: Callable[[int], None], clock: Clock = utc_now
) -> Services:
    """The API's use cases on this database."""
    begin = Begin(db, ids, clock, random.random)
    return Services(
        db=db,
        clock=clock,
        begin=begin,
        directory=Directory(db),
        limiter=RateLimiter(time.monotonic),
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


def media_stores(settings: Settings, clock: Clock = utc_now) -> Stores:
    """Where files of chats are kept."""
    return Stores(Path(settings.media_folder or ".smsdesk/media"), os.environ, clock)


class HttpServer(uvicorn.Server):
    """An HTTP server in a loop that is not its own: it leaves the signals to whoever owns the process."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Captures none, on purpose."""
        yield


def http_server(app: ASGIApp) -> HttpServer:
    """A server for the app; run it with `serve(sockets)`, end it with `should_exit`."""
    return HttpServer(
        uvicorn.Config(
            app,
            loop="none",
            http="httptools",
            ws="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=10,
            h11_max_incomplete_event_size=32 * 1024,
        )
    )


@dataclass(frozen=True, slots=True)
class Roles:
    """What a process does."""

    api: bool = True
    worker: bool = True


class Server:
    """One process of smsdesk on a database: the API, the worker, or both on one event loop."""

    def __init__(self, db: Database, roles: Roles, settings: Settings, *, embedded: Path | None) -> None:
        """`embedded` is the data folder whose PostgreSQL is ours to start again when it dies; None where it is not."""
        self._db = db
        self._roles = roles
        self._embedded = embedded
        self._log = structlog.get_logger("smsdesk")
        ids = Ids()
        name = f"{socket.gethostname()}:{os.getpid()}"
        machine = Machine(name, utc_now, random.random, self._log)
        self._worker = Worker(db, ids, media_stores(settings), machine)
        self._hints = Hints(db, self._worker.wake if roles.worker else None)
        self._services = build_services(db, ids, settings, self._hints.wake)
        self._http: HttpServer | None = None
        self._sockets: list[socket.socket] = []

    async def start(self, host: str, port: int) -> int | None:
        """Takes the port and says which it is; None without the API. Raises OSError where it is taken."""
        await self._services.directory.refresh()
        if not self._roles.api:
            return None
        listening = socket.create_server((host, port), backlog=2048, reuse_port=False)
        listening.setblocking(False)
        self._http = http_server(build_app(self._services))
        self._sockets = [listening]
        bound: int = listening.getsockname()[1]
        return bound

    async def run(self, stop: asyncio.Event) -> None:
        """Works until told to stop, then finishes what it began: open requests, open answers, their records."""
        _tune_collector()
        jobs = [asyncio.create_task(self._services.directory.run()), asyncio.create_task(self._hints.run())]
        if self._embedded is not None:
            jobs.append(asyncio.create_task(keep_alive(self._db, self._embedded)))
        working = asyncio.create_task(self._worker.run()) if self._roles.worker else None
        serving = asyncio.create_task(self._http.serve(self._sockets)) if self._http else None
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait(filter(None, (stopping, working, serving)), return_when=asyncio.FIRST_COMPLETED)
        if self._http is not None and serving is not None:
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
