"""What the SMSCs of others have in common: two libraries behind one small interface, and the wire to them."""

import asyncio
import socket
import ssl
import struct
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import smpp34

PATIENCE = 10.0
SYSTEM_ID, PASSWORD = "acme", "hush"


@dataclass(frozen=True)
class Bound:
    """A session that the SMSC has, as the SMSC calls it."""

    session: Any
    kind: str
    """`receiver`, `transmitter` or `transceiver`; empty where the library does not tell."""


@dataclass(frozen=True)
class Submit:
    """A submit_sm as the SMSC's library read it, and the way to answer it."""

    session: Any
    service_type: str
    source_addr_ton: int
    source_addr_npi: int
    source_addr: str
    dest_addr_ton: int
    dest_addr_npi: int
    destination_addr: str
    esm_class: int
    protocol_id: int
    registered_delivery: int
    data_coding: int
    short_message: bytes
    tlvs: dict[int, bytes]
    accept: Callable[[str], None] = field(repr=False)
    """Takes it under this message_id."""
    reject: Callable[[int], None] = field(repr=False)
    """Refuses it with this command_status."""


@dataclass(frozen=True)
class Delivery:
    """A deliver_sm that the SMSC is to send, from an international number to another."""

    short_message: bytes = b""
    esm_class: int = 0
    data_coding: int = 0
    tlvs: dict[int, bytes] = field(default_factory=dict)
    source_addr: str = "14155550100"
    destination_addr: str = "16285550199"


@dataclass(frozen=True)
class Query:
    """A query_sm that the SMSC's library read, and the way to answer it."""

    message_id: str
    answer: Callable[[int, int], None] = field(repr=False)
    """Answers with a command_status and a message_state."""


class ForeignSmsc(ABC):
    """A running SMSC of a library that is not ours."""

    port: int

    def __init__(self) -> None:
        self.sessions: list[Bound] = []
        """Those that are bound now, in the order of their binding."""
        self.submits: asyncio.Queue[Submit] = asyncio.Queue()
        self.queries: asyncio.Queue[Query] = asyncio.Queue()
        self._changed = asyncio.Event()

    async def submitted(self) -> Submit:
        """The next submit_sm."""
        return await asyncio.wait_for(self.submits.get(), PATIENCE)

    async def queried(self) -> Query:
        """The next query_sm."""
        return await asyncio.wait_for(self.queries.get(), PATIENCE)

    async def until_bound(self, count: int) -> list[Bound]:
        """The sessions, once there are so many."""
        async with asyncio.timeout(PATIENCE):
            while len(self.sessions) != count:
                self._changed.clear()
                await self._changed.wait()
        return list(self.sessions)

    async def until_bound_anew(self, old: list[Bound]) -> None:
        """Waits until these sessions have ended and another is bound."""
        async with asyncio.timeout(PATIENCE):
            while not self.sessions or set(old) & set(self.sessions):
                self._changed.clear()
                await self._changed.wait()

    def _note_bound(self, bound: Bound) -> None:
        self.sessions.append(bound)
        self._changed.set()

    def _note_unbound(self, session: Any) -> None:
        self.sessions = [bound for bound in self.sessions if bound.session != session]
        self._changed.set()

    @abstractmethod
    async def deliver(self, delivery: Delivery) -> int:
        """Sends a deliver_sm over the last session that may have it; gives the command_status of the answer."""

    @abstractmethod
    async def enquire(self) -> int:
        """Sends an enquire_link over the last session; gives the command_status of the answer."""

    @abstractmethod
    async def refuse_query(self) -> None:
        """Answers the next query_sm with ESME_RQUERYFAIL."""

    @abstractmethod
    async def unbind(self) -> None:
        """Unbinds the last session."""


class Wire:
    """The network between a line of ours and an SMSC: it keeps the octets that we send, it can be cut, and it ends TLS
    where the SMSC has none, as stunnel does in front of many."""

    def __init__(self, smsc_port: int) -> None:
        self.port = 0
        self.sent: list[bytearray] = []
        """What came from us, by connection."""
        self._smsc_port = smsc_port
        self._down = False
        self._ends: dict[asyncio.StreamWriter, Any] = {}  # with the socket, which a closed TLS transport does not know
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def up(self, tls: ssl.SSLContext | None = None) -> AsyncIterator["Wire"]:
        """Carries connections in this block."""
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0, ssl=tls)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            self.cut()
            if self._tasks:
                await asyncio.wait(self._tasks)

    @asynccontextmanager
    async def down(self) -> AsyncIterator[None]:
        """Cuts every connection, and carries none in this block."""
        self._down = True
        self.cut()
        yield
        self._down = False

    def cut(self) -> None:
        """Resets every connection, at both ends."""
        for writer, end in self._ends.items():
            if end.fileno() >= 0:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        self._ends.clear()

    def pdus(self) -> list[Any]:
        """The PDUs that went over it, connection by connection, read by smpp34's codec: its server does not show all of
        them, nor all of their fields."""
        pdus = []
        for octets in map(bytes, self.sent):
            at = 0
            while len(octets) >= (end := at + int.from_bytes(octets[at : at + 4])) > at:
                pdus.append(smpp34.decode(octets[at:end]))
                at = end
        return pdus

    def count(self, command_id: int) -> int:
        """How many PDUs of a kind went over it."""
        return [pdu.command_id for pdu in self.pdus()].count(command_id)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._down:
            writer.transport.abort()
            return
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._smsc_port)
            self._ends |= {end: end.get_extra_info("socket") for end in (writer, far_writer)}
            kept = bytearray()
            self.sent.append(kept)
            await asyncio.gather(_carry(reader, far_writer, kept), _carry(far_reader, writer))
        finally:
            self._tasks.discard(task)


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, kept: bytearray | None = None) -> None:
    with suppress(OSError):
        while octets := await reader.read(65536):
            if kept is not None:
                kept += octets
            writer.write(octets)
            await writer.drain()
    writer.close()
