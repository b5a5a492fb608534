"""One text on the wire: which parts went out, what was answered, and what that means for the whole. Pure."""

from collections import deque
from datetime import datetime
from functools import lru_cache

from smsdesk.carriers.contract import Accepted, Doubtful, OutboundText, Outcome, Refused, Unsent
from smsdesk.carriers.smpp.addressing import Address, write_address
from smsdesk.carriers.smpp.codec import encode
from smsdesk.carriers.smpp.config import Config
from smsdesk.carriers.smpp.outcomes import is_throttling
from smsdesk.carriers.smpp.pdu import SubmitSm
from smsdesk.carriers.smpp.user_data import TooLong, UserData, write_user_data
from smsdesk.carriers.smpp.validity import relative_time

_TRIES = 8
"""How often the rest of a text that a phone has in part is tried after a carrier's fault before it is given up."""
_THROTTLES = 2
"""How often a text may be throttled and keep its place in front. Then it goes back, or the others pass it."""

_write_sender = lru_cache(maxsize=1024)(write_address)  # few numbers send, many receive


def prepare(text: OutboundText, config: Config) -> "Submission | Refused":
    """Writes all parts of a text for the wire, or refuses it where that cannot be."""
    try:
        source = _write_sender(text.source, config.source_ton, config.source_npi)
    except ValueError as error:
        return Refused("bad_sender", f"not sent: {error}")
    try:
        destination = write_address(text.destination, config.dest_ton, config.dest_npi)
    except ValueError as error:
        return Refused("unknown_number", f"not sent: {error}")
    try:
        return Submission(text, config, (source, destination), write_user_data(text, config))
    except TooLong as error:
        return Refused("too_long", f"not sent: {error}")


class Submission:
    """The parts of one text. What `settle` or `lose` gives as its outcome is final."""

    def __init__(
        self, text: OutboundText, config: Config, addresses: tuple[Address, Address], messages: list[UserData]
    ) -> None:
        """`messages` become a submit_sm each."""
        self.text = text
        self.segments = len(text.segments.parts) // len(messages)
        """What each submit_sm counts for in any limit."""
        self.unwritten = deque(range(len(messages)))
        self.open = 0
        """Parts on the wire without an answer."""
        self.started = False
        """Whether an octet was handed to the transport."""
        self.order = 0
        """Its place among the texts of its line."""
        self.queued = False
        """Whether its line holds it to write more of it."""
        self.setbacks = 0
        """How often it must step aside now, so that the others pass it; 0 where it keeps its place."""
        self._config = config
        self._source, self._destination = addresses
        self._messages = messages
        self._part_ids: list[str | None] = [None] * len(messages)
        self._again: list[int] = []
        self._later: Refused | None = None
        self._final: Refused | None = None
        self._doubt = ""
        self._tries = 0
        self._throttles = 0

    def write(self, sequence_number: int, now: datetime) -> tuple[int, bytes]:
        """Takes the next part for the wire: its index and its submit_sm (SMPP 3.4 section 4.4.1)."""
        self.started = True
        self.open += 1
        index = self.unwritten.popleft()
        config, message = self._config, self._messages[index]
        left = ""
        if config.send_validity:
            left = relative_time(int((self.text.valid_until - now).total_seconds()))
        pdu = SubmitSm(
            sequence_number,
            service_type=config.service_type,
            source_addr_ton=self._source.ton,
            source_addr_npi=self._source.npi,
            source_addr=self._source.digits,
            dest_addr_ton=self._destination.ton,
            dest_addr_npi=self._destination.npi,
            destination_addr=self._destination.digits,
            esm_class=message.esm_class,
            validity_period=left,
            registered_delivery=1,
            data_coding=message.data_coding,
            short_message=message.short_message,
            tlvs=message.tlvs,
        )
        return index, encode(pdu)

    def take(self, part: int, message_id: str) -> None:
        """Notes that the carrier took a part."""
        self.open -= 1
        self._part_ids[part] = message_id

    def refuse(self, part: int, refusal: Refused) -> None:
        """Notes that the carrier refused a part. After a final no, what is not written stays here."""
        self.open -= 1
        if refusal.retry_after is None:
            self.give_up(refusal)
        else:
            self._again.append(part)
            self._later = refusal

    def doubt(self, detail: str) -> None:
        """Notes that a part on the wire will get no answer. The others still go: the phone may yet have them all."""
        self.open -= 1
        self._doubt = self._doubt or detail

    def give_up(self, refusal: Refused) -> None:
        """Writes no more of it."""
        self._final = self._final or refusal
        self.unwritten.clear()

    def settle(self) -> Outcome | None:
        """Gives the outcome once all parts are done with; None while some are on the wire or to be written. Parts that
        were refused for now are put back in front: a throttled text keeps its place, and a text that the phone may
        have in part already is not given back."""
        self.setbacks = 0
        if self.open:
            return None
        if self._final:
            return self._refuse_all(self._final)
        if self._again and self._later:
            if not self._may_go_again(self._later):
                return self._refuse_all(self._later)
            self.unwritten.extendleft(sorted(self._again, reverse=True))
            self._again.clear()
        if self.unwritten:
            return None
        if self._doubt:
            return Doubtful(self._doubt, self._names())
        return Accepted(tuple(part_id or "" for part_id in self._names()))

    def _may_go_again(self, refusal: Refused) -> bool:
        if is_throttling(refusal):
            self._throttles += 1
            self.setbacks = max(0, self._throttles - _THROTTLES)
            return self._touched() or not self.setbacks
        self._tries += 1
        self.setbacks = self._tries
        return self._touched() and self._tries <= _TRIES

    def untouched(self) -> bool:
        """Whether the phone has nothing of it, for certain: then it may go back, or another way."""
        return not self.open and not self._touched()

    def lose(self, detail: str) -> Outcome:
        """Gives the outcome of an unsettled text that goes no further."""
        if not self.started:
            return Unsent(detail)
        if self.untouched() and self._later:
            return self._later
        return Doubtful(detail, self._names())

    def _touched(self) -> bool:
        return bool(self._doubt) or any(part_id is not None for part_id in self._part_ids)

    def _names(self) -> tuple[str | None, ...]:
        """One for each part; the same for all where one submit_sm carried them."""
        return tuple(self._part_ids) * self.segments

    def _refuse_all(self, refusal: Refused) -> Outcome:
        self.unwritten.clear()
        if self._doubt:
            return Doubtful(f"{self._doubt}; another part was refused: {refusal.code}", self._names())
        last = max((place for place, part_id in enumerate(self._part_ids, 1) if part_id is not None), default=0)
        taken = tuple(self._part_ids[:last])
        return Refused(refusal.reason, refusal.code, None, taken) if taken else refusal
