"""The lab as a process, with its handsets in reach of a test."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from tests.kit.api import OURS
from tests.lab.process import LabProcess


class Handsets:
    """The HTTP side of a running lab."""

    def __init__(self, http: aiohttp.ClientSession, base_url: str, smpp_port: int) -> None:
        self._http = http
        self._base_url = base_url
        self.smpp_port = smpp_port

    async def call(self, method: str, path: str, **more: Any) -> Any:
        """One request; AssertionError where the lab refuses it."""
        async with self._http.request(method, self._base_url + path, **more) as answer:
            body = await answer.read()
            assert answer.status < 300, f"{method} {path}: {body.decode()}"
            return json.loads(body) if body else None

    async def all_texts(self) -> list[dict[str, Any]]:
        """Every text that arrived at any handset, in order of arrival."""
        headers = {"Accept": "application/x-ndjson"}
        async with self._http.get(self._base_url + "/texts", headers=headers) as answer:
            return [json.loads(line) for line in (await answer.read()).splitlines()]

    async def segments(self) -> list[dict[str, Any]]:
        """Every segment that arrived, in order of arrival, with its time."""
        async with self._http.get(self._base_url + "/segments") as answer:
            return [json.loads(line) for line in (await answer.read()).splitlines()]

    async def texts(self, number: str) -> list[dict[str, Any]]:
        """What is on one screen, oldest first."""
        found: list[dict[str, Any]] = await self.call("GET", f"/handsets/{number}/texts")
        return found

    async def arrived(self) -> int:
        """How many texts arrived at all handsets."""
        return sum(handset["arrived"] for handset in await self.call("GET", "/handsets"))

    async def reply(self, number: str, body: str, to: str = OURS) -> None:
        """Somebody types a text at a handset."""
        await self.call("POST", f"/handsets/{number}/reply", json={"to": to, "body": body})

    async def answer_all(self, number: str, body: str) -> None:
        """From now on the handset answers each text with this."""
        await self.call("PUT", f"/handsets/{number}/auto-reply", json={"body": body})

    async def faults(self, **faults: Any) -> None:
        """Replaces the faults of all lines."""
        await self.call("PUT", "/faults", json=faults)

    async def drop_lines(self) -> int:
        """Resets all lines at once, with all that waits in them."""
        dropped: int = (await self.call("POST", "/lines/drop", json={}))["dropped"]
        return dropped

    async def lines(self) -> int:
        """How many lines are bound."""
        return sum(bool(line["session"]) for line in await self.call("GET", "/lines"))


@asynccontextmanager
async def handsets_of(process: LabProcess) -> AsyncIterator[Handsets]:
    """The handsets of a running lab, empty and without faults."""
    async with aiohttp.ClientSession() as http:
        handsets = Handsets(http, f"http://127.0.0.1:{process.http_port}", process.smpp_port)
        await handsets.faults()
        await handsets.call("DELETE", "/texts")
        yield handsets


@asynccontextmanager
async def running_lab(*options: str) -> AsyncIterator[Handsets]:
    """A lab on free ports that runs in this block."""
    with LabProcess(*options) as process:
        async with handsets_of(process) as handsets:
            yield handsets
