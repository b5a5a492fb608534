"""One connection to an SMSC as an ESME (SMPP 3.4 section 2): octets from and to the socket, and nothing that the pure
parts could decide."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import cast

from msgspec.structs import replace

from smsdesk.carriers.contract import OutboundText
from smsdesk.carriers.smpp import pdu as smpp
from smsdesk.carriers.smpp.account import Account
from smsdesk.carriers.smpp.codec import Framer, PduError, encode
from smsdesk.carriers.smpp.deliveries import Deliveries
from smsdesk.carriers.smpp.handshake import Handshake, Role
from smsdesk.carriers.smpp.status import Status
from smsdesk.carriers.smpp.submissions import Submissions
from smsdesk.carriers.smpp.timers import LinkTimer
from smsdesk.domain.pace import SlidingWindow

_UNBIND_TIMEOUT = 1.0


class Session(asyncio.Protocol):
    """Binds as soon as it is connected, or with `outbind` as soon as the SMSC asks it to. `opened` ends with an empty
    string when bound, else with what went wrong; `closed` ends with why the session is over, after every text that it
    held has its outcome."""

    def __init__(
        self,
        account: Account,
        role: Role = "transceiver",
        *,
        limit: SlidingWindow | None = None,
        outbind: bool = False,
        first_sequence_number: int = 1,
    ) -> None:
        """`limit` is this line's own, over its sessions."""
        config, self._now = account.config, account.clock()
        self._account = account
        self._takes_texts = role != "receiver"
        self._handshake = Handshake(config, role, outbind=outbind, now=self._now)
        self._loop = asyncio.get_running_loop()
        self.opened: asyncio.Future[str] = self._loop.create_future()
        self.closed: asyncio.Future[str] = self._loop.create_future()
        self._drained: asyncio.Future[None] = self._loop.create_future()
        self._submissions = Submissions(account, limit, self._wake, first_sequence_number)
        self._deliveries = Deliveries(account, account.session_name(), self._answer, self._wake)
        self._questions: dict[int, asyncio.Future[smpp.Pdu | None]] = {}
        self._framer = Framer()
        self._link = LinkTimer(config.enquire_link, config.response_timeout, self._now)
        self._moved = self._now
        self._out: list[bytes] = []
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._flush_due = False
        self._writable = True
        self.bound = False
        """Whether texts and deliveries may flow."""
        self.inactive = False
        """Whether it ended because nothing flowed."""
        self._draining = False
        self._unbinding: tuple[str, float] | None = None
        self._full = True

    # What the carrier asks of a session.

    @property
    def sends(self) -> bool:
        """Whether it is bound and texts may leave over it, now or a little later."""
        return self.bound and self._takes_texts and not self._draining

    def room(self) -> int:
        """Texts that would go on the wire now."""
        return self._submissions.room() if self.sends and self._writable else 0

    def send(self, texts: Sequence[OutboundText]) -> None:
        """Writes texts, of which there must be no more than there is room for, in this turn of the loop or the next."""
        self._submissions.put(texts)
        self._wake()

    async def ask(self, question: smpp.Pdu) -> smpp.Pdu | None:
        """Sends a request that is no text, and gives its answer; None where the line goes down before."""
        number = self._submissions.next_sequence_number()
        answer: asyncio.Future[smpp.Pdu | None] = self._loop.create_future()
        self._questions[number] = answer
        self._write(replace(question, sequence_number=number))
        try:
            return await answer
        finally:
            self._questions.pop(number, None)

    async def drain(self, limit: float) -> None:
        """Takes no more texts, gives back what the phone has nothing of, waits at most `limit` seconds for open answers
        and unstored deliveries, unbinds and closes."""
        self._draining = True
        self._submissions.give_back("the line is being closed")
        self._wake()
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(self._drained), limit)
            if self.bound:
                self._unbind("the line is being closed")
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
        self._transport = cast(asyncio.Transport, transport)  # uvloop has a class of its own
        if not self._handshake.awaits_outbind:
            self._bind()
        self._tick()

    def data_received(self, data: bytes) -> None:
        self._now = self._account.clock()
        while not self.closed.done():
            try:
                pdus, problem = self._framer.feed(data), None
            except PduError as error:
                pdus, problem = error.pdus, error
            if pdus or problem:
                self._link.heard(self._now)  # half a PDU proves nothing: the rest may never come
            for pdu in pdus:
                if self.closed.done():
                    return  # what follows the end of a session is nobody's
                self._receive(pdu)
            if problem is None or self.closed.done():
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
                self._moved = self._now
                self._take_answer(pdu)
            case smpp.DeliverSm() | smpp.DataSm():
                self._receive_delivery(pdu)
            case smpp.EnquireLink():
                self._write(smpp.EnquireLinkResp(pdu.sequence_number))
            case smpp.EnquireLinkResp() | smpp.AlertNotification():
                pass  # to have heard anything is the answer; an alert is not what we send by
            case smpp.BindResp():
                self._receive_bind_answer(pdu)
            case smpp.QuerySmResp() | smpp.GenericNack():
                self._receive_other_answer(pdu)
            case smpp.Outbind():
                self._receive_outbind(pdu)
            case smpp.Unbind():
                self._write(smpp.UnbindResp(pdu.sequence_number))
                self.close("the carrier unbound")
            case smpp.UnbindResp():
                self.close(self._unbinding[0] if self._unbinding else "unbound")
            case _:
                self._receive_unexpected(pdu)

    def _take_answer(self, pdu: smpp.Pdu) -> None:
        if not self._submissions.receive(pdu, self._now):
            self._full = True

    def _receive_other_answer(self, pdu: smpp.QuerySmResp | smpp.GenericNack) -> None:
        question = self._questions.get(pdu.sequence_number)
        if question is not None:
            if not question.done():
                question.set_result(pdu)
        elif isinstance(pdu, smpp.QuerySmResp):
            self._receive_unexpected(pdu)
        elif self.bound:
            self._take_answer(replace(pdu, command_status=pdu.command_status or Status.RUNKNOWNERR))
        else:
            self._receive_bind_answer(pdu)

    def _bind(self) -> None:
        self._write(self._handshake.request(self._submissions.next_sequence_number()))

    def _receive_bind_answer(self, pdu: smpp.BindResp | smpp.GenericNack) -> None:
        refused = None if self.bound else self._handshake.answered(pdu)
        if refused is None:
            self._receive_unexpected(pdu)
        elif refused:
            self.close(refused)
        else:
            self.bound = True
            self.opened.set_result("")

    def _receive_outbind(self, pdu: smpp.Outbind) -> None:
        if not self._handshake.awaits_outbind:
            self._receive_unexpected(pdu)
        elif self._handshake.invited(pdu, self._now):
            self._bind()
        else:
            self.close("outbind refused: not the system_id and password that are set")

    def _receive_delivery(self, pdu: smpp.DeliverSm | smpp.DataSm) -> None:
        self._moved = self._now
        if self.bound:
            self._deliveries.receive(pdu)
        else:
            self._answer(pdu, Status.RINVBNDSTS)

    def _receive_unexpected(self, pdu: smpp.Pdu) -> None:
        self._account.log.warning("smpp pdu unexpected", pdu=type(pdu).__name__, sequence_number=pdu.sequence_number)
        if pdu.response is not None:
            self._write(smpp.GenericNack(pdu.sequence_number, Status.RINVCMDID))

    def _receive_nonsense(self, problem: PduError) -> None:
        self._account.log.warning("smpp nonsense", problem=str(problem), sequence_number=problem.sequence_number)
        if not problem.is_response or problem.fatal:
            self._write(smpp.GenericNack(problem.sequence_number, problem.command_status))
        else:
            detail = f"the answer cannot be read: {problem}"
            self._submissions.doubt(problem.sequence_number, detail, self._now)
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
        if self.bound and self._writable and not self._submissions.idle():
            texts = self._submissions.write()
            if texts:
                self._moved = self._account.clock()
                self._out += texts
        if self._out:
            data = b"".join(self._out)
            self._out.clear()
            self._transport.write(data)
        if self._submissions.too_late:
            self.close("this process stood still, or was without its database: others may have its texts now")

    def _wake(self) -> None:
        """Goes on after anything changed: writes what can be written, tells of new room, ends a drain."""
        if self.closed.done():
            return
        if not self._submissions.idle():
            self._schedule_flush()
        was_full, self._full = self._full, not self.room()
        if was_full and not self._full:
            self._account.sink.room()  # which may send at once and fill it again
        if self._draining and self._submissions.idle() and self._deliveries.idle() and not self._drained.done():
            self._drained.set_result(None)

    def _tick(self) -> None:
        config, now = self._account.config, self._account.clock()
        self._submissions.expire(now)
        if not self._keep_timers(now):
            return
        self._wake()
        times = (config.response_timeout, config.enquire_link, config.session_init_timeout, config.inactivity_timeout)
        period = min(1.0, *(seconds / 4 for seconds in times if seconds))
        self._timer = self._loop.call_later(period, self._tick)

    def _keep_timers(self, now: float) -> bool:
        """SMPP 3.4 section 7.2. False where one of them ended the session."""
        config = self._account.config
        if not self.bound and (overdue := self._handshake.overdue(now)):
            self.close(overdue)
        elif self._unbinding is not None and now >= self._unbinding[1]:
            self.close(self._unbinding[0])
        elif self._is_inactive(now):
            self.inactive = self._draining = True
            self._unbind(f"nothing flowed for {config.inactivity_timeout:g} s")
        match self._link.check(now):
            case "enquire":
                self._write(smpp.EnquireLink(self._submissions.next_sequence_number()))
            case "dead":
                self.close(f"no answer to enquire_link in {config.response_timeout:g} s")
        return not self.closed.done()

    def _is_inactive(self, now: float) -> bool:
        limit = self._account.config.inactivity_timeout
        quiet = self._submissions.idle() and self._deliveries.idle() and self._unbinding is None
        return bool(limit and self.bound and quiet and now - self._moved >= limit)

    def _unbind(self, why: str) -> None:
        self._unbinding = why, self._account.clock() + _UNBIND_TIMEOUT
        self._write(smpp.Unbind(self._submissions.next_sequence_number()))

    def _finish(self, why: str) -> None:
        if self.closed.done():
            return
        self.closed.set_result(why)
        self.bound = False
        if self._timer is not None:
            self._timer.cancel()
        self._submissions.lose(why)
        for question in self._questions.values():
            if not question.done():
                question.set_result(None)
        if not self.opened.done():
            self.opened.set_result(why)
        if not self._drained.done():
            self._drained.set_result(None)
