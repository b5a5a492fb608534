"""The two ends around a lab under test: its HTTP API, and an ESME that does what a test says, PDU by PDU."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from random import Random
from time import time
from typing import Any

import httpx

from smsdesk.carriers.smpp.codec import Framer, encode
from smsdesk.carriers.smpp.pdu import (
    BindResp,
    BindTransceiver,
    DeliverSm,
    DeliverSmResp,
    EnquireLink,
    EnquireLinkResp,
    Pdu,
    SubmitSm,
    SubmitSmResp,
)
from smsdesk.lab.config import LabConfig
from smsdesk.lab.server import Lab
from tests.kit.processes import until

PATIENCE = 5.0
HANDSET, NUMBER = "+14155550100", "+16285550199"


class Esme:
    """One connection to the SMPP port."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._framer = Framer()
        self._read: deque[Pdu] = deque()
        self._sequence = 0

    def sequence(self) -> int:
        self._sequence += 1
        return self._sequence

    def send(self, *pdus: Pdu) -> None:
        self.send_octets(b"".join(map(encode, pdus)))

    def send_octets(self, octets: bytes) -> None:
        self._writer.write(octets)

    async def next(self) -> Pdu | None:
        """The next PDU from the lab; None at the end of the line."""
        while not self._read:
            try:
                octets = await asyncio.wait_for(self._reader.read(65536), PATIENCE)
            except ConnectionError:
                octets = b""
            if not octets:
                return None
            self._read.extend(self._framer.feed(octets))
        return self._read.popleft()

    async def rest(self) -> bytes:
        """All octets until the end of the line, PDUs or not; ConnectionResetError where it was reset."""
        return await asyncio.wait_for(self._reader.read(), PATIENCE)

    async def silence(self, seconds: float) -> bool:
        """Whether nothing comes for so long and the line stays up."""
        try:
            await asyncio.wait_for(self._reader.read(1), seconds)
        except TimeoutError:
            return True
        return False

    async def ask(self, pdu: Pdu) -> Pdu | None:
        self.send(pdu)
        return await self.next()

    async def bind(
        self, kind: type[Any] = BindTransceiver, system_id: str = "acme", password: str = "hush"
    ) -> BindResp:
        answer = await self.ask(kind(self.sequence(), 0, system_id, password))
        assert isinstance(answer, BindResp)
        assert isinstance(answer, kind.response)
        return answer

    def submit_sm(self, body: bytes, **fields: Any) -> SubmitSm:
        plain: dict[str, Any] = {
            "source_addr_ton": 1,
            "source_addr": NUMBER[1:],
            "dest_addr_ton": 1,
            "destination_addr": HANDSET[1:],
            "short_message": body,
        }
        return SubmitSm(self.sequence(), **(plain | fields))

    async def submit(self, body: bytes, **fields: Any) -> SubmitSmResp:
        answer = await self.ask(self.submit_sm(body, **fields))
        assert isinstance(answer, SubmitSmResp)
        return answer

    async def delivered(self) -> DeliverSm:
        """The next deliver_sm, answered."""
        deliver = await self.next()
        assert isinstance(deliver, DeliverSm), deliver
        self.send(DeliverSmResp(deliver.sequence_number))
        return deliver

    async def passed(self) -> list[Pdu]:
        """All that comes before the answer to an enquire_link: then the lab has worked through what was sent."""
        enquire, before = EnquireLink(self.sequence()), []
        self.send(enquire)
        while (pdu := await self.next()) != EnquireLinkResp(enquire.sequence_number):
            assert pdu is not None, "the line went down"
            before.append(pdu)
        return before

    async def close(self) -> None:
        self._writer.close()
        with suppress(ConnectionError):
            await self._writer.wait_closed()


class Rig:
    """A lab on free ports, with clients that are closed at the end of the test."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.http = httpx.AsyncClient(base_url=f"http://127.0.0.1:{lab.http_port}", timeout=PATIENCE)
        self._esmes: list[Esme] = []

    async def connect(self) -> Esme:
        esme = Esme(*await asyncio.open_connection("127.0.0.1", self.lab.smpp_port))
        self._esmes.append(esme)
        return esme

    async def bound(self, kind: type[Any] = BindTransceiver, system_id: str = "acme") -> Esme:
        esme = await self.connect()
        assert (await esme.bind(kind, system_id)).command_status == 0
        return esme

    async def get(self, path: str) -> Any:
        answer = await self.http.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def texts(self, number: str = HANDSET) -> list[dict[str, Any]]:
        texts: list[dict[str, Any]] = await self.get(f"/handsets/{number}/texts")
        return texts

    async def bodies(self, number: str = HANDSET) -> list[str]:
        return [text["body"] for text in await self.texts(number)]

    async def until_texts(self, count: int) -> None:
        """Returns once so many texts have arrived."""

        async def arrived() -> bool:
            return (await self.stats())["texts"] >= count

        await until(arrived, PATIENCE, f"{count} texts at the handsets")

    async def stats(self) -> dict[str, int]:
        stats: dict[str, int] = await self.get("/stats")
        return stats

    async def faults(self, **faults: Any) -> None:
        answer = await self.http.put("/faults", json=faults)
        assert answer.status_code == 200, answer.text

    async def dialect(self, **dialect: Any) -> None:
        answer = await self.http.put("/dialect", json=dialect)
        assert answer.status_code == 200, answer.text

    async def type(self, body: str, to: str | None = NUMBER, number: str = HANDSET) -> dict[str, Any]:
        answer = await self.http.post(f"/handsets/{number}/reply", json={"body": body, "to": to})
        assert answer.status_code == 201, answer.text
        reply: dict[str, Any] = answer.json()
        return reply

    async def close(self) -> None:
        for esme in self._esmes:
            await esme.close()
        await self.http.aclose()
        await self.lab.stop()


@asynccontextmanager
async def running(**settings: Any) -> AsyncIterator[Rig]:
    """A started lab with these settings."""
    lab = Lab(LabConfig(smpp_port=0, http_port=0, **settings), time, Random(7))
    await lab.start()
    rig = Rig(lab)
    try:
        yield rig
    finally:
        await rig.close()
