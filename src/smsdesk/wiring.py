"""The only module that sees everything: it puts clocks, connections, use cases and routes together."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import uvicorn
from litestar.types import ASGIApp

from smsdesk.actions.answer_chat import AnswerChat
from smsdesk.actions.finish_chat import FinishChat
from smsdesk.actions.send_message import SendMessage
from smsdesk.api.app import build_app
from smsdesk.api.directory import Directory
from smsdesk.api.limits import RateLimiter
from smsdesk.api.services import Services
from smsdesk.api.v1.chat_object import render_sent
from smsdesk.store.db import Database, Ids


def utc_now() -> datetime:
    """The clock of every process of ours."""
    return datetime.now(UTC)


Clock = Callable[[], datetime]


def build_services(
    db: Database, ids: Ids, domain: str, wake: Callable[[int], None], clock: Clock = utc_now
) -> Services:
    """The API's use cases on this database."""
    return Services(
        db=db,
        clock=clock,
        directory=Directory(db),
        limiter=RateLimiter(time.monotonic),
        send_message=SendMessage(db, ids, clock, render_sent),
        answer_chat=AnswerChat(db, ids, clock),
        finish_chat=FinishChat(db, clock),
        domain=domain,
        wake=wake,
    )


class HttpServer(uvicorn.Server):
    """An HTTP server in a loop that is not its own: it leaves the signals to whoever owns the process."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Captures none, on purpose."""
        yield


def http_server(app: ASGIApp, host: str, port: int) -> HttpServer:
    """A server for the app; run it with `serve()`, end it with `should_exit`."""
    return HttpServer(
        uvicorn.Config(
            app,  # type: ignore[arg-type]
            host=host,
            port=port,
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

