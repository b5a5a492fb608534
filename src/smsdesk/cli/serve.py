"""`smsdesk serve`: the API and the worker, in one process or apart, or in several processes under one parent."""

import asyncio
import resource
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeVar

import structlog
import typer

from smsdesk.api.limits import shared_memory
from smsdesk.cli.options import DEFAULT_DATA, CommandError, Data, database_url, open_database, run, telling
from smsdesk.cli.processes import Post, Processes, end_with, has_ended, read_inherited
from smsdesk.log import set_up_log
from smsdesk.settings import Settings, read_settings
from smsdesk.wiring import Roles, Server, listen_at, listen_often

T = TypeVar("T")


class Role(StrEnum):
    """What a process does."""

    ALL = "all"
    API = "api"
    WORKER = "worker"


def serve(
    host: Annotated[str, typer.Option(help="The address that the API listens on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Its port; 0 takes any free one.")] = 8080,
    role: Annotated[Role, typer.Option(help="What this process does: the API, the worker, or both.")] = Role.ALL,
    workers: Annotated[
        int,
        typer.Option(
            min=1, max=64,
            help="Processes of the API, at one port; of the role worker, processes that deliver. More than one of the "
            "role all have one more beside them that delivers.",
        ),
    ] = 1,
    data: Data = DEFAULT_DATA,
    inherit: Annotated[str, typer.Option(hidden=True)] = "",
) -> None:  # fmt: skip
    """Serve the API and deliver texts until told to stop."""
    with telling():
        settings = read_settings()
        settings = replace(settings, media_folder=settings.media_folder or str(data / "media"))
    set_up_log(settings.log_level, for_people=sys.stderr.isatty())
    _raise_limit_of_connections()
    if inherit:
        run(lambda: _serve_inherited(inherit, role, data, settings))
    elif workers > 1:
        run(lambda: _serve_apart(host, port, role, workers, data))
    else:
        run(lambda: _serve_here(host, port, role, data, settings))


def _raise_limit_of_connections() -> None:
    """To what the system lets us have: by default many give a process 1,024 files, and a connection is one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def _serve_here(host: str, port: int, role: Role, data: Path, settings: Settings) -> None:
    """All of it in this process."""
    async with open_database(data) as database:
        stop = _told_to_stop()
        listening = None if role == Role.WORKER else _taken(host, port, lambda: listen_at(host, port))
        server = Server(database, _roles(role), settings, embedded=None if database_url() else data)
        await server.start(listening)
        _say_ready(host, listening, role)
        await server.run(stop)


async def _serve_inherited(inherit: str, role: Role, data: Path, settings: Settings) -> None:
    """As one of several processes."""
    inherited = read_inherited(inherit)
    if has_ended(inherited.parent):
        return  # and left the database, perhaps, which nobody should start again
    async with open_database(data) as database:
        stop = _told_to_stop()
        end_with(inherited.parent, stop)
        embedded = None if database_url() else data
        server = Server(database, _roles(role), settings, embedded=embedded, shared=inherited.shared)
        await server.start(inherited.socket())
        with suppress(BrokenPipeError):
            typer.echo("ready")
        await server.run(stop)


async def _serve_apart(host: str, port: int, role: Role, workers: int, data: Path) -> None:
    """As the parent of several processes. It keeps the embedded PostgreSQL until the last of them has ended."""
    async with open_database(data):
        stop = _told_to_stop()
        sockets = [] if role == Role.WORKER else _taken(host, port, lambda: listen_often(host, port, workers))
        shared = shared_memory() if sockets else None
        posts = [_post(f"api {n}", Role.API, data, each, shared) for n, each in enumerate(sockets, 1)]
        delivering = {Role.ALL: 1, Role.API: 0, Role.WORKER: workers}[role]
        posts += [_post(f"worker {n}", Role.WORKER, data) for n in range(1, delivering + 1)]
        where = sockets[0] if sockets else None
        await Processes(posts, structlog.get_logger()).run(stop, lambda: _say_ready(host, where, role))


def _post(name: str, role: Role, data: Path, listening: socket.socket | None = None, shared: int | None = None) -> Post:
    return Post(name, ("serve", "--role", str(role), "--data", str(data)), listening, shared)


def _roles(role: Role) -> Roles:
    return Roles(api=role != Role.WORKER, worker=role != Role.API)


def _told_to_stop() -> asyncio.Event:
    """Set by the signals that end a command in good order."""
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    return stop


def _taken(host: str, port: int, listen: Callable[[], T]) -> T:
    try:
        return listen()
    except OSError as error:
        raise CommandError(
            f"port {port} on {host} cannot be used: {error.strerror}; choose another by --port"
        ) from None


def _say_ready(host: str, listening: socket.socket | None, role: Role) -> None:
    bound = listening.getsockname()[1] if listening else None
    typer.echo(f"ready on http://{host}:{bound}" if bound else "ready")
    structlog.get_logger().info("ready", role=str(role), port=bound)
