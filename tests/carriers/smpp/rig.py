"""The two ends around a line under test: an SMSC that does what a test says, and a sink that keeps what it is told."""

import asyncio
import random
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any, TypeVar

import structlog

from smsdesk.carriers.contract import OutboundText, Outcome, Receipt, Reply, Sink
from smsdesk.carriers.smpp import pdu as smpp
from smsdesk.carriers.smpp.account import Account
from smsdesk.carriers.smpp.carrier import SmppCarrier
from smsdesk.carriers.smpp.codec import Framer, encode
from smsdesk.carriers.smpp.config import Config
from smsdesk.carriers.smpp.outcomes import read_meanings
from smsdesk.carriers.smpp.timers import Flow
from smsdesk.domain.segments import segment

P = TypeVar("P", bound=smpp.Pdu)
PATIENCE = 5.0


LATER = datetime(2030, 1, 1, tzinfo=UTC)


def outbound(
    text_id: int, body: str = "hello", source: str = "+16285550199", valid_until: datetime = LATER
) -> OutboundText:
    return OutboundText(1, text_id, 1, source, "+14155550100", segment(body), valid_until)


def config(port: int, **settings: Any) -> Config:
    quick = {"reconnect_first": 0.01, "reconnect_longest": 0.05, "throttle_first": 0.05, "throttle_longest": 0.1}
    return Config(host="127.0.0.1", port=port, system_id="acme", password="hush", **(quick | settings))


def account(settings: Config, sink: Sink) -> Account:
    return Account(
        carrier="upstream",
        config=settings,
        sink=sink,
        clock=time.monotonic,
        now=lambda: datetime.now(UTC),
        random=random.random,
        log=structlog.get_logger(),
        flow=Flow(settings.throttle_first, settings.throttle_longest),
        meanings=read_meanings(settings.status_reasons),
    )


class Ledger:
    """A sink that keeps what it is told. With `hold` the futures of deliveries stay open until the test ends them."""

    def __init__(self, hold: bool = False) -> None:
        self.outcomes: list[tuple[int, Outcome]] = []
        self.receipts: list[Receipt] = []
        self.replies: list[Reply] = []
        self.rooms = 0
        self.futures: list[asyncio.Future[None]] = []
        self._hold = hold
        self.changed = asyncio.Event()

    def outcome(self, text: OutboundText, outcome: Outcome) -> None:
        self.outcomes.append((text.text_id, outcome))
        self.changed.set()

    def receipt(self, receipt: Receipt) -> asyncio.Future[None]:
        self.receipts.append(receipt)
        return self._store()

    def reply(self, reply: Reply) -> asyncio.Future[None]:
        self.replies.append(reply)
        return self._store()

    def room(self) -> None:
        self.rooms += 1
        self.changed.set()

    def _store(self) -> asyncio.Future[None]:
        self.changed.set()
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.futures.append(future)
        if not self._hold:
            future.set_result(None)
        return future

    async def until(self, holds: Callable[[], Any]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not holds():
                await self.changed.wait()
                self.changed.clear()

    async def turn(self, seconds: float) -> None:
        """Waits for the next thing that it is told, at most so long."""
        self.changed.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self.changed.wait(), seconds)

    async def outcome_of(self, text_id: int) -> Outcome:
        await self.until(lambda: text_id in dict(self.outcomes))
        assert [number for number, _ in self.outcomes].count(text_id) == 1
        return dict(self.outcomes)[text_id]


class Peer:
    """One connection, seen from the SMSC."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._framer = Framer()
        self._read: list[smpp.Pdu] = []

    async def read(self, kind: type[P]) -> P:
        """The next PDU, which must be of that kind."""
        async with asyncio.timeout(PATIENCE):
            while not self._read:
                data = await self._reader.read(65536)
                assert data, f"the line was closed where a {kind.__name__} should have come"
                self._read += self._framer.feed(data)
        pdu = self._read.pop(0)
        assert isinstance(pdu, kind), f"{pdu} where a {kind.__name__} should have come"
        return pdu

    async def read_many(self, kind: type[P], count: int) -> list[P]:
        return [await self.read(kind) for _ in range(count)]

    async def ended(self) -> None:
        """Waits until the other end closes; nothing but unbind may come before."""
        async with asyncio.timeout(PATIENCE):
            while data := await self._reader.read(65536):
                assert all(isinstance(pdu, smpp.Unbind) for pdu in self._framer.feed(data))

    async def nothing_comes(self, seconds: float) -> None:
        with suppress(TimeoutError):
            self._read += self._framer.feed(await asyncio.wait_for(self._reader.read(65536), seconds))
        assert self._read == []

    def send(self, *pdus: smpp.Pdu) -> None:
        self.raw(b"".join(map(encode, pdus)))

    def raw(self, octets: bytes) -> None:
        self._writer.write(octets)

    def take(self, *submits: smpp.SubmitSm) -> None:
        """Answers each with its own name: `id-` and the text's reference."""
        self.send(*(smpp.SubmitSmResp(submit.sequence_number, 0, message_id(submit)) for submit in submits))

    def refuse(self, status: int, *submits: smpp.SubmitSm) -> None:
        self.send(*(smpp.SubmitSmResp(submit.sequence_number, status) for submit in submits))

    def drop(self) -> None:
        self._writer.transport.abort()

    def drop_after_writing(self) -> None:
        """Closes in good order, however little the other end has read."""
        self._writer.close()

    async def bind(self, kind: type[smpp.Bind] = smpp.Bind) -> smpp.Bind:
        """Takes a bind, of that kind or of any."""
        request = await self.read(kind)
        assert request.response is not None
        self.send(request.response(request.sequence_number))
        return request


