"""What becomes of each submit_sm and data_sm from its coming in to its receipt, and of the questions about it."""

import asyncio
from dataclasses import replace
from functools import partial

import msgspec

from smsdesk.carriers.smpp.codec import MAX_SHORT_MESSAGE, encode
from smsdesk.carriers.smpp.pdu import (
    CancelSm,
    CancelSmResp,
    DataSm,
    DataSmResp,
    DeliverSm,
    QuerySm,
    QuerySmResp,
    SubmitSm,
    SubmitSmResp,
)
from smsdesk.carriers.smpp.status import Status
from smsdesk.lab.delivery import Delivery
from smsdesk.lab.dialect import Dialect
from smsdesk.lab.faults import Stat
from smsdesk.lab.line import Line
from smsdesk.lab.network import Network
from smsdesk.lab.outbox import Outgoing
from smsdesk.lab.passage import Passage, Passages
from smsdesk.lab.reading import Part, as_submit, decode_parts, read_part
from smsdesk.lab.receipts import MESSAGE_STATES, Fate, notification_wanted, receipt, wanted
from smsdesk.lab.states import MessageStates, read_id, unknown, write_id
from smsdesk.lab.submission import SMPP, Submission
from smsdesk.lab.times import read_time
from smsdesk.lab.verdict import Verdict

_QOS_TIME_TO_LIVE = 0x0017
"""The validity of a data_sm, in seconds (SMPP 3.4 section 5.3.2.9)."""
_EXPIRED_ERR = "003"
_NOISE_OCTETS = 48
_HEADER_OCTETS = 16


