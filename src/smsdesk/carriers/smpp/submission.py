"""One text on the wire: which parts went out, what was answered, and what that means for the whole. Pure."""

from collections import deque

from smsdesk.carriers.contract import Accepted, Doubtful, OutboundText, Outcome, Refused, Unsent
from smsdesk.carriers.smpp.addressing import Address, write_address
from smsdesk.carriers.smpp.codec import encode
from smsdesk.carriers.smpp.config import Config
from smsdesk.carriers.smpp.pdu import SubmitSm, Tag
from smsdesk.domain.gsm import encode_part

_UDHI = 0x40
_UCS2 = 8
_TRIES = 8
"""How often the rest of a text that a phone has in part is tried before it is given up."""

Part = tuple[int, bytes]
"""Index of a part in its text, and its octets with sequence_number 0."""


def prepare(text: OutboundText, config: Config) -> "Submission | Refused":
    """Writes all parts of a text for the wire, or refuses it where its sender or receiver is no address."""
    try:
        source = write_address(text.source, config.source_ton, config.source_npi)
    except ValueError as error:
        return Refused("bad_sender", f"not sent: {error}")
    try:
        destination = write_address(text.destination, config.dest_ton, config.dest_npi)
    except ValueError as error:
        return Refused("unknown_number", f"not sent: {error}")
    return Submission(text, _write_parts(text, source, destination, config))


def _write_parts(text: OutboundText, source: Address, destination: Address, config: Config) -> list[bytes]:
    """Each part as a submit_sm (SMPP 3.4 section 4.4.1), those of a long text with a header that joins them by an 8-bit
    reference (3GPP TS 23.040 section 9.2.3.24.1)."""
    encoding, parts = text.segments.encoding, text.segments.parts
    tlvs: dict[int, bytes] = {Tag.USER_MESSAGE_REFERENCE: (text.text_id & 0xFFFF).to_bytes(2)}
    octets = []
    for number, part in enumerate(parts, 1):
        header = bytes((5, 0, 3, text.text_id & 0xFF, len(parts), number)) if len(parts) > 1 else b""
        pdu = SubmitSm(
            service_type=config.service_type,
            source_addr_ton=source.ton,
            source_addr_npi=source.npi,
            source_addr=source.digits,
            dest_addr_ton=destination.ton,
            dest_addr_npi=destination.npi,
            destination_addr=destination.digits,
            esm_class=_UDHI if header else 0,
            validity_period=config.validity_period,
            registered_delivery=1,
            data_coding=config.data_coding if encoding == "gsm7" else _UCS2,
            short_message=header + encode_part(part, encoding),
            tlvs=tlvs,
        )
        octets.append(encode(pdu))
    return octets


class Submission:
    """The parts of one text, from waiting to answered."""

    __slots__ = ("_again", "_doubt", "_final", "_later", "_part_ids", "_tries", "open", "started", "text", "unwritten")

    def __init__(self, text: OutboundText, parts: list[bytes]) -> None:
        self.text = text
        self.unwritten: deque[Part] = deque(enumerate(parts))
        """The parts that wait, in order."""
        self.open = 0
        """Parts on the wire without an answer."""
        self.started = False
        """Whether an octet was handed to the transport: from then on the text is never `Unsent`."""
        self._part_ids: list[str | None] = [None] * len(parts)
        self._again: list[Part] = []
        self._later: Refused | None = None
        self._final: Refused | None = None
        self._doubt = ""
        self._tries = 0

    def write(self) -> Part:
        """Takes the next part for the wire."""
        self.started = True
        self.open += 1
        return self.unwritten.popleft()

    def take(self, part: Part, message_id: str) -> None:
        """Notes that the carrier took a part."""
        self.open -= 1
        self._part_ids[part[0]] = message_id

    def refuse(self, part: Part, refusal: Refused) -> None:
        """Notes that the carrier refused a part. After a final no, what is not written stays here."""
        self.open -= 1
        if refusal.retry_after is None:
            self._final = self._final or refusal
            self.unwritten.clear()
        else:
            self._again.append(part)
            self._later = refusal

    def doubt(self, detail: str) -> None:
        """Notes that a part on the wire will get no answer. The others still go: the phone may yet have them all."""
        self.open -= 1
        self._doubt = self._doubt or detail

    def settle(self) -> Outcome | None:
        """Gives the outcome once all parts are done with; None while some are on the wire or to be written. Parts that
        were refused for now are put back in front where the phone may have others of the same text already."""
        if self.open:
            return None
        if self._final:
            return self._refuse_all(self._final)
        if self._again and self._later:
            if not self._touched() or self._tries == _TRIES:
                return self._refuse_all(self._later)
            self._tries += 1
            self.unwritten.extendleft(reversed(self._again))
            self._again.clear()
        if self.unwritten:
            return None
        if self._doubt:
            return Doubtful(self._doubt, tuple(self._part_ids))
        return Accepted(tuple(part_id or "" for part_id in self._part_ids))

    def lose(self, detail: str) -> Outcome:
        """Gives the outcome of an unsettled text whose line is gone."""
        return Doubtful(detail, tuple(self._part_ids)) if self.started else Unsent(detail)

    def _touched(self) -> bool:
        return bool(self._doubt) or any(part_id is not None for part_id in self._part_ids)

    def _refuse_all(self, refusal: Refused) -> Outcome:
        self.unwritten.clear()
        if self._doubt:
            return Doubtful(f"{self._doubt}; another part was refused: {refusal.code}", tuple(self._part_ids))
        last = max((place for place, part_id in enumerate(self._part_ids, 1) if part_id is not None), default=0)
        taken = tuple(self._part_ids[:last])
        return Refused(refusal.reason, refusal.code, None, taken) if taken else refusal
