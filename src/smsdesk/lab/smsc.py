"""The SMSC: what becomes of each submit_sm, of each reply, and of the answers to both."""

import asyncio
from collections.abc import Callable
from functools import partial
from random import Random

from smsdesk.carriers.smpp.codec import encode
from smsdesk.carriers.smpp.pdu import DeliverSm, DeliverSmResp, QuerySm, QuerySmResp, SubmitSm, SubmitSmResp
from smsdesk.carriers.smpp.status import Status
from smsdesk.domain.segments import segment
from smsdesk.lab.config import LabConfig
from smsdesk.lab.delivery import Delivery, info
from smsdesk.lab.faults import FINE, NO_FAULTS, THROTTLED, Faults, Throttle, Verdict, by_settings, by_text
from smsdesk.lab.feed import Feed
from smsdesk.lab.handsets import HandsetReply, Handsets
from smsdesk.lab.line import Line, LineEvents
from smsdesk.lab.outbox import Outgoing
from smsdesk.lab.reading import Part, decode_parts, e164, read_part
from smsdesk.lab.receipts import MESSAGE_STATES, Fate, receipt, wanted
from smsdesk.lab.replies import deliver_parts
from smsdesk.lab.states import MessageStates, read_id, write_id
from smsdesk.lab.stats import Counters, LineInfo, Rate, Stats

_GIVE_UP = (Status.RX_P_APPN, Status.RX_R_APPN)
_HEADER_OCTETS = 16
_SENDERS_MAX = 100_000


