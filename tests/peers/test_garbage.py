"""An SMSC that talks nonsense: no line of ours falls over it, and no other line of the same worker feels it."""

import asyncio
import itertools
import random
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import smpp34
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from smsdesk.carriers.contract import Accepted
from tests.carriers.smpp.rig import Running, line, outbound
from tests.journeys.test_first_text import says
from tests.kit.api import OURS
from tests.kit.demo_setup import Client, apply, client_of, consumer, set_up, setup_text
from tests.kit.lab import running_lab
from tests.kit.processes import serving, until

BIND, UNBIND, ENQUIRE_LINK, SUBMIT_SM = {1, 2, 9}, 6, 0x15, 4
RESPONSE = 0x80000000
PHONE, NUMBER = "14155550100", "16285550199"


def pdu(command_id: int, sequence_number: int, body: bytes = b"", status: int = 0) -> bytes:
    """A PDU by hand (SMPP 3.4 section 3.2): nothing of our codec is believed here."""
    return struct.pack(">IIII", 16 + len(body), command_id, status, sequence_number) + body


def deliver(sequence_number: int, octets: bytes, phone: str = PHONE, **fields: Any) -> bytes:
    """A deliver_sm as smpp34 writes it."""
    return bytes(smpp34.DeliverSm(phone, NUMBER, octets, sequence_number=sequence_number, **fields).encode())


SENSE = (
    deliver(1, b"id:m1 sub:001 dlvrd:001 stat:DELIVRD err:000 text:", esm_class=4),
    deliver(2, b"", esm_class=4, tlvs=[smpp34.Tlv(0x1E, b"m1\0"), smpp34.Tlv(0x427, b"\2")]),
    deliver(3, bytes((5, 0, 3, 7, 2, 1)) + b"a part", esm_class=0x40),
    deliver(4, "a reply".encode("utf-16-be"), data_coding=8, tlvs=[smpp34.Tlv(0x424, b"payload")]),
    deliver(6, b"a zero \0 in Latin-1", data_coding=3),
    deliver(7, b"id:m\0 stat:DELIVRD\0 err:\0", esm_class=4),
    deliver(8, b"", esm_class=4, tlvs=[smpp34.Tlv(0x1E, b"m\0\xff1\0"), smpp34.Tlv(0x427, b"\2")]),
    deliver(9, b"from nobody", ""),
    deliver(10, b"from somebody", "\x01B\u00fcro"),
    pdu(0x103, 5, b"\0\1\1" + PHONE.encode() + b"\0\1\1" + NUMBER.encode() + b"\0\0\0\0"),
    *(pdu(SUBMIT_SM | RESPONSE, number, b"m1\0") for number in (1, 2, 3, 4)),
    *(pdu(SUBMIT_SM | RESPONSE, 2, status=status) for status in (0x58, 0x14, 0x45, 0x8, 0x400, 0xFFFFFFFF)),
    *(pdu(command_id | RESPONSE, 1, b"SMSC\0") for command_id in BIND),
    *(pdu(RESPONSE, number, status=3) for number in (0, 2)),
    *(pdu(command_id, 9) for command_id in (ENQUIRE_LINK, ENQUIRE_LINK | RESPONSE, UNBIND, UNBIND | RESPONSE)),
    pdu(0x0B, 9, b"SMSC\0secret\0"),
    pdu(0x102, 9, b"\1\1" + PHONE.encode() + b"\0\1\1" + NUMBER.encode() + b"\0"),
    pdu(0x03 | RESPONSE, 9, b"m1\0\0\2\0"),
    pdu(0x21, 9, b"\0" * 40),
    pdu(0xDEADBEEF, 9, b"what?"),
)
"""What an SMSC may send, and what it never should."""


def nonsense(chance: random.Random) -> bytes:
    """One of those, spoiled in up to three ways, in half of the cases with a command_length that is right again; now
    and then left as it is."""
    octets = bytearray(chance.choice(SENSE))
    for _ in range(chance.randrange(4)):
        at = chance.randrange(len(octets) or 1)
        match chance.randrange(5):
            case 0:
                octets[at : at + 1] = [chance.randrange(256)]
            case 1:
                octets[at:] = b""
            case 2:
                octets[at:at] = chance.randbytes(chance.randrange(1, 20))
            case 3:
                octets[:4] = struct.pack(">I", chance.choice((0, 15, 16, 17, len(octets), len(octets) + 1, 2**31)))
            case _:
                del octets[at : at + chance.randrange(1, 20)]
    if len(octets) >= 16 and chance.randrange(2):
        octets[:4] = struct.pack(">I", len(octets))
    return bytes(octets)


