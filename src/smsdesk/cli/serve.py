"""`smsdesk serve`: the API and the worker, in one process or apart."""

import asyncio
import signal
import sys
from dataclasses import replace
from enum import StrEnum
from typing import Annotated

import structlog
import typer

from smsdesk.cli.options import DEFAULT_DATA, CommandError, Data, database_url, open_database, run, telling
from smsdesk.log import set_up_log
from smsdesk.settings import read_settings
from smsdesk.wiring import Roles, Server


class Role(StrEnum):
    """What a process does."""

    ALL = "all"
    API = "api"
    WORKER = "worker"


def serve(
    host: Annotated[str, typer.Option(help="The address that the API listens on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Its port; 0 takes any free one.")] = 8080,
    role: Annotated[Role, typer.Option(help="What this process does: the API, the worker, or both.")] = Role.ALL,
    data: Data = DEFAULT_DATA,
) -> None:
    """Serve the API and deliver texts until told to stop."""
    with telling():
        settings = read_settings()
        settings = replace(settings, media_folder=settings.media_folder or str(data / "media"))
    set_up_log(settings.log_level, for_people=sys.stderr.isatty())

    async def work() -> None:
        async with open_database(data) as database:
            roles = Roles(api=role != Role.WORKER, worker=role != Role.API)
            server = Server(database, roles, settings, embedded=None if database_url() else data)
            stop = asyncio.Event()
            for name in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(name, stop.set)
            try:
                bound = await server.start(host, port)
            except OSError as error:
                raise CommandError(
                    f"port {port} on {host} cannot be used: {error.strerror}; choose another by --port"
                ) from None
            where = f" on http://{host}:{bound}" if bound else ""
            typer.echo(f"ready{where}")
            structlog.get_logger().info("ready", role=str(role), port=bound)
            await server.run(stop)

    run(work)