class Smsc:
    """One message centre with its handsets. `clock` gives seconds since 1970; times between are the loop's."""

    def __init__(self, config: LabConfig, clock: Callable[[], float], random: Random) -> None:
        self.config = config
        self.handsets = Handsets(config.keep_texts)
        self.faults = NO_FAULTS
        self.feed = Feed()
        self.delivery = Delivery(config.keep_texts, config.deliver_timeout, self._sent)
        self._clock = clock
        self._random = random
        self._loop = asyncio.get_running_loop()
        self._counters = Counters()
        self._rate = Rate()
        self._throttles: dict[str, Throttle] = {}
        self._states = MessageStates(clock())
        self._owners = {e164(number): system_id for number, system_id in config.owners.items()}
        self._senders: dict[str, str] = {}
        self._replies = 0
        self._lines = 0
        self._events = LineEvents(
            opened=self.delivery.add,
            bound=self._bound,
            submitted=self._submit,
            queried=self._query,
            answered=self._answered,
            room=self.delivery.pump,
            closed=self._closed,
        )

    def new_line(self) -> Line:
        """The protocol of the next connection."""
        self._lines += 1
        return Line(self._lines, self.config, self._events)

    def _bound(self, line: Line) -> None:
        self.feed.publish(info(line))
        self.delivery.pump(line)

    def _closed(self, line: Line) -> None:
        self.delivery.remove(line)
        line.session = ""
        self.feed.publish(info(line))

    def _submit(self, line: Line, submit: SubmitSm) -> None:
        now = self._clock()
        self._counters.submitted += 1
        try:
            part = read_part(submit, line.system_id)
        except ValueError:
            self._counters.refused += 1
            line.send(SubmitSmResp(submit.sequence_number, Status.RSUBMITFAIL))
            return
        verdict = self._judge(line, part, now)
        if verdict.status:
            self._counters.refused += 1
            line.send(SubmitSmResp(submit.sequence_number, verdict.status))
        elif verdict.arrives or verdict.receipt:
            self._accept(line, submit, part, (verdict, now))
        else:
            self._counters.lost_answers += 1

    def _judge(self, line: Line, part: Part, now: float) -> Verdict:
        if b"#" in part.octets:
            asked_for = by_text(decode_parts((part,))[0])
            if asked_for is not None:
                return asked_for
        if self.faults is NO_FAULTS:
            return FINE
        if not self._throttles.setdefault(line.system_id, Throttle()).passes(now, self.faults.throttle_above):
            return THROTTLED
        return by_settings(self.faults, line.submits, self._random)

    def _accept(self, line: Line, submit: SubmitSm, part: Part, judged: tuple[Verdict, float]) -> None:
        verdict, now = judged
        self._counters.accepted += 1
        self._rate.count(now)
        if len(self._senders) < _SENDERS_MAX:
            self._senders[part.source] = line.system_id
        receipt_in = verdict.receipt_delay or self.config.receipt_delay
        if not verdict.receipt_first:
            receipt_in += verdict.answer_delay
        number = self._states.allot(MESSAGE_STATES[verdict.stat], now + receipt_in)
        fate = Fate(write_id(number, self.config.receipt_ids), verdict.stat, verdict.err, now, now + receipt_in)
        message_id = write_id(number, self.config.answer_ids)
        report = partial(self._report, line, submit, part, fate)
        if verdict.receipt_first:
            report()
        if verdict.arrives:
            self._arrive(part, message_id, now)
        self._answer(line, SubmitSmResp(submit.sequence_number, 0, message_id), verdict)
        if verdict.receipt and not verdict.receipt_first:
            self._in(receipt_in, report)

    def _answer(self, line: Line, answer: SubmitSmResp, verdict: Verdict) -> None:
        if verdict.drops:
            self._counters.dropped_lines += 1
            line.close()
        if verdict.answers:
            self._in(verdict.answer_delay, partial(line.send, answer))
        else:
            self._counters.lost_answers += 1

    def _in(self, seconds: float, action: Callable[[], None]) -> None:
        if seconds:
            self._loop.call_later(seconds, action)
        else:
            action()

    def _arrive(self, part: Part, message_id: str, now: float) -> None:
        text = self.handsets.arrive(part, message_id, now)
        if text is None:
            return
        self._counters.texts += 1
        self.feed.publish(text)
        body = self.handsets.by_number[text.number].auto_reply or self.handsets.auto_reply
        if body and text.source.lstrip("+").isdigit():
            self._loop.call_soon(self.reply, text.number, text.source, body)

    def _report(self, line: Line, submit: SubmitSm, part: Part, fate: Fate) -> None:
        if wanted(submit.registered_delivery, fate.stat):
            self._hand_over(receipt(submit, part, fate), line.system_id, prefer=line)

    def _hand_over(
        self, pdu: DeliverSm, system_id: str | None, reply: HandsetReply | None = None, prefer: Line | None = None
    ) -> None:
        self.delivery.hand_over(Outgoing(encode(pdu)[_HEADER_OCTETS:], system_id, reply), prefer)

    def reply(self, number: str, to: str, body: str) -> HandsetReply:
        """Sends what was typed at the handset `number` to `to`, both as E.164 or short codes; it waits for a line as
        long as it must. ValueError when it is too long for a text."""
        segments = segment(body)
        now = self._clock()
        ids = tuple(
            write_id(self._states.allot(MESSAGE_STATES["DELIVRD"], now), self.config.receipt_ids)
            for _ in segments.parts
        )
        pdus = deliver_parts(number, to, segments, self._replies + 1, ids)
        self._replies += 1
        reply = HandsetReply(self._replies, number, to, body, segments.encoding, len(pdus), ids, now)
        self._counters.replies += 1
        self.handsets.typed(reply)
        owner = self._owner(to)
        for pdu in pdus:
            self._hand_over(pdu, owner, reply)
        self.feed.publish(reply)
        return reply

    def _owner(self, number: str) -> str | None:
        if number in self._owners:
            return self._owners[number]
        learned = self._senders.get(number)
        return learned if learned is not None and self.delivery.receivers(learned) else None

    def _sent(self, line: Line, outgoing: Outgoing) -> None:
        if outgoing.sends > 1:
            self._counters.repeats += 1
        elif outgoing.reply is None:
            self._counters.receipts += 1
        if outgoing.reply is not None:
            outgoing.reply.sends += 1
            self.feed.publish(outgoing.reply)
        if self.faults.drop_after_deliver and line.delivers >= self.faults.drop_after_deliver:
            self._counters.dropped_lines += 1
            line.close()

    def _answered(self, line: Line, answer: DeliverSmResp) -> None:
        if self.faults.lose_deliver_answer and self._random.random() < self.faults.lose_deliver_answer:
            return
        outgoing = self.delivery.answered(line, answer)
        if outgoing is None:
            return
        if answer.command_status and answer.command_status not in _GIVE_UP:
            self._loop.call_later(self.config.deliver_retry, self.delivery.again, outgoing, line)
        elif outgoing.reply is not None:
            if answer.command_status:
                outgoing.reply.refused += 1
            else:
                outgoing.reply.answered += 1
            self.feed.publish(outgoing.reply)

    def _query(self, line: Line, query: QuerySm) -> None:
        number = read_id(query.message_id, self.config.answer_ids)
        found = None if number is None else self._states.query(number, self._clock())
        if found is None:
            line.send(QuerySmResp(query.sequence_number, Status.RQUERYFAIL, query.message_id))
        else:
            message_state, final_date = found
            line.send(QuerySmResp(query.sequence_number, 0, query.message_id, final_date, message_state))

    def set_faults(self, faults: Faults) -> None:
        """Replaces all faults, from the next PDU on."""
        self.faults = NO_FAULTS if faults == NO_FAULTS else faults

    def drop_lines(self, name: str | None, system_id: str | None) -> int:
        """Resets the connections of that name or system, all for None; returns how many."""
        dropped = self.delivery.drop(name, system_id)
        self._counters.dropped_lines += dropped
        return dropped

    def reset(self) -> int:
        """Empties handsets, what waits to be delivered, and counters; returns how many texts went."""
        self._counters = Counters()
        self.delivery.outbox.clear()
        for line in self.delivery.lines.values():
            line.waiting.clear()
        return self.handsets.reset()

    def line_infos(self) -> list[LineInfo]:
        """The connections as they are now."""
        return [info(line) for line in self.delivery.lines.values()]

    def snapshot(self) -> Stats:
        """All counters as they are now."""
        lines = self.delivery.lines.values()
        return Stats(
            **self._counters.as_dict(),
            per_second=self._rate.last_second(self._clock()),
            kept=len(self.handsets),
            incomplete=self.handsets.incomplete,
            waiting=len(self.delivery.outbox) + sum(len(line.waiting) for line in lines),
            evicted=self.handsets.evicted + self.delivery.outbox.evicted,
            bound=sum(1 for line in lines if line.session),
        )
