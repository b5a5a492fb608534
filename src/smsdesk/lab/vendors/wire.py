"""The HTTP connection itself, for vendors whose answer is lost, cut or late on purpose."""

import asyncio
import socket
import struct
from typing import Any, cast

from litestar import Request
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from smsdesk.lab.vendors.exchange import Answer

_EXTENSION = "smsdesk.transport"
_NO_LINGER = struct.pack("ii", 1, 0)
"""SO_LINGER on, for no time: closing sends RST instead of FIN."""


class LabProtocol(HttpToolsProtocol):
    """Gives each request the connection that it came over, as an extension of its ASGI scope."""

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self.scope["extensions"] = {_EXTENSION: {"transport": self.transport}}


async def cut(request: Request[Any, Any, Any], *, reset: bool = False, answer: Answer | None = None) -> None:
    """Ends the connection of a request that has no answer yet, after half of `answer` if given; with a TCP reset if so
    wanted. Whatever is answered afterwards goes nowhere."""
    extensions = cast("dict[str, Any]", request.scope["extensions"])
    transport: asyncio.Transport = extensions[_EXTENSION]["transport"]
    if answer is not None:
        transport.write(_head(answer) + answer.body[: len(answer.body) // 2])
    if reset:
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        transport.abort()
    else:
        transport.close()
    await gone(request)


async def gone(request: Request[Any, Any, Any]) -> None:
    """Waits until the other end, or `cut`, has closed the connection."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _head(answer: Answer) -> bytes:
    lines = f"HTTP/1.1 {answer.status} ", f"content-type: {answer.content_type}", f"content-length: {len(answer.body)}"
    return "\r\n".join((*lines, "", "")).encode()
