"""What would happen to a text and why: the answer to a dry run, decided by the same code as the send."""

from collections.abc import Mapping

import msgspec

from smsdesk.actions.send_message import SendMessage
from smsdesk.api.problems import answer
from smsdesk.api.v1.chat_object import ChatObject, chat_object
from smsdesk.domain.segments import costly_characters, segment
from smsdesk.domain.send import MOST_PARTS, check_send
from smsdesk.domain.tenant import Tenant
from smsdesk.errors import Problem
from smsdesk.store.sends import WantedSend

REPLAY = "this Idempotency-Key was answered already: the same answer would be given again, and nothing would be sent"


class CostlyCharacterObject(msgspec.Struct):
    """A character that forces the whole text into UCS-2, and what to write instead where there is something."""

    index: int
    character: str
    name: str
    swap: str | None


class Explanation(msgspec.Struct, kw_only=True):
    """What a send with this body would do now. Nothing was sent, and nothing was kept."""

    would_send: bool
    reason: str | None = None
    message: str | None = None
    session: str | None = None
    chat: ChatObject | None = None
    segments: int | None = None
    most_segments: int = MOST_PARTS
    encoding: str | None = None
    units: int | None = None
    parts: list[str] = []
    costly_characters: list[CostlyCharacterObject] = []


async def explain(
    send_message: SendMessage, tenant: Tenant, fields: Mapping[str, object], key: tuple[str, bytes] | None = None
) -> bytes:
    """The explanation as JSON: `would_send`, or the `message` that the send would be refused with; and the parts.

    `key` is the request's Idempotency-Key with the hash of its body: what is stored under it would be answered again.
    """
    explanation = Explanation(would_send=False)
    try:
        if key is not None and await send_message.stored_answer(tenant, *key) is not None:
            explanation.session, explanation.message = "replay", REPLAY
            return msgspec.json.encode(explanation)
        sent = await send_message.explain(tenant, WantedSend(check_send(fields, tenant), None))
        explanation.would_send = True
        explanation.session = "existing" if sent.appended else "new"
        if sent.appended:
            explanation.chat = chat_object(sent.chat)
    except Problem as problem:
        explanation.reason = problem.reason
        explanation.message = msgspec.json.decode(answer(problem)[1])["message"]
    _cut(explanation, fields.get("message"))
    return msgspec.json.encode(explanation)


def _cut(explanation: Explanation, body: object) -> None:
    if not isinstance(body, str) or not body.strip():
        return
    segments = segment(body)
    explanation.segments = len(segments.parts)
    explanation.encoding = segments.encoding
    explanation.units = segments.units
    explanation.parts = list(segments.parts)
    explanation.costly_characters = [
        CostlyCharacterObject(one.index, one.character, one.name, one.swap) for one in costly_characters(body)
    ]
