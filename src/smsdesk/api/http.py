"""Reading a request and writing an answer below the framework, for the routes that must be quick."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from litestar.types import Receive, Scope, Send

MOST_BODY = 64 * 1024
"""Bytes. Ten parts of text are under 20 KiB however they are escaped."""

Headers: TypeAlias = tuple[tuple[bytes, bytes], ...]
Answer: TypeAlias = tuple[int, bytes, Headers]
"""Status, a body of JSON, and headers beside its type and length."""


class BodyTooLarge(Exception):
    """The body is larger than is taken."""


class ClientGone(Exception):
    """The client closed the connection before its request was whole: there is nobody to answer."""


class Request:
    """A POST as it came: headers by lower-case name (the first of each), the query behind the `?`, the body."""

    __slots__ = ("body", "headers", "query")

    def __init__(self, headers: Mapping[bytes, bytes], query: bytes, body: bytes = b"") -> None:
        self.headers = headers
        self.query = query
        self.body = body

    def again(self, body: bytes) -> "Request":
        """Another one, of which only the body differs."""
        return Request(self.headers, self.query, body)


def first_of_each(headers: Sequence[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Headers by name."""
    return dict(reversed(headers))


async def read_body(receive: Receive, most: int = MOST_BODY) -> bytes:
    """The whole body of a request; raises BodyTooLarge over `most` bytes, ClientGone where the client left."""
    event = await receive()
    if event["type"] == "http.request" and not event.get("more_body"):
        body = event["body"]
        if len(body) > most:
            raise BodyTooLarge
        return body
    chunks: list[bytes] = []
    size = 0
    while event["type"] == "http.request":
        chunks.append(event["body"])
        size += len(chunks[-1])
        if size > most:
            raise BodyTooLarge
        if not event.get("more_body"):
            return b"".join(chunks)
        event = await receive()
    raise ClientGone


def header(scope: Scope, name: bytes) -> bytes | None:
    """The first header of this lower-case name."""
    for key, value in scope["headers"]:
        if key == name:
            return value
    return None


async def respond(send: Send, status: int, body: bytes, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
    """Sends a whole JSON answer."""
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [
                (b"content-type", b"application/json"),
                (b"content-length", str(len(body)).encode()),
                *headers,
            ],
        }
    )
    await send({"type": "http.response.body", "body": body, "more_body": False})
