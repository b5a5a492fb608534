"""What a phone sent is taken in: the consumer's chat gets it, a person gets the chat, and STOP is obeyed.

ReceiveReply          one text or part, one transaction
`- _whole             parts of a long text wait for each other
   `- _take_in        into the open chat, or into a new one
      |- _stop        opted out, queued texts and the chat ended, one confirmation
      |- _start       opted in, one confirmation
      `- _bring       everything else goes to a person; HELP is answered as well
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from smsdesk.domain.consent import Words, help_answer, read_words, start_confirmation, stop_confirmation
from smsdesk.domain.reply import InboundPart, InboundText, clean, fingerprint, is_repetition, join_parts
from smsdesk.domain.segments import segment
from smsdesk.store import consent, conversations, replies, texts
from smsdesk.store.consent import ConsentEvent
from smsdesk.store.conversations import ChatEnd, Line, OpenChat, Said
from smsdesk.store.db import Connection, Database, Ids
from smsdesk.store.messages import NewText, add_texts
from smsdesk.store.replies import LongReply

QUIET_WAIT = timedelta(seconds=15)
"""How long at most the confirmation of STOP waits for texts that were leaving: longer than an answer is waited for."""
ANSWER_VALID = timedelta(minutes=5)
"""A confirmation that is later than this is none (47 CFR 64.1200(a)(12)), and late help is no help."""
_OPTED_OUT = ChatEnd("failed", "end_user_opt_out", "disconnected_by_end_user")
_IDS = 6
_END_USER, _CHAT, _, _MESSAGE, _ANSWER, _EVENT = range(_IDS)  # a participant's id follows its chat's


@dataclass(frozen=True, slots=True)
class Received:
    """What a reply led to."""

    opted_out: bool = False
    """It was a STOP: `SettleOptOut` says when it may be acknowledged."""
    answered: bool = False
    """A text of ours waits in the queue because of it."""
    unknown_number: bool = False
    """It was sent to a number that is not the tenant's. It is kept like any other, in a chat without a queue."""


@dataclass(frozen=True, slots=True)
class _Scene:
    """A whole text, and what its reading depends on."""

    conn: Connection
    tenant_id: int
    text: InboundText
    end_user_id: int
    opted_out: bool
    line: Line | None
    first_id: int
    now: datetime


class ReceiveReply:
    """Takes in replies, each in one transaction, those of one consumer one after another; none twice, none lost."""

    def __init__(self, db: Database, ids: Ids) -> None:
        self._db = db
        self._ids = ids

    async def __call__(self, tenant_id: int, part: InboundPart) -> Received:
        """Takes in a text, or a part of one. A repetition changes nothing."""
        part = replace(part, source=clean(part.source), destination=clean(part.destination), body=clean(part.body))
        async with self._db.transaction() as conn:
            first_id = await self._ids.take(conn, _IDS)
            end_user_id = await replies.lock_end_user(conn, tenant_id, part.source, first_id + _END_USER, part.at)
            opted_out = await consent.is_opted_out(conn, tenant_id, part.source)
            if await _is_repeated(conn, tenant_id, part, opted_out):
                return Received(opted_out=opted_out and _stops(part))
            text = await _whole(conn, tenant_id, part)
            if text is None:
                return Received()
            line = await conversations.find_line(conn, tenant_id, text.destination)
            return await _take_in(_Scene(conn, tenant_id, text, end_user_id, opted_out, line, first_id, part.at))

    async def incomplete(self, tenant_id: int, long: LongReply, now: datetime) -> Received:
        """Takes in what is there of a long text, with a mark for each part that did not come."""
        async with self._db.transaction() as conn:
            first_id = await self._ids.take(conn, _IDS)
            end_user_id = await replies.lock_end_user(conn, tenant_id, long.source, first_id + _END_USER, now)
            parts = await replies.take_parts(conn, tenant_id, long)
            if not parts:
                return Received()
            body, encoding = join_parts(parts, long.total)
            text = InboundText(long.carrier_id, long.source, long.destination, clean(body), encoding, long.total)
            opted_out = await consent.is_opted_out(conn, tenant_id, long.source)
            line = await conversations.find_line(conn, tenant_id, long.destination)
            return await _take_in(_Scene(conn, tenant_id, text, end_user_id, opted_out, line, first_id, now))


def _stops(part: InboundPart) -> bool:
    return part.part is None and read_words(part.body, opted_out=True) is Words.STOP


async def _is_repeated(conn: Connection, tenant_id: int, part: InboundPart, opted_out: bool) -> bool:
    """Whether it was taken in before; if not, it is now on record that it was."""
    print_ = fingerprint(part)
    if part.carrier_reference is not None:
        return not await replies.remember_once(conn, tenant_id, part, print_)
    earlier = await replies.find_earlier(conn, tenant_id, part, print_)
    # Where the network gives no name, it is not certain: then a STOP is one, for it is obeyed at least once.
    unsure_stop = not opted_out and _stops(part)
    if earlier is not None and is_repetition(part, earlier) and not unsure_stop:
        return True
    await replies.remember(conn, tenant_id, part, print_)
    return False


