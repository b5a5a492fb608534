"""One connection of an ESME: frames, binding, the window of deliver_sm, timers. What a text means is the SMSC's."""

import asyncio
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from smsdesk.carriers.smpp.codec import Framer, PduError, encode
from smsdesk.carriers.smpp.pdu import (
    INTERFACE_VERSION,
    MAX_SEQUENCE_NUMBER,
    Bind,
    BindReceiver,
    BindResp,
    BindTransceiver,
    BindTransmitter,
    CancelSm,
    DataSm,
    DataSmResp,
    DeliverSm,
    DeliverSmResp,
    EnquireLink,
    EnquireLinkResp,
    GenericNack,
    Pdu,
    QuerySm,
    SubmitSm,
    SubmitSmResp,
    Tag,
    Unbind,
    UnbindResp,
)
from smsdesk.carriers.smpp.status import Status
from smsdesk.lab.config import LabConfig
from smsdesk.lab.outbox import Outgoing
from smsdesk.lab.verdict import Connection

_SYSTEM_ID = "smsdesk-lab"
_SESSIONS = {BindTransmitter: "transmitter", BindReceiver: "receiver", BindTransceiver: "transceiver"}
_SILENT_INTERVALS = 3
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""SO_LINGER on with no time to linger: closing resets."""


@dataclass(frozen=True, slots=True)
class LineEvents:
    """What a line tells the SMSC that it belongs to. None of them may block."""

    opened: Callable[["Line"], None]
    judge_bind: Callable[[Bind], int]
    """Gives the command_status of the answer."""
    bound: Callable[["Line"], None]
    hangs: Callable[[], bool]
    """Whether all lines hang."""
    submitted: Callable[["Line", SubmitSm | DataSm], None]
    queried: Callable[["Line", QuerySm], None]
    cancelled: Callable[["Line", CancelSm], None]
    answered: Callable[["Line", DeliverSmResp], None]
    """A deliver_sm_resp came; the SMSC finds its deliver_sm in `waiting`."""
    room: Callable[["Line"], None]
    """The line can take deliver_sm again."""
    closed: Callable[["Line"], None]


class Line(asyncio.Protocol):
    """One TCP connection, from its first octet to its last."""

    def __init__(self, number: int, config: LabConfig, events: LineEvents) -> None:
        self.name = f"line-{number}"
        self.system_id = ""
        self.session = ""
        """`transmitter`, `receiver`, `transceiver`, or empty until bound."""
        self.peer = ""
        self.submits = 0
        self.delivers = 0
        self.waiting: dict[int, tuple[Outgoing, float]] = {}
        """deliver_sm without an answer by sequence_number, oldest first, with the loop's time when each was sent."""
        self.enquiries = self.alive = 0
        """enquire_link and enquire_link_resp that came."""
        self.unanswered = 0
        """submit_sm whose answer is yet to leave."""
        self.heard_at = 0.0
        self.hung = False
        """Takes octets and answers nothing, for the rest of its life."""
        self._config = config
        self._events = events
        self._loop = asyncio.get_running_loop()
        self._framer = Framer()
        self._transport: asyncio.Transport | None = None
        self._out: list[bytes] = []
        self._sequence = 0
        self._paused = False
        self._asked_at = 0.0

    @property
    def receives(self) -> bool:
        """Whether deliver_sm may be sent on it."""
        return self._transport is not None and not self.hung and self.session in ("receiver", "transceiver")

    @property
    def has_room(self) -> bool:
        """Whether a deliver_sm may be sent on it right now."""
        return self.receives and not self._paused and len(self.waiting) < self._config.deliver_window

    @property
    def is_full(self) -> bool:
        """Whether one more submit_sm is more than its window holds."""
        return 0 < self._config.submit_window <= self.unanswered

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        host, port = transport.get_extra_info("peername")[:2]
        self.peer = f"{host}:{port}"
        self.heard_at = self._loop.time()
        self._events.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._out.clear()
        self._events.closed(self)

    def pause_writing(self) -> None:
        # An ESME that does not read its answers may not submit more: this bounds what is kept for it.
        self._paused = True
        if self._transport:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        self._paused = False
        if self._transport:
            self._transport.resume_reading()
            self._events.room(self)

    def data_received(self, data: bytes) -> None:
        self.heard_at = self._loop.time()
        if self.hung or self._events.hangs():
            self.hung = True
            return
        while self._transport is not None:
            try:
                pdus = self._framer.feed(data)
            except PduError as problem:
                self._take(problem.pdus)
                if not problem.is_response:
                    self.send(GenericNack(problem.sequence_number, problem.command_status))
                if problem.fatal:
                    self.close()
                data = b""
            else:
                self._take(pdus)
                return

    def _take(self, pdus: list[Pdu]) -> None:
        for pdu in pdus:
            if self._transport is None or self.hung:
                return
            if isinstance(pdu, SubmitSm | DataSm) and self.session in ("transmitter", "transceiver"):
                self.submits += 1
                self._events.submitted(self, pdu)
            elif isinstance(pdu, DeliverSmResp):
                self._events.answered(self, pdu)
            else:
                self._take_rare(pdu)

    def _take_rare(self, pdu: Pdu) -> None:
        match pdu:
            case Bind():
                self._bind(pdu)
            case EnquireLink():
                self.enquiries += 1
                self.send(EnquireLinkResp(pdu.sequence_number))
            case EnquireLinkResp():
                self.alive += 1
            case Unbind():
                self.send(UnbindResp(pdu.sequence_number))
                self.close()
            case UnbindResp():
                self.close()
            case SubmitSm() | DataSm():
                answer = SubmitSmResp if isinstance(pdu, SubmitSm) else DataSmResp
                self.send(answer(pdu.sequence_number, Status.RINVBNDSTS))
            case QuerySm() if self.session:
                self._events.queried(self, pdu)
            case CancelSm() if self.session:
                self._events.cancelled(self, pdu)
            case _ if pdu.response is not None:
                self.send(GenericNack(pdu.sequence_number, Status.RINVCMDID))
            case _:
                pass  # an answer to nothing that we wait for

    def _bind(self, bind: Bind) -> None:
        answer = cast("type[BindResp]", bind.response)
        status = Status.RALYBND if self.session else self._events.judge_bind(bind)
        if status:
            self.send(answer(bind.sequence_number, status))
            if not self.session:
                self.close()
            return
        self.session, self.system_id = _SESSIONS[type(bind)], bind.system_id
        self.send(answer(bind.sequence_number, 0, _SYSTEM_ID, {Tag.SC_INTERFACE_VERSION: bytes((INTERFACE_VERSION,))}))
        self._events.bound(self)

    def deliver(self, outgoing: Outgoing) -> None:
        """Sends a deliver_sm; the caller has looked at `has_room`."""
        sequence = self._next_sequence()
        outgoing.sends += 1
        self.delivers += 1
        self.waiting[sequence] = (outgoing, self._loop.time())
        header = (16 + len(outgoing.body), DeliverSm.command_id, 0, sequence)
        self.write(b"".join([field.to_bytes(4, "big") for field in header]) + outgoing.body)

    def send(self, pdu: Pdu) -> None:
        """Sends a PDU if the line is still up. All that is sent in one turn of the loop leaves in one write."""
        self.write(encode(pdu))

    def write(self, octets: bytes) -> None:
        """Sends octets, of a PDU or not."""
        if self._transport is None or self.hung:
            return
        if not self._out:
            self._loop.call_soon(self._flush)
        self._out.append(octets)

    def _flush(self) -> None:
        if self._transport and self._out:
            self._transport.write(b"".join(self._out))
        self._out.clear()

    def _next_sequence(self) -> int:
        self._sequence = self._sequence % MAX_SEQUENCE_NUMBER + 1
        return self._sequence

    def look(self, now: float) -> None:
        """Keeps the line's timers (SMPP 3.4 section 7.2); `now` is the loop's time."""
        if self.hung:
            return
        silence, interval = now - self.heard_at, self._config.enquire_link_interval
        if not self.session:
            if silence >= self._config.session_init_timeout:
                self.close()
        elif silence >= _SILENT_INTERVALS * interval:
            self.abort()
        elif silence >= interval and now - self._asked_at >= interval:
            self._asked_at = now
            self.send(EnquireLink(self._next_sequence()))

    def unbind(self) -> None:
        """Says goodbye and closes without waiting for the answer."""
        if self.session:
            self.send(Unbind(self._next_sequence()))
        self.close()

    def become(self, fate: Connection) -> None:
        """Closes, resets or hangs the connection, or lets it be."""
        if fate == "closes":
            self.close()
        elif fate == "resets":
            self._reset()
        elif fate == "hangs":
            self.hung = True

    def _reset(self) -> None:
        if self._transport:
            connection = self._transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.abort()

    def close(self) -> None:
        """Sends what waits, then closes."""
        self._flush()
        if self._transport:
            self._transport.close()
            self._transport = None

    def abort(self) -> None:
        """Resets the connection; what was written in this turn of the loop never leaves."""
        self._out.clear()
        if self._transport:
            self._transport.abort()
            self._transport = None
