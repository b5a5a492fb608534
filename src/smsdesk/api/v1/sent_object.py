"""The answer to a send as its bytes. Nearly every one is of a new chat without an agent, and differs from the others in
few places: those are filled into what the encoder once made, which saves most of what an answer costs."""

from datetime import UTC, datetime
from functools import cache, lru_cache

import msgspec

from smsdesk.actions.send_message import Sent
from smsdesk.api.v1.chat_object import sent_chat_object, time
from smsdesk.domain.segments import Segments
from smsdesk.domain.send import Send
from smsdesk.store.sends import Decision, WantedSend

_encoder = msgspec.json.Encoder()


def render_sent(sent: Sent) -> bytes:
    """The answer to a send, as its bytes."""
    if sent.open_chat is not None or sent.wanted.send.agent is not None:
        return _encoder.encode(sent_chat_object(sent))
    _, chat_id, message_id, end_user_id, identifier, contact, _ = sent.decision
    at = _time(sent.accepted_at)
    # In the order of the answer's keys, as the form has them.
    return _form() % (
        chat_id, at, end_user_id, _word(identifier), _word(contact), sent.participant_id, chat_id, end_user_id, at,
        _word(sent.wanted.send.outbound_number), message_id, sent.segments,
    )  # fmt: skip


def _word(value: str | None) -> bytes:
    return b"null" if value is None else _encoder.encode(value)


@lru_cache(maxsize=8)
def _time(moment: datetime) -> bytes:
    """All sends of a group were accepted at one moment."""
    return time(moment).encode()


@cache
def _form() -> bytes:
    """An answer with a place for each value, made of the encoder's own answer to an example."""
    ids = range(7 * 10**15, 7 * 10**15 + 40, 10)  # no other number of an answer is as large
    at = datetime(2077, 7, 7, 7, 7, 7, tzinfo=UTC)
    send = Send("", "<number>", "", Segments("gsm7", ("",) * 7, 0), None, None)
    decision = Decision("accepted", ids[0], ids[1], ids[2], "<identifier>", "<contact>", None)
    sent = Sent(WantedSend(send, None), decision, at)
    made = _encoder.encode(sent_chat_object(sent)).replace(b"%", b"%%")
    for value, place in (
        (ids[0], b"%d"),
        (ids[1], b"%d"),
        (sent.participant_id, b"%d"),
        (ids[2], b"%d"),
        ("<identifier>", b"%b"),
        ("<contact>", b"%b"),
        ("<number>", b"%b"),
    ):
        made = made.replace(_encoder.encode(value), place)
    made = made.replace(time(at).encode(), b"%b")
    return made.replace(b'"segments":7', b'"segments":%d')