async def _whole(conn: Connection, tenant_id: int, part: InboundPart) -> InboundText | None:
    """The text, or None while parts of it are missing."""
    if part.part is None:
        return InboundText(part.carrier_id, part.source, part.destination, part.body, part.encoding)
    reference, number, total = part.part
    long = LongReply(part.carrier_id, part.source, part.destination, reference, total)
    if await replies.keep_part(conn, tenant_id, long, part, number) < total:
        return None
    body, encoding = join_parts(await replies.take_parts(conn, tenant_id, long), total)
    return InboundText(part.carrier_id, part.source, part.destination, clean(body), encoding, total)


async def _take_in(scene: _Scene) -> Received:
    chat, opened = await _find_or_open_chat(scene)
    text = scene.text
    encoding = text.encoding if text.encoding in ("gsm7", "ucs2") else segment(text.body).encoding
    said = Said(scene.first_id + _MESSAGE, chat.chat_id, "end_user", text.body, encoding, text.parts)
    await conversations.add_message(scene.conn, scene.tenant_id, said, scene.now)
    words = read_words(text.body, scene.opted_out)
    if words is Words.STOP:
        answered = await _stop(scene, chat)
    elif words is Words.START and scene.opted_out:
        answered = await _start(scene, chat, opened)
    else:
        answered = await _bring(scene, chat, words)
    return Received(words is Words.STOP, answered, unknown_number=scene.line is None)


async def _find_or_open_chat(scene: _Scene) -> tuple[OpenChat, bool]:
    """The consumer's open chat; else a new one, which he began."""
    new = OpenChat(scene.first_id + _CHAT, scene.text.destination)
    while True:
        chat = await conversations.find_open_chat(scene.conn, scene.tenant_id, scene.end_user_id)
        if chat is not None:
            return chat, False
        if await conversations.open_inbound(scene.conn, scene.tenant_id, new, scene.end_user_id, scene.now):
            return new, True


async def _stop(scene: _Scene, chat: OpenChat) -> bool:
    """From the commit on nothing is claimed or accepted for the number. Only the first STOP is confirmed."""
    conn, tenant_id, number, now = scene.conn, scene.tenant_id, scene.text.source, scene.now
    new = await consent.opt_out(conn, tenant_id, number, "text", now)
    await _note_consent(scene, "opted_out")
    await texts.end_opted_out(conn, tenant_id, number, now)
    await conversations.end_chat(conn, tenant_id, chat.chat_id, _OPTED_OUT, now)
    if new:
        wording = await conversations.read_wording(conn, tenant_id)
        await _answer(scene, chat, "confirmation", stop_confirmation(wording.company))
        # In this transaction, so that no crash loses it; later, so that it is the last text that leaves.
        await texts.hold(conn, tenant_id, scene.first_id + _ANSWER, now + QUIET_WAIT)
    return new


async def _start(scene: _Scene, chat: OpenChat, opened: bool) -> bool:
    """The number may be texted again. A chat that holds nothing but this needs nobody."""
    await consent.opt_in(scene.conn, scene.tenant_id, scene.text.source)
    await _note_consent(scene, "opted_in")
    wording = await conversations.read_wording(scene.conn, scene.tenant_id)
    await _answer(scene, chat, "answer", start_confirmation(wording.company))
    if opened:
        await conversations.end_chat(scene.conn, scene.tenant_id, chat.chat_id, ChatEnd("finished"), scene.now)
    return True


async def _bring(scene: _Scene, chat: OpenChat, words: Words | None) -> bool:
    """The chat goes to the queue of the number, unless somebody has it.

    HELP is answered too, but not to a number that has opted out: nothing leaves to it (toll-free networks do the same),
    and a person sees that it asked.
    """
    line = scene.line
    if line is None or line.queue_id is None:
        line = await conversations.find_line(scene.conn, scene.tenant_id, chat.outbound_number)
    queue_id = line.queue_id if line else None
    await conversations.bring_to_a_person(scene.conn, scene.tenant_id, chat.chat_id, queue_id, scene.now)
    if words is not Words.HELP or scene.opted_out:
        return False
    wording = await conversations.read_wording(scene.conn, scene.tenant_id)
    await _answer(scene, chat, "answer", wording.help_text or help_answer(wording.company))
    return True


async def _answer(scene: _Scene, chat: OpenChat, kind: str, body: str) -> None:
    """Puts a text of the system on its way, from the number that was written to."""
    carrier_id = scene.line.carrier_id if scene.line else scene.text.carrier_id
    text = NewText(
        scene.first_id + _ANSWER, chat.chat_id, "system", None, None, body, segment(body), kind, carrier_id,
        scene.text.destination, scene.text.source, scene.now, scene.now + ANSWER_VALID,
    )  # fmt: skip
    await add_texts(scene.conn, scene.tenant_id, [text])


async def _note_consent(scene: _Scene, kind: str) -> None:
    event = ConsentEvent(scene.first_id + _EVENT, scene.text.source, scene.now, kind, scene.text.body)
    await consent.add_history(scene.conn, scene.tenant_id, event)
