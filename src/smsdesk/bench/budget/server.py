"""Servers that do nothing but answer: `python -m smsdesk.bench.budget.server protocol|asgi FILE` says its port.

Every request gets the bytes of FILE, a whole answer. `protocol` is an asyncio protocol that looks for the end of a
request and writes; `asgi` is an application under uvicorn, set as ours is.
"""

import asyncio
import socket
import sys
from pathlib import Path
from typing import Any, cast

import uvicorn
import uvloop


class Answering(asyncio.Protocol):
    """Answers each request whose end it sees."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one by duck type only

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, end, body = self._buffer.partition(b"\r\n\r\n")
        if end and len(body) >= int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0]):
            self._buffer = b""
            self._transport.write(self._answer)


def bare_app(answer: bytes) -> Any:
    """The ASGI application that reads a body and gives this one."""
    body = answer.partition(b"\r\n\r\n")[2]
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})

    return app


async def serve(kind: str, answer: bytes, listening: socket.socket) -> None:
    """Serves until it is ended from outside."""
    if kind == "protocol":
        server = await asyncio.get_running_loop().create_server(lambda: Answering(answer), sock=listening)
        await server.serve_forever()
    config = uvicorn.Config(
        bare_app(answer), loop="none", http="httptools", ws="none", lifespan="off", access_log=False, log_config=None,
        server_header=False, proxy_headers=False, timeout_keep_alive=75,
    )  # fmt: skip
    await uvicorn.Server(config).serve([listening])


def main() -> None:
    """Says the port, then serves."""
    kind, file = sys.argv[1:]
    listening = socket.create_server(("127.0.0.1", 0), backlog=2048)
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listening.setblocking(False)
    print(listening.getsockname()[1], flush=True)  # noqa: T201 - how the bench hears that it is ready
    uvloop.run(serve(kind, Path(file).read_bytes(), listening))


if __name__ == "__main__":
    main()
