"""The same conversation over an SMSC that others wrote, smpp34's server: we do not only understand ourselves."""

import asyncio
import itertools
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import smpp34

from tests.kit.api import CONSUMER, OURS
from tests.kit.demo_setup import client_of, set_up
from tests.kit.processes import serving, until

from .test_first_text import has_status, says

PHONE, NUMBER = CONSUMER.lstrip("+"), OURS.lstrip("+")
LIMIT = 20.0


class Smsc:
    """Takes every text, keeps its octets by part, and reports it as delivered."""

    def __init__(self, server: smpp34.Server) -> None:
        self._server = server
        self._ids = itertools.count(1)
        self.esme: smpp34.Esme | None = None
        self.texts: list[tuple[int, bytes]] = []
        """data_coding and short_message of each submit_sm."""

    async def run(self) -> None:
        """Serves until cancelled."""
        while True:
            event = await self._server.next()
            if isinstance(event, smpp34.Esme):
                self.esme = event
            elif isinstance(event, smpp34.SubmitSmEvent):
                assert (event.source_addr, event.destination_addr) == (NUMBER, PHONE)
                self.texts.append((event.data_coding, bytes(event.short_message)))
                name = f"smsc-{next(self._ids)}"
                event.accept(name)
                await self._report(name)

    async def _report(self, name: str) -> None:
        assert self.esme is not None
        receipt = f"id:{name} sub:001 dlvrd:001 submit date:2603021720 done date:2603021720 stat:DELIVRD err:000 text:"
        answer = await self.esme.deliver_sm(NUMBER, receipt.encode(), source_addr=PHONE, esm_class=4)
        assert answer.is_success

    async def confirms(self) -> bool:
        """Whether the last text is the confirmation of a STOP."""
        return b"opted out" in self.texts[-1][1]

    async def reply(self, body: bytes, coding: int, esm_class: int = 0) -> None:
        """The phone's text, as one deliver_sm."""
        assert self.esme is not None
        answer = await self.esme.deliver_sm(
            NUMBER, body, source_addr=PHONE, data_coding=coding, esm_class=esm_class, source_addr_ton=1
        )
        assert answer.is_success


@pytest.fixture
async def smsc() -> AsyncIterator[tuple[Smsc, int]]:
    """The other SMSC and its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    server = smpp34.Server("127.0.0.1", port, system_id="FOREIGN")
    await server.start()
    smsc = Smsc(server)
    running = asyncio.create_task(smsc.run())
    yield smsc, port
    if running.done():
        await running
    running.cancel()
    await asyncio.wait({running})
    await server.stop()


async def test_a_conversation_over_another_smsc(smsc: tuple[Smsc, int], database: str, tmp_path: Path) -> None:
    other, port = smsc
    token = await set_up(database, tmp_path, port)
    async with serving(tmp_path, database=database) as server, client_of(server.base_url, token) as client:
        sent = await client.send(CONSUMER, "Grüße aus {Köln} €", agentEmail="john.doe@foo.com")
        assert sent.status == 200, sent.body
        chat_id, agent = sent.json["id"], sent.json["agent_info"]["id"]
        await says(client, chat_id, "Grüße aus {Köln} €", "delivered")
        assert len(other.texts) == 1

        await other.reply("sì, 日本 😀".encode("utf-16-be"), coding=8)
        await says(client, chat_id, "sì, 日本 😀")
        for part, words in enumerate((b"a long answer ", b"in two parts"), 1):
            await other.reply(bytes((5, 0, 3, 77, 2, part)) + words, coding=0, esm_class=0x40)
        await says(client, chat_id, "a long answer in two parts")

        long = "sì 😀 日本 " * 18 + "!"
        wanted = {"from_user_id": agent, "message": {"type": "text", "content": long}}
        assert (await client.call("POST", f"/chats/{chat_id}/message", json=wanted)).status == 200
        await says(client, chat_id, long, "delivered")
        parts = {octets[5]: octets[6:] for coding, octets in other.texts if coding == 8}
        assert b"".join(parts[number] for number in sorted(parts)).decode("utf-16-be") == long

        await other.reply(b"STOP", coding=0)
        assert (await has_status(client, chat_id, "failed"))["fail_reason"] == "end_user_opt_out"
        await until(other.confirms, LIMIT, "the confirmation at the other SMSC")
        assert await server.stop() == 0, server.errors
