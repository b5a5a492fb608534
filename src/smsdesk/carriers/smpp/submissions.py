"""The texts of one session: put into its window, written when they may leave, and reported to the sink."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from smsdesk.carriers.contract import OutboundText, Refused
from smsdesk.carriers.smpp.account import Account
from smsdesk.carriers.smpp.gate import Gate
from smsdesk.carriers.smpp.outcomes import is_throttling, refusal
from smsdesk.carriers.smpp.pdu import Pdu, SubmitSmResp
from smsdesk.carriers.smpp.receipts import normalise_id
from smsdesk.carriers.smpp.status import describe
from smsdesk.carriers.smpp.submission import prepare
from smsdesk.carriers.smpp.window import Settled, Terms, Window
from smsdesk.domain.pace import SlidingWindow

_SHORTEST = 0.001
"""Seconds until it is looked again whether something may leave."""


class Submissions:
    """A window with its clock. `wake` is called when something may leave that had to wait."""

    def __init__(
        self, account: Account, limit: SlidingWindow | None, wake: Callable[[], None], first_sequence_number: int
    ) -> None:
        config = account.config
        terms = Terms(config.window, config.response_timeout, config.throttle_first, config.throttle_longest)
        self._account = account
        self._gate = Gate(account.flow, limit, account.pace)
        self._window = Window(terms, self._gate, first_sequence_number)
        self._wake = wake
        self._loop = asyncio.get_running_loop()
        self._alarm: asyncio.TimerHandle | None = None
        self.next_sequence_number = self._window.next_sequence_number
        self.idle = self._window.idle

    def room(self) -> int:
        """Texts that would leave now. Where only time makes room, `wake` is called when it has."""
        now = self._account.clock()
        room = self._window.room(now)
        if not room and (wait := self._gate.wait(1, now)):
            self._look_again(wait)
        return room

    def put(self, texts: Sequence[OutboundText]) -> None:
        """Queues texts, or reports that one cannot be written at all."""
        for text in texts:
            submission = prepare(text, self._account.config)
            if isinstance(submission, Refused):
                self._account.sink.outcome(text, submission)
            else:
                self._window.put(submission)

    def write(self) -> list[bytes]:
        """Gives the PDUs to hand to the transport now."""
        octets, settled = self._window.write(self._account.clock(), self._account.now())
        if settled:
            self._report(settled)
        if self._window.wait:
            self._look_again(self._window.wait)
        return octets

    @property
    def too_late(self) -> bool:
        """Whether what is inside must not leave any more."""
        return self._window.too_late

    def receive(self, pdu: Pdu, now: float) -> bool:
        """Takes an answer in, whatever its kind. False where it says to slow down, from this moment on."""
        if pdu.command_status or not isinstance(pdu, SubmitSmResp):
            return self._refuse(pdu, now)
        self._account.flow.took(now)
        message_id = normalise_id(pdu.message_id, self._account.config.response_id)
        self._report(self._window.take(pdu.sequence_number, message_id, now))
        return True

    def _refuse(self, pdu: Pdu, now: float) -> bool:
        account, slowed = self._account, False
        meaning = refusal(pdu.command_status, account.meanings)
        if is_throttling(meaning):
            slowed = account.flow.hit(now)
            if slowed:
                rate = round(account.flow.rate(now), 2)
                account.log.warning("smpp line slowed", status=describe(pdu.command_status), per_second=rate)
                self._report(self._window.release("the carrier asked to slow down"))
            meaning = replace(meaning, retry_after=max(account.flow.remaining(now), _SHORTEST))
        self._report(self._window.refuse(pdu.sequence_number, meaning, now))
        return not slowed

    def doubt(self, sequence_number: int, detail: str, now: float) -> None:
        """An answer came that cannot be read."""
        self._report(self._window.doubt(sequence_number, detail, now))

    def expire(self, now: float) -> None:
        """Doubts the parts whose answer is overdue."""
        self._report(self._window.expire(now))

    def give_back(self, why: str) -> None:
        """Gives back the texts of which the phone has nothing, for certain."""
        self._report(self._window.release(why, refused=True))

    def lose(self, why: str) -> None:
        """Reports on all that is left, of a line that is gone."""
        if self._alarm is not None:
            self._alarm.cancel()
        self._report(self._window.lose(why, self._account.clock()))

    def _report(self, settled: list[Settled] | None) -> None:
        if settled is None:
            self._account.log.info("smpp answer to nothing open")
            return
        for text, outcome in settled:
            self._account.sink.outcome(text, outcome)

    def _look_again(self, seconds: float) -> None:
        when = self._loop.time() + max(seconds, _SHORTEST)
        if self._alarm is not None:
            if self._alarm.when() <= when:
                return
            self._alarm.cancel()
        self._alarm = self._loop.call_at(when, self._look)

    def _look(self) -> None:
        self._alarm = None
        self._wake()