class _Refused(ValueError):
    """A submit_sm that no network takes."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Intake:
    """Takes what ESMEs submit, up to `limit` texts on their way at once. Times between are the loop's, times of day
    the network's clock."""

    def __init__(self, network: Network, delivery: Delivery, dialect: Dialect, limit: int) -> None:
        self.dialect = dialect
        self.passages = Passages()
        self._limit = limit
        self._network = network
        self._delivery = delivery
        self._loop = asyncio.get_running_loop()
        self._states = MessageStates(network.now())

    def take(self, line: Line, pdu: SubmitSm | DataSm) -> None:
        """Answers a text or a part as the network judges it, brings it to its phone and reports on it."""
        submit = as_submit(pdu) if isinstance(pdu, DataSm) else pdu
        try:
            part = self._read(line, submit)
        except _Refused as refused:
            self._network.refused()
            line.send(self._answer(pdu, refused.status))
            return
        body, encoding = decode_parts((part,))
        submission = Submission(
            SMPP, line.system_id, part.source, part.destination, body, encoding, part.segments, part.data_coding
        )
        verdict = self._network.submit(submission, line.submits)
        if verdict.status or not verdict.taken:
            self._leave(line, self._answer(pdu, verdict.status), verdict)
            return
        passage = self._begin(line, submit, part, submission, verdict)
        answer = self._answer(pdu, 0, write_id(passage.number, self.dialect.answer_ids))
        self._run(passage, answer)

    def _read(self, line: Line, submit: SubmitSm) -> Part:
        if not submit.destination_addr:
            raise _Refused(Status.RINVDSTADR)
        if len(submit.short_message) > MAX_SHORT_MESSAGE:
            raise _Refused(Status.RINVMSGLEN)
        if submit.registered_delivery & 0x03 == 0x03:  # reserved by section 5.2.17
            raise _Refused(Status.RINVREGDLVFLG)
        if line.is_full:
            raise _Refused(Status.RTHROTTLED)
        if len(self.passages) >= self._limit:
            raise _Refused(Status.RMSGQFUL)
        if submit.schedule_delivery_time or submit.validity_period:
            _require_times(submit)
        try:
            return read_part(submit, line.system_id, self.dialect)
        except ValueError:
            raise _Refused(Status.RSUBMITFAIL) from None

    def _begin(self, line: Line, submit: SubmitSm, part: Part, submission: Submission, verdict: Verdict) -> Passage:
        """Decides when it arrives, or that its validity or its schedule end it before."""
        now = self._network.now()
        ends_at = max(now, read_time(submit.schedule_delivery_time, now) or 0.0) + verdict.arrival_delay
        expires_at = _expiry(submit, now)
        if expires_at is not None and expires_at < ends_at:
            verdict = replace(verdict, arrives=False, stat="EXPIRED", err=_EXPIRED_ERR)
            ends_at = max(now, expires_at)
        done_at = max(ends_at, now + verdict.answer_delay) + verdict.receipt_delay
        number = self._states.allot(MESSAGE_STATES[verdict.stat], done_at)
        return Passage(line, submit, part, submission, verdict, number, now, ends_at, verdict.stat)

    def _run(self, passage: Passage, answer: SubmitSmResp | DataSmResp) -> None:
        verdict, wait = passage.verdict, passage.ends_at - passage.submitted_at
        if verdict.receipt_first:
            self._report(passage)
        if wait <= 0:
            self._arrive(passage)
        self._leave(passage.line, answer, verdict)
        self._notify(passage)
        if wait <= 0:
            self._receipt_after(passage, verdict.answer_delay)
        else:
            self.passages.add(passage)
            passage.arrival = self._loop.call_later(wait, self._end, passage)

    def _end(self, passage: Passage) -> None:
        self.passages.remove(passage)
        self._arrive(passage)
        answered_at = passage.submitted_at + passage.verdict.answer_delay
        self._receipt_after(passage, max(0.0, answered_at - passage.ends_at))

    def _arrive(self, passage: Passage) -> None:
        if not passage.verdict.arrives:
            return
        message_id = write_id(passage.number, self.dialect.answer_ids)
        if passage.part.total == 1:
            self._network.arrive(passage.submission, message_id)
        else:
            self._network.join(passage.part, message_id)

    def _receipt_after(self, passage: Passage, seconds: float) -> None:
        verdict = passage.verdict
        if verdict.receipt and not verdict.receipt_first:
            self._network.later(seconds + verdict.receipt_delay, partial(self._report, passage))

    def _report(self, passage: Passage) -> None:
        if not wanted(passage.submit.registered_delivery, passage.stat):
            return
        number = unknown(passage.number) if passage.verdict.unknown_receipt else passage.number
        done_at = max(passage.ends_at, passage.submitted_at + passage.verdict.answer_delay)
        for _ in range(passage.verdict.receipt_copies):
            self._send_report(passage, number, (done_at + passage.verdict.receipt_delay, passage.stat))

    def _notify(self, passage: Passage) -> None:
        unasked = self.dialect.interim or passage.verdict.interim
        if notification_wanted(passage.submit.registered_delivery, unasked):
            report = partial(self._send_report, passage, passage.number, (passage.submitted_at, None))
            self._network.later(passage.verdict.answer_delay, report)

    def _send_report(self, passage: Passage, number: int, end: tuple[float, Stat | None]) -> None:
        dialect = self.dialect
        if passage.verdict.dialect:
            dialect = msgspec.structs.replace(dialect, **passage.verdict.dialect)
        done_at, stat = end
        err = passage.verdict.err if stat == passage.verdict.stat else "000"
        fate = Fate(write_id(number, dialect.receipt_ids), stat, err, passage.submitted_at, done_at)
        pdu: DeliverSm = receipt(passage.submit, passage.part, fate, dialect)
        outgoing = Outgoing(encode(pdu)[_HEADER_OCTETS:], passage.part.system_id)
        self._delivery.hand_over(outgoing, self._delivery.beside(passage.line, dialect.receipt_line))

    def _leave(self, line: Line, answer: SubmitSmResp | DataSmResp, verdict: Verdict) -> None:
        """Sends the answer, or what the verdict puts in its place, and does to the line what it says."""
        if verdict.answer == "whole" and verdict.connection == "stays" and not verdict.answer_delay:
            line.send(answer)
            return
        line.unanswered += 1
        self._network.later(verdict.answer_delay, partial(self._leave_now, line, encode(answer), verdict))

    def _leave_now(self, line: Line, octets: bytes, verdict: Verdict) -> None:
        line.unanswered -= 1
        match verdict.answer:
            case "whole":
                line.write(octets)
            case "half":
                line.write(octets[: len(octets) // 2])
            case "garbage":
                line.write(self._network.random.randbytes(_NOISE_OCTETS))
        if verdict.connection in ("closes", "resets"):
            self._network.counters.dropped_lines += 1
        line.become(verdict.connection)

    @staticmethod
    def _answer(pdu: SubmitSm | DataSm, status: int, message_id: str = "") -> SubmitSmResp | DataSmResp:
        cls = DataSmResp if isinstance(pdu, DataSm) else SubmitSmResp
        return cls(pdu.sequence_number, status, message_id)

    def query(self, line: Line, query: QuerySm) -> None:
        """Answers with the state of a message (SMPP 3.4 section 4.8); ESME_RQUERYFAIL for one that is unknown."""
        number = read_id(query.message_id, self.dialect.answer_ids)
        found = None if number is None else self._states.query(number, self._network.now())
        if found is None:
            line.send(QuerySmResp(query.sequence_number, Status.RQUERYFAIL, query.message_id))
        else:
            message_state, final_date = found
            line.send(QuerySmResp(query.sequence_number, 0, query.message_id, final_date, message_state))

    def cancel(self, line: Line, cancel: CancelSm) -> None:
        """Takes back what is still on its way (section 4.9), with the receipt DELETED where receipts were asked for;
        ESME_RCANCELFAIL where nothing is."""
        number = read_id(cancel.message_id, self.dialect.answer_ids)
        found = self.passages.named(cancel, number, line.system_id)
        line.send(CancelSmResp(cancel.sequence_number, 0 if found else Status.RCANCELFAIL))
        for passage in found:
            self.passages.remove(passage)
            if passage.arrival:
                passage.arrival.cancel()
            passage.stat, passage.ends_at = "DELETED", self._network.now()
            self._states.settle(passage.number, MESSAGE_STATES["DELETED"], passage.ends_at)
            self._receipt_after(passage, 0.0)


def _require_times(submit: SubmitSm) -> None:
    for written, status in (
        (submit.schedule_delivery_time, Status.RINVSCHED),
        (submit.validity_period, Status.RINVEXPIRY),
    ):
        try:
            read_time(written, 0.0)
        except ValueError:
            raise _Refused(status) from None


def _expiry(submit: SubmitSm, now: float) -> float | None:
    """When its validity ends, seconds since 1970; None where it has none."""
    if _QOS_TIME_TO_LIVE in submit.tlvs:
        return now + int.from_bytes(submit.tlvs[_QOS_TIME_TO_LIVE])
    return read_time(submit.validity_period, now)