class RawSmsc:
    """A peer made of octets. Healthy, it takes binds and texts; else it says its nonsense in place of the bind's answer
    or, once bound, after some texts, answers none of them, and closes its side."""

    def __init__(self, speech: Callable[[], list[bytes]], in_place_of_bind: bool = False, after: int = 0) -> None:
        self.port = 0
        self.healthy = False
        self.spoke = 0
        """How many connections have heard nonsense."""
        self._speech = speech
        self._in_place_of_bind = in_place_of_bind
        self._after = after
        self._writers: list[asyncio.StreamWriter] = []

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["RawSmsc"]:
        """Takes connections in this block."""
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for writer in self._writers:
                writer.transport.abort()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        texts = 0
        try:
            while True:
                length, command_id, _, number = struct.unpack(">IIII", await reader.readexactly(16))
                await reader.readexactly(length - 16)
                texts += command_id == SUBMIT_SM
                if not self.healthy and (self._in_place_of_bind or texts == self._after):
                    if command_id in BIND and not self._in_place_of_bind:
                        writer.write(pdu(command_id | RESPONSE, number, b"SMSC\0"))
                    await self._speak(reader, writer)
                elif command_id in BIND or (self.healthy and not command_id & RESPONSE):
                    writer.write(pdu(command_id | RESPONSE, number, b"good\0" if command_id < UNBIND else b""))
        except (asyncio.IncompleteReadError, OSError):
            writer.close()

    async def _speak(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.spoke += 1
        for octets in self._speech():
            writer.write(octets)
            await writer.drain()
        writer.write_eof()
        while await reader.read(65536):
            pass  # unread octets would turn the end into a reset, which takes the nonsense with it
        writer.close()


@asynccontextmanager
async def watched(port: int) -> AsyncIterator[Running]:
    """A line that must not fall, nor throw anything at the loop."""
    escaped: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: escaped.append(context))
    async with line(port, response_timeout=2.0) as running:
        yield running
        assert not running.task.done(), "the carrier ended"
    assert escaped == []


MANY = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def speech(chance: random.Random, cuts: list[int]) -> list[bytes]:
    """Up to eight pieces of nonsense, cut anywhere."""
    octets = b"".join(nonsense(chance) for _ in range(chance.randrange(1, 9)))
    places = [0, *sorted(cut % (len(octets) + 1) for cut in cuts), len(octets)]
    return [octets[start:end] for start, end in itertools.pairwise(places)]


SPEECHES = st.builds(speech, st.randoms(use_true_random=False), st.lists(st.integers(0, 500), max_size=4))


@MANY
@given(SPEECHES)
async def test_every_text_has_one_outcome_and_the_line_comes_back(octets: list[bytes]) -> None:
    smsc = RawSmsc(lambda: octets, after=3)
    async with smsc.listening(), watched(smsc.port) as running:
        await running.bound()
        running.carrier.send([outbound(1), outbound(2, "hello " * 40)])
        await until_spoken(running, smsc)
        for text_id in (1, 2):
            await running.ledger.outcome_of(text_id)
        await assert_sends(running, 3)


@MANY
@given(SPEECHES)
@example([pdu(RESPONSE, 1, status=3) + pdu(9 | RESPONSE, 1, b"SMSC\0")])  # a no and a yes at once
async def test_nonsense_in_place_of_the_bind_answer(octets: list[bytes]) -> None:
    smsc = RawSmsc(lambda: octets, in_place_of_bind=True)
    async with smsc.listening(), watched(smsc.port) as running:
        await until_spoken(running, smsc)
        await assert_sends(running, 1)


async def until_spoken(running: Running, smsc: RawSmsc) -> None:
    """From here on the SMSC is in good health."""

    async def spoken() -> bool:
        return smsc.spoke > 0

    await until(spoken, 5.0, "the nonsense")
    smsc.healthy = True


async def assert_sends(running: Running, text_id: int) -> None:
    """A text goes over the line, though perhaps not at the first try: the nonsense may still be on its way."""
    for number in range(text_id, text_id + 10):
        await running.bound()
        running.carrier.send([outbound(number)])
        if await running.ledger.outcome_of(number) == Accepted(("good",)):
            return
    raise AssertionError(f"no text went over the line: {running.ledger.outcomes}")


NOISY = """\
  - {{name: noisy, type: smpp, host: 127.0.0.1, port: {port}, system_id: acme, password: {{env: UPSTREAM_PASSWORD}},
     response_timeout: 1, reconnect_first: 0.05, reconnect_longest: 0.2}}
queues:"""
NOISY_NUMBER = "+16285550198"


@pytest.mark.slow
async def test_other_lines_of_the_worker_do_not_feel_it(database: str, tmp_path: Path) -> None:
    chance = random.Random(47)
    smsc = RawSmsc(lambda: [nonsense(chance) for _ in range(30)])
    async with running_lab() as handsets, smsc.listening():
        token = await set_up(database, tmp_path, handsets.smpp_port)
        text = setup_text(handsets.smpp_port).replace("queues:", NOISY.format(port=smsc.port), 1)
        number = f'numbers:\n  - {{number: "{NOISY_NUMBER}", carrier: noisy, queue: Orders, label: Noisy}}'
        await apply(database, tmp_path, text.replace("numbers:", number, 1))
        async with serving(tmp_path, database=database) as server, client_of(server.base_url, token) as client:
            await send(client, 0, NOISY_NUMBER, "into the noise")
            sent = 0
            while smsc.spoke < 6 or sent < 10:
                sent += 1
                chat_id = await send(client, sent, OURS, f"text {sent}")
                await says(client, chat_id, f"text {sent}", "delivered")
            assert [text["body"] for text in await handsets.all_texts()] == [f"text {n}" for n in range(1, sent + 1)]
            smsc.healthy = True
            chat_id = await send(client, 5_000, NOISY_NUMBER, "after the noise")
            await says(client, chat_id, "after the noise", "sent")
            assert await server.stop() == 0, server.errors
            assert "smpp nonsense" in server.errors
            assert '"level": "error"' not in server.errors, server.complaints
            assert "Traceback" not in server.errors, server.errors


async def send(client: Client, phone: int, number: str, message: str) -> int:
    """Starts a chat with a phone from one of our numbers; gives its id."""
    answer = await client.send(consumer(phone), message, outbound_number=number)
    assert answer.status == 200, answer.body
    chat_id: int = answer.json["id"]
    return chat_id
