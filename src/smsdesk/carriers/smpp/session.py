"""One connection to an SMSC as an ESME transceiver (SMPP 3.4 section 2): octets from and to the socket, and nothing
that the pure parts could decide."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import cast

from structlog.typing import FilteringBoundLogger

from smsdesk.carriers.contract import OutboundText, Receipt, Refused, Sink, Unsent
from smsdesk.carriers.smpp import pdu as smpp
from smsdesk.carriers.smpp.codec import Framer, PduError, encode
from smsdesk.carriers.smpp.config import Config
from smsdesk.carriers.smpp.inbound import read_inbound
from smsdesk.carriers.smpp.outcomes import THROTTLING, refusal
from smsdesk.carriers.smpp.receipts import normalise_id
from smsdesk.carriers.smpp.status import Status, describe
from smsdesk.carriers.smpp.submission import prepare
from smsdesk.carriers.smpp.timers import LinkTimer, Throttle
from smsdesk.carriers.smpp.window import Settled, Window

_MAX_INBOUND = 1000
"""Deliveries that may wait to be stored. More are refused for now: the SMSC keeps and repeats them."""
_UNBIND_TIMEOUT = 1.0


@dataclass(frozen=True, slots=True)
class Line:
    """What the sessions of one carrier share."""

    config: Config
    sink: Sink
    clock: Callable[[], float]
    log: FilteringBoundLogger
    throttle: Throttle


class Session(asyncio.Protocol):
    """Binds as soon as it is connected. `opened` ends with an empty string when bound, else with what went wrong;
    `closed` ends with why the session is over, after every text that it held has its outcome."""

    def __init__(self, line: Line, name: str, first_sequence_number: int = 1) -> None:
        config = line.config
        self._line = line
        self._name = name
        self._loop = asyncio.get_running_loop()
        self.opened: asyncio.Future[str] = self._loop.create_future()
        self.closed: asyncio.Future[str] = self._loop.create_future()
        self._drained: asyncio.Future[None] = self._loop.create_future()
        self._window = Window(config.window, config.response_timeout, first_sequence_number)
        self._framer = Framer()
        self._link = LinkTimer(config.enquire_link, config.response_timeout, line.clock())
        self._out: list[bytes] = []
        self._inbound: set[int] = set()
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._flush_due = False
        self._writable = True
        self.bound = False
        """Whether texts and deliveries may flow."""
        self._draining = False
        self._full = True

    # What the carrier asks of a session.

    def room(self) -> int:
        """Texts that would go on the wire now."""
        if not self.bound or self._draining or not self._writable or self._line.throttle.remaining(self._line.clock()):
            return 0
        return self._window.room()

    def send(self, texts: Sequence[OutboundText]) -> None:
        """Writes as many texts as there is room for in this turn of the loop or the next; the others are `Unsent`."""
        room = self.room()
        for index, text in enumerate(texts):
            if index >= room:
                self._line.sink.outcome(text, Unsent("the send window is full"))
                continue
            submission = prepare(text, self._line.config)
            if isinstance(submission, Refused):
                self._line.sink.outcome(text, submission)
            else:
                self._window.put(submission)
        self._wake()

    async def drain(self, limit: float) -> None:
        """Takes no more texts, gives back what did not leave, waits at most `limit` seconds for open answers and
        unstored deliveries, unbinds and closes."""
        self._draining = True
        self._report(self._window.release("the line is being closed"))
        self._wake()
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(self._drained), limit)
            if self.bound:
                self._write(smpp.Unbind(self._window.next_sequence_number()))
                with suppress(TimeoutError):
                    await asyncio.wait_for(asyncio.shield(self.closed), _UNBIND_TIMEOUT)
        finally:
            self.close("the line is being closed")

    def close(self, why: str) -> None:
        """Closes the connection after what is written so far, and reports an outcome for every text inside."""
        if self._transport is not None and not self.closed.done():
            if self._out and not self._transport.is_closing():
                self._transport.write(b"".join(self._out))
            self._transport.close()
        self._finish(why)

    # What asyncio tells a session.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast(asyncio.Transport, transport)  # uvloop has a class of its own
        config = self._line.config
        self._transport = transport
        number = self._window.next_sequence_number()
        self._write(
            smpp.BindTransceiver(
                number, system_id=config.system_id, password=config.password, system_type=config.system_type
            )
        )
        self._tick()

    def data_received(self, data: bytes) -> None:
        self._link.heard(self._line.clock())
        while not self.closed.done():
            try:
                pdus, problem = self._framer.feed(data), None
            except PduError as error:
                pdus, problem = error.pdus, error
            for pdu in pdus:
                self._receive(pdu)
            if problem is None:
                break
            self._receive_nonsense(problem)
            data = b""
        self._wake()

    def pause_writing(self) -> None:
        self._writable = False
        self._full = True

    def resume_writing(self) -> None:
        self._writable = True
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self._finish(f"connection lost: {exc}" if exc else "the carrier closed the connection")

    # What a PDU causes.

    def _receive(self, pdu: smpp.Pdu) -> None:
        match pdu:
            case smpp.SubmitSmResp():
                self._receive_answer(pdu)
            case smpp.DeliverSm() | smpp.DataSm():
                self._receive_delivery(pdu)
            case smpp.GenericNack():
                self._receive_nack(pdu)
            case smpp.EnquireLink():
                self._write(smpp.EnquireLinkResp(pdu.sequence_number))
            case smpp.EnquireLinkResp():
                pass  # to have heard anything is the answer
            case smpp.BindTransceiverResp():
                self._receive_bind_answer(pdu.command_status)
            case smpp.Unbind():
                self._write(smpp.UnbindResp(pdu.sequence_number))
                self.close("the carrier unbound")
            case smpp.UnbindResp():
                self.close("unbound")
            case _:
                self._receive_unexpected(pdu)

    def _receive_answer(self, pdu: smpp.SubmitSmResp) -> None:
        if pdu.command_status:
            self._refuse(pdu)
        else:
            self._line.throttle.took()
            message_id = normalise_id(pdu.message_id, self._line.config.response_id)
            self._report(self._window.take(pdu.sequence_number, message_id))

    def _receive_nack(self, pdu: smpp.GenericNack) -> None:
        if self.bound:
            self._refuse(pdu)
        else:
            self._receive_bind_answer(pdu.command_status or Status.RBINDFAIL)

    def _refuse(self, pdu: smpp.Pdu) -> None:
        status = pdu.command_status
        meaning = refusal(status)
        if status in THROTTLING:
            self._slow_down(status)
            meaning = replace(meaning, retry_after=self._line.throttle.remaining(self._line.clock()))
        settled = self._window.refuse(pdu.sequence_number, meaning)
        if settled == [] and meaning.retry_after is not None:
            self._slow_down(status)  # the rest of this text goes again from here: not at once
        self._report(settled)

    def _slow_down(self, status: int) -> None:
        if self._line.throttle.hit(self._line.clock()):
            self._line.log.warning("smpp line slowed", status=describe(status))
            self._report(self._window.release("the carrier asked to slow down"))
            self._full = True
            self._rest()

    def _rest(self) -> None:
        remaining = self._line.throttle.remaining(self._line.clock())
        if remaining and not self.closed.done():
            self._loop.call_later(remaining, self._rest)
        else:
            self._wake()

    def _receive_bind_answer(self, command_status: int) -> None:
        if command_status:
            self.close(f"bind refused: {describe(command_status)}")
        elif not self.bound:
            self.bound = True
            self.opened.set_result("")
            self._rest()

    def _receive_delivery(self, pdu: smpp.DeliverSm | smpp.DataSm) -> None:
        number = pdu.sequence_number
        if number in self._inbound:
            return  # repeated while the first is being stored: one answer serves both
        if len(self._inbound) >= _MAX_INBOUND:
            self._answer(pdu, Status.RX_T_APPN)
            return
        fact = read_inbound(pdu, self._name, self._line.config.receipt_id)
        if fact is None:
            self._line.log.warning("smpp receipt without id or state", sequence_number=number)
            self._answer(pdu, Status.ROK)  # to refuse it would bring it back for ever
            return
        self._inbound.add(number)
        sink = self._line.sink
        stored = sink.receipt(fact) if isinstance(fact, Receipt) else sink.reply(fact)
        stored.add_done_callback(partial(self._stored, pdu))

    def _stored(self, pdu: smpp.DeliverSm | smpp.DataSm, stored: asyncio.Future[None]) -> None:
        """Only what is on disk is taken from the SMSC: it repeats what was not answered, or answered 0x64."""
        self._inbound.discard(pdu.sequence_number)
        if stored.cancelled() or stored.exception() is not None:
            self._line.log.error("smpp delivery not stored", sequence_number=pdu.sequence_number)
            self._answer(pdu, Status.RX_T_APPN)
        else:
            self._answer(pdu, Status.ROK)
        self._wake()

    def _receive_unexpected(self, pdu: smpp.Pdu) -> None:
        self._line.log.warning("smpp pdu unexpected", pdu=type(pdu).__name__, sequence_number=pdu.sequence_number)
        if pdu.response is not None:
            self._write(smpp.GenericNack(pdu.sequence_number, Status.RINVCMDID))

    def _receive_nonsense(self, problem: PduError) -> None:
        self._line.log.warning("smpp nonsense", problem=str(problem), sequence_number=problem.sequence_number)
        if not problem.is_response or problem.fatal:
            self._write(smpp.GenericNack(problem.sequence_number, problem.command_status))
        else:
            self._report(self._window.doubt(problem.sequence_number, f"the answer cannot be read: {problem}"))
        if problem.fatal:
            self.close(f"the carrier sent nonsense: {problem}")

    # How octets and outcomes leave.

    def _answer(self, pdu: smpp.Pdu, command_status: int) -> None:
        assert pdu.response is not None
        self._write(pdu.response(pdu.sequence_number, command_status))

    def _write(self, pdu: smpp.Pdu) -> None:
        self._out.append(encode(pdu))
        self._schedule_flush()

    def _schedule_flush(self) -> None:
        if not self._flush_due:
            self._flush_due = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        """One write for all PDUs of a turn of the loop: most of the speed of a line."""
        self._flush_due = False
        if self._transport is None or self._transport.is_closing() or self.closed.done():
            return
        now = self._line.clock()
        if self.bound and self._writable and not self._line.throttle.remaining(now):
            self._out += self._window.write(now)
        if self._out:
            octets = b"".join(self._out)
            self._out.clear()
            self._transport.write(octets)

    def _report(self, settled: list[Settled] | None) -> None:
        if settled is None:
            self._line.log.info("smpp answer to nothing open")
            return
        for text, outcome in settled:
            self._line.sink.outcome(text, outcome)

    def _wake(self) -> None:
        """Goes on after anything changed: writes what can be written, tells of new room, ends a drain."""
        if self.closed.done():
            return
        if not self._window.idle():
            self._schedule_flush()
        was_full, self._full = self._full, not self.room()
        if was_full and not self._full:
            self._line.sink.room()  # which may send at once and fill it again
        if self._draining and self._window.idle() and not self._inbound and not self._drained.done():
            self._drained.set_result(None)

    def _tick(self) -> None:
        config, now = self._line.config, self._line.clock()
        self._report(self._window.expire(now))
        match self._link.check(now):
            case "enquire":
                self._write(smpp.EnquireLink(self._window.next_sequence_number()))
            case "dead":
                self.close(f"no answer to enquire_link in {config.response_timeout:g} s")
                return
        self._wake()
        period = min(1.0, config.response_timeout / 4, config.enquire_link / 4)
        self._timer = self._loop.call_later(period, self._tick)

    def _finish(self, why: str) -> None:
        if self.closed.done():
            return
        self.closed.set_result(why)
        self.bound = False
        if self._timer is not None:
            self._timer.cancel()
        self._report(self._window.lose(why))
        if not self.opened.done():
            self.opened.set_result(why)
        if not self._drained.done():
            self._drained.set_result(None)
