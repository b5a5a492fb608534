"""The trace of a text in the API's words: why it was sent, and what became of it."""

import msgspec

from smsdesk.api.v1.chat_object import time
from smsdesk.domain.trace import Consent, Move, Settled, Trace, TracedPart


class PartObject(msgspec.Struct):
    """One part in one attempt. `claimed_at` is when it was written down that it may leave from now on."""

    part: int
    carrier: str
    status: str
    carrier_id: str | None
    carrier_code: str | None
    claimed_at: str
    status_at: str


class AttemptObject(msgspec.Struct):
    """One try to send the text, and what became of each part of it."""

    attempt: int
    parts: list[PartObject]


class MoveObject(msgspec.Struct):
    """The text went to another carrier than before, and why."""

    at: str
    from_carrier: str
    to_carrier: str
    why: str


class SettlementObject(msgspec.Struct):
    """What a person said of a doubtful attempt."""

    attempt: int
    at: str
    verdict: str
    settled_by: str


class ConsentObject(msgspec.Struct):
    """A change of whether the number may be texted, and the words that made it."""

    at: str
    kind: str
    source: str
    words: str


class TraceObject(msgspec.Struct):
    """All that is known of a text. `says` is its state in words for people, `remedy` what one may do about it.

    `price` is for the whole text, as a decimal number. `consent` is what its receiver decided until the text ended.
    """

    message_id: int
    chat_id: int
    status: str
    status_at: str
    says: str
    remedy: str
    reason: str | None
    carrier_code: str | None
    sender: str
    credential: str | None
    agent: str | None
    outbound_number: str
    end_user_number: str
    content: str
    encoding: str
    segments: int
    delivered_segments: int
    created_at: str
    valid_until: str | None
    on_doubt: str
    price: str | None
    currency: str | None
    attempts: list[AttemptObject]
    moves: list[MoveObject]
    settlements: list[SettlementObject]
    consent: list[ConsentObject]


def trace_object(trace: Trace) -> TraceObject:
    """The trace with the API's times."""
    return TraceObject(
        message_id=trace.message_id,
        chat_id=trace.chat_id,
        status=trace.state,
        status_at=time(trace.state_at),
        says=trace.says,
        remedy=trace.remedy,
        reason=trace.reason,
        carrier_code=trace.code,
        sender=trace.sender,
        credential=trace.credential,
        agent=trace.agent,
        outbound_number=trace.source,
        end_user_number=trace.destination,
        content=trace.body,
        encoding=trace.encoding,
        segments=trace.parts,
        delivered_segments=trace.arrived,
        created_at=time(trace.created_at),
        valid_until=time(trace.valid_until) if trace.valid_until else None,
        on_doubt=trace.on_doubt,
        price=None if trace.price is None else f"{trace.price:f}",
        currency=trace.currency,
        attempts=_attempts(trace.ledger),
        moves=[_move(move) for move in trace.moves],
        settlements=[_settlement(settled) for settled in trace.settlements],
        consent=[_consent(event) for event in trace.consent],
    )


def _attempts(ledger: tuple[TracedPart, ...]) -> list[AttemptObject]:
    return [
        AttemptObject(number, [_part(part) for part in ledger if part.attempt == number])
        for number in sorted({part.attempt for part in ledger})
    ]


def _part(part: TracedPart) -> PartObject:
    return PartObject(
        part.part, part.carrier, part.state, part.carrier_part_id, part.code, time(part.claimed_at), time(part.state_at)
    )


def _move(move: Move) -> MoveObject:
    return MoveObject(time(move.at), move.from_carrier, move.to_carrier, move.why)


def _settlement(settled: Settled) -> SettlementObject:
    return SettlementObject(settled.attempt, time(settled.at), settled.verdict, settled.settled_by)


def _consent(event: Consent) -> ConsentObject:
    return ConsentObject(time(event.at), event.kind, event.source, event.words)
