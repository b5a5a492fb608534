"""Real servers for fetches: one that answers as it is told, and a trap that counts who connects."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from aiohttp import web

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Source:
    """A server on this machine: `answers` by path."""

    port: int
    answers: dict[str, Answer | web.Response] = field(default_factory=dict)
    asked: list[web.BaseRequest] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        told = self.answers.get(request.path)
        if told is None:
            return web.Response(status=404)
        if isinstance(told, web.Response):
            return web.Response(status=told.status, body=told.body, headers=told.headers)
        return await told(request)


@asynccontextmanager
async def source() -> AsyncIterator[Source]:
    """A running server."""
    at = Source(0)
    app = web.Application(client_max_size=2**27)
    app.router.add_route("*", "/{path:.*}", at.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    at.port = runner.addresses[0][1]
    try:
        yield at
    finally:
        await runner.cleanup()


@dataclass
class Trap:
    """A port that nobody may connect to."""

    port: int
    connects: int = 0


@asynccontextmanager
async def trap() -> AsyncIterator[Trap]:
    """A trap on every address of this machine, IPv4 and IPv6."""
    at = Trap(0)

    async def caught(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        at.connects += 1
        writer.close()

    server = await asyncio.start_server(caught, "0.0.0.0", 0)
    at.port = server.sockets[0].getsockname()[1]
    servers = [server]
    with suppress(OSError):  # a machine without IPv6
        servers.append(await asyncio.start_server(caught, "::", at.port))
    try:
        yield at
    finally:
        for one in servers:
            one.close()
            await one.wait_closed()


def redirect(to: str, status: int = 302) -> web.Response:
    return web.Response(status=status, headers={"Location": to})
