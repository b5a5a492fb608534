"""The lab's handsets, asked over its HTTP API. The address comes from the server's settings and from nowhere else."""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from urllib.parse import quote

import aiohttp
import msgspec

from smsdesk.errors import Problem

T = TypeVar("T")
LIMIT = aiohttp.ClientTimeout(total=5, connect=2)
"""Of a question: the lab is on this machine, or near it."""
WATCHED = aiohttp.ClientTimeout(total=None, connect=2, sock_read=40)
"""Of its events, where it says something every 15 seconds."""
MOST_HANDSETS = 200
MOST_TEXTS = 10_000
MOST_OCTETS = 16 * 1024 * 1024
SHOWN = 60
_NUMBER = re.compile(r"\+?[0-9]{3,15}")
_OWN_FILE = re.compile(r"/media/([0-9]{1,15})")


class LabAway(Exception):
    """The lab does not answer; the text says why."""


class Handset(msgspec.Struct):
    """A phone of the lab."""

    number: str
    arrived: int
    replies: int
    last_at: str | None = None


class Line(msgspec.Struct, kw_only=True):
    """One text on the phone: an arrived one has a `source`, a typed one has a `to` and a `state`."""

    number: str
    body: str
    parts: int
    encoding: str
    at: str
    media: list[str] = []
    source: str = ""
    to: str = ""
    state: str = ""

    @property
    def typed(self) -> bool:
        return bool(self.to)


class Reply(msgspec.Struct):
    """What somebody types at a phone; files are in base64 on the wire."""

    to: str
    body: str = ""
    media: list[bytes] = []


class Lab:
    """A client of the lab at this address; raises LabAway where it cannot be reached."""

    def __init__(self, address: str) -> None:
        self._address = address.rstrip("/")

    async def handsets(self) -> list[Handset]:
        """The phones that something happened at last."""
        return await self._get(f"/handsets?limit={MOST_HANDSETS}", list[Handset])

    async def lines(self, number: str, ours: Sequence[str]) -> list[Line]:
        """The latest texts between a phone and these numbers of ours, the oldest first."""
        path = f"/handsets/{quote(_known(number), safe='')}"
        texts = await self._get(f"{path}/texts?limit={MOST_TEXTS}", list[Line])
        replies = await self._get(f"{path}/replies", list[Line])
        wanted = set(ours)
        found = [one for one in (*texts, *replies) if (one.to or one.source) in wanted]
        return sorted(found, key=lambda one: one.at)[-SHOWN:]

    async def reply(self, number: str, reply: Reply) -> None:
        """Sends what was typed. Raises Problem with the lab's own word where it refuses."""
        path = f"/handsets/{quote(_known(number), safe='')}/reply"
        async with self._ask("POST", path, data=msgspec.json.encode(reply)) as answer:
            if answer.status >= 400:
                raise Problem("parameter_invalid", f"the lab: {(await answer.text())[:300]}")

    async def file(self, file_id: int) -> tuple[bytes, str]:
        """A file that was sent from a phone, with its media type. Raises Problem `not_found`."""
        async with self._ask("GET", f"/media/{file_id}") as answer:
            if answer.status != 200:
                raise Problem("not_found")
            return await answer.content.read(MOST_OCTETS), answer.content_type

    async def happenings(self) -> AsyncIterator[bool]:
        """True whenever something happens at a phone, and once when the lab begins to tell, for what happened before;
        False when nothing did for a while; ends where the lab does."""
        untold = True
        try:
            async with (
                aiohttp.ClientSession(timeout=WATCHED) as http,
                http.get(self._address + "/events", allow_redirects=False) as answer,
            ):
                async for line in answer.content:
                    if line.startswith((b"event: text", b"event: reply")):
                        yield True
                    elif line.startswith(b":"):
                        yield untold
                        untold = False
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return

    def own_file(self, url: str) -> int | None:
        """The id of a file that lies with the lab; None of any other address."""
        found = _OWN_FILE.fullmatch(url.removeprefix(self._address)) if url.startswith(self._address) else None
        return int(found[1]) if found else None

    async def _get(self, path: str, kind: type[T]) -> T:
        async with self._ask("GET", path) as answer:
            if answer.status != 200:
                raise LabAway(f"HTTP {answer.status}")
            try:
                return msgspec.json.decode(await answer.read(), type=kind)
            except msgspec.MsgspecError as error:
                raise LabAway(str(error)) from error

    @asynccontextmanager
    async def _ask(self, method: str, path: str, **more: Any) -> AsyncIterator[aiohttp.ClientResponse]:
        headers = {"content-type": "application/json"}
        try:
            async with (
                aiohttp.ClientSession(timeout=LIMIT) as http,
                http.request(method, self._address + path, headers=headers, allow_redirects=False, **more) as answer,
            ):
                yield answer
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise LabAway(str(error) or type(error).__name__) from error


def _known(number: str) -> str:
    """The number; raises Problem where it is none, so that it cannot lead to another place of the lab."""
    if not _NUMBER.fullmatch(number):
        raise Problem("end_user_number_invalid")
    return number
