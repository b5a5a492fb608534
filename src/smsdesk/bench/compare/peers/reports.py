"""`python -m smsdesk.bench.compare.peers.reports`: takes the reports that other gateways send to their user.

A process of its own, so that it neither delays the load generator nor is counted with it. The first line that it says
is its port.
"""

import asyncio
import sys
from typing import cast

import uvloop

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 10\r\n\r\nACK/Jasmin"
"""Jasmin sends a report again until it is answered in these words (its manual, "Receiving DLR"); Kannel reads none."""
END, LENGTH = b"\r\n\r\n", b"content-length:"


class _Line(asyncio.Protocol):
    def __init__(self) -> None:
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(END)) >= 0:
            head = self._buffer[:end].lower()
            place = head.find(LENGTH)
            body = int(head[place + len(LENGTH) :].split(b"\r\n", 1)[0]) if place >= 0 else 0
            if len(self._buffer) < end + len(END) + body:
                return
            self._buffer = self._buffer[end + len(END) + body :]
            self._transport.write(ANSWER)


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(_Line, "127.0.0.1", 0, backlog=1024)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve())