def message_id(submit: smpp.SubmitSm) -> str:
    reference = int.from_bytes(submit.tlvs[smpp.Tag.USER_MESSAGE_REFERENCE])
    return f"id-{reference}-{submit.short_message[5]}" if submit.esm_class & 0x40 else f"id-{reference}"


@asynccontextmanager
async def calling(port: int) -> AsyncIterator[Peer]:
    """An SMSC that connects to us."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Peer(reader, writer)
    finally:
        writer.transport.abort()
        with suppress(OSError):
            await writer.wait_closed()


class Smsc:
    """Listens; hands each connection to the test."""

    def __init__(self) -> None:
        self._peers: asyncio.Queue[Peer] = asyncio.Queue()
        self.port = 0

    async def accept(self) -> Peer:
        return await asyncio.wait_for(self._peers.get(), PATIENCE)

    async def accept_bound(self) -> Peer:
        peer = await self.accept()
        await peer.bind()
        return peer

    @asynccontextmanager
    async def listening(self, receive_buffer: int = 0, tls: ssl.SSLContext | None = None) -> AsyncIterator["Smsc"]:
        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writers.append(writer)
            self._peers.put_nowait(Peer(reader, writer))

        writers: list[asyncio.StreamWriter] = []
        listener = socket.create_server(("127.0.0.1", 0))
        if receive_buffer:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        server = await asyncio.start_server(connected, sock=listener, ssl=tls)
        self.port = listener.getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for writer in writers:
                writer.transport.abort()


class Running:
    """A carrier at work, its sink and what it logged."""

    def __init__(self, settings: Config, ledger: Ledger, **around: Any) -> None:
        self.ledger = ledger
        self.logged: list[str] = []
        level = structlog.make_filtering_bound_logger(0)
        log = structlog.wrap_logger(structlog.PrintLogger(), processors=[self._keep], wrapper_class=level)
        self.carrier = SmppCarrier(1, "upstream", settings, log=log, **around)
        self.task = asyncio.ensure_future(self.carrier.run(ledger))

    def _keep(self, _: object, __: str, entry: structlog.typing.EventDict) -> str:
        self.logged.append(str(entry))
        self.ledger.changed.set()
        return str(entry)

    async def logs(self, words: str) -> str:
        await self.ledger.until(lambda: any(words in entry for entry in self.logged))
        return next(entry for entry in self.logged if words in entry)

    async def bound(self) -> None:
        await self.ledger.until(self.carrier.room)

    async def stop(self) -> None:
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.wait_for(self.task, 2 * PATIENCE)

    async def abandon(self) -> None:
        """Ends at once: the second cancelling cuts the drain of the first short."""
        self.task.cancel()
        for _ in range(5):  # turns of the loop until the first is noticed
            await asyncio.sleep(0)
        await self.stop()


@asynccontextmanager
async def line(
    port: int, ledger: Ledger | None = None, *, around: dict[str, Any] | None = None, **settings: Any
) -> AsyncIterator[Running]:
    """Runs a carrier against the port for the length of a test; `around` are fields of its `Surroundings`."""
    running = Running(config(port, **settings), ledger or Ledger(), **around or {})
    try:
        yield running
    finally:
        await running.abandon()
    for secret in ("hush", "5550199", "5550100", "hello"):
        assert all(secret not in entry for entry in running.logged)


@asynccontextmanager
async def talking(ledger: Ledger | None = None, **settings: Any) -> AsyncIterator[tuple[Running, Peer]]:
    """A bound line and the SMSC's end of it."""
    async with Smsc().listening() as smsc, line(smsc.port, ledger, **settings) as running:
        peer = await smsc.accept_bound()
        await running.bound()
        try:
            yield running, peer
        finally:
            peer.drop()
