"""An HTTP server of a few lines that answers each request as its number says, rightly or not at all."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n" + b'{"id": 114}'
BUSY = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 15\r\n\r\n" + b'{"message": ""}'
LAST = b"HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 2\r\n\r\n{}"
EMPTY = b"HTTP/1.1 204 No Content\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
HANG_UP, SILENCE = b"", b"\0"


@dataclass
class Lossy:
    """`answer` gives the bytes for the n-th request, counted from 0 over all connections; `split` sends them in two."""

    answer: Callable[[int], bytes]
    split: bool = False
    bodies: list[dict[str, str]] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = int(head.split("Content-Length: ")[1].split("\r\n")[0])
                answer = self.answer(len(self.heads))
                self.heads.append(head)
                self.bodies.append(json.loads(await reader.readexactly(length)))
                if answer == HANG_UP:
                    return
                if answer != SILENCE:
                    await self._send(writer, answer)
                if answer == LAST:
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    async def _send(self, writer: asyncio.StreamWriter, answer: bytes) -> None:
        half = len(answer) // 2 if self.split else len(answer)
        writer.write(answer[:half])
        await writer.drain()
        if answer[half:]:
            await asyncio.sleep(0)
            writer.write(answer[half:])


@asynccontextmanager
async def serving(lossy: Lossy) -> AsyncIterator[int]:
    """The port of the running server."""
    server = await asyncio.start_server(lossy.talk, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
