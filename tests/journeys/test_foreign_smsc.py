"""The same conversation over two SMSCs that others wrote, smpp34's and smpp.twisted3's: we do not only understand
ourselves."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.kit.api import CONSUMER, OURS
from tests.kit.demo_setup import client_of, set_up
from tests.kit.processes import serving, until
from tests.peers.foreign import Delivery, ForeignSmsc, Submit
from tests.peers.smscs import Smpp34Smsc, TwistedProcess

from .test_first_text import has_status, says

PHONE, NUMBER = CONSUMER.lstrip("+"), OURS.lstrip("+")
LIMIT = 20.0


class Phone:
    """A phone behind an SMSC that takes every text and reports it as delivered."""

    def __init__(self, smsc: ForeignSmsc) -> None:
        self._smsc = smsc
        self._ids = itertools.count(1)
        self.texts: list[Submit] = []

    @property
    def port(self) -> int:
        """Where its SMSC takes lines."""
        return self._smsc.port

    async def run(self) -> None:
        """Takes texts until cancelled."""
        while True:
            submit = await self._smsc.submits.get()
            assert (submit.source_addr, submit.destination_addr) == (NUMBER, PHONE)
            self.texts.append(submit)
            name = f"smsc-{next(self._ids)}"
            submit.accept(name)
            receipt = f"id:{name} sub:001 dlvrd:001 submit date:2603021720 done date:2603021720 stat:DELIVRD err:000"
            await self._type(f"{receipt} text:".encode(), 0, 0x04)

    async def confirms(self) -> bool:
        """Whether the last text is the confirmation of a STOP."""
        return b"opted out" in self.texts[-1].short_message

    async def reply(self, body: bytes, coding: int, esm_class: int = 0) -> None:
        """Somebody sends a text from it, as one deliver_sm."""
        await self._type(body, coding, esm_class)

    async def _type(self, body: bytes, coding: int, esm_class: int) -> None:
        assert await self._smsc.deliver(Delivery(body, esm_class, coding, {}, PHONE, NUMBER)) == 0


@pytest.fixture(params=["smpp34", "smpp.twisted3"])
async def phone(request: pytest.FixtureRequest) -> AsyncIterator[Phone]:
    """A phone behind each of the SMSCs."""
    async with AsyncExitStack() as stack:
        if request.param == "smpp34":
            smsc: ForeignSmsc = await stack.enter_async_context(Smpp34Smsc().running())
        else:
            process = stack.enter_context(TwistedProcess().running())
            smsc = await stack.enter_async_context(process.smsc(password="sesame"))
        phone = Phone(smsc)
        running = asyncio.create_task(phone.run())
        yield phone
        if running.done():
            await running
        running.cancel()
        await asyncio.wait({running})


async def test_a_conversation_over_another_smsc(phone: Phone, database: str, tmp_path: Path) -> None:
    token = await set_up(database, tmp_path, phone.port)
    async with serving(tmp_path, database=database) as server, client_of(server.base_url, token) as client:
        sent = await client.send(CONSUMER, "Grüße aus {Köln} €", agentEmail="john.doe@foo.com")
        assert sent.status == 200, sent.body
        chat_id, agent = sent.json["id"], sent.json["agent_info"]["id"]
        await says(client, chat_id, "Grüße aus {Köln} €", "delivered")
        assert len(phone.texts) == 1

        await phone.reply("sì, 日本 😀".encode("utf-16-be"), coding=8)
        await says(client, chat_id, "sì, 日本 😀")
        for part, words in enumerate((b"a long answer ", b"in two parts"), 1):
            await phone.reply(bytes((5, 0, 3, 77, 2, part)) + words, coding=0, esm_class=0x40)
        await says(client, chat_id, "a long answer in two parts")

        long = "sì 😀 日本 " * 18 + "!"
        wanted = {"from_user_id": agent, "message": {"type": "text", "content": long}}
        assert (await client.call("POST", f"/chats/{chat_id}/message", json=wanted)).status == 200
        await says(client, chat_id, long, "delivered")
        parts = {text.short_message[5]: text.short_message[6:] for text in phone.texts if text.data_coding == 8}
        assert b"".join(parts[number] for number in sorted(parts)).decode("utf-16-be") == long

        await phone.reply(b"STOP", coding=0)
        assert (await has_status(client, chat_id, "failed"))["fail_reason"] == "end_user_opt_out"
        await until(phone.confirms, LIMIT, "the confirmation at the other SMSC")
        assert await server.stop() == 0, server.errors
