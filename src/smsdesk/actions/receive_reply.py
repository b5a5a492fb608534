"""What a phone sent is taken in: the consumer's chat gets it, STOP is obeyed, and everything else goes to a person.

ReceiveReply          one text or part, one transaction
`- _whole             parts of a long text wait for each other
   `- _take_in        into the open chat, or a new one; an answer to a survey into the chat that it is about
      |- consent      STOP, START, HELP, and words that mean them
      |- verification a code that we asked for
      `- arrivals     the menu, the queue, the agent
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from smsdesk.domain.consent import Words, read_words
from smsdesk.domain.reply import InboundPart, InboundText, clean, fingerprint, is_repetition, join_parts
from smsdesk.domain.segments import segment
from smsdesk.domain.wording import judge
from smsdesk.domain.wording_rules import Verdict
from smsdesk.steps import arrivals, crm, media, survey, verification
from smsdesk.steps import consent as consent_steps
from smsdesk.steps.arrivals import ArrivedReply
from smsdesk.steps.consent import Consented, Reply
from smsdesk.steps.ending import Ending, end
from smsdesk.steps.notices import answer_notice
from smsdesk.steps.say import Over, say
from smsdesk.steps.speaking import consumer_spoke
from smsdesk.steps.work import Work
from smsdesk.store import consent, replies, texts
from smsdesk.store.chat_rows import ChatRow, NewChat, find_ended, lock_open_chat, open_inbound, require_open
from smsdesk.store.conversations import Said, add_message, find_line
from smsdesk.store.db import Connection, Database, Ids
from smsdesk.store.replies import LongReply

QUIET_WAIT = timedelta(seconds=15)
"""How long at most the confirmation of STOP waits for texts that were leaving: longer than an answer is waited for."""
INBOUND = "Messaging Inbound (SMS)"
"""The type of a chat that the consumer began, in the words of the imitated product's reports."""
_OPTED_OUT = Ending("fail", "disconnected_by_end_user", "end_user_opt_out")
_BLOCKED = Ending("fail", "disconnected_by_system", "end_user_blocked")
_NEEDS_NOBODY = Ending("finish", "disconnected_by_end_user")


@dataclass(frozen=True, slots=True)
class Received:
    """What a reply led to."""

    opted_out: bool = False
    """It was a STOP: `SettleOptOut` says when it may be acknowledged."""
    answered: bool = False
    """A text of ours to this consumer waits in the queue now."""
    unknown_number: bool = False
    """It was sent to a number that is not the tenant's. It is kept like any other."""
    chat_id: int | None = None


class ReceiveReply:
    """Takes in replies, each in one transaction, those of one consumer one after another; none twice, none lost."""

    def __init__(self, db: Database, ids: Ids, chance: Callable[[], float]) -> None:
        self._db = db
        self._ids = ids
        self._chance = chance

    async def __call__(self, tenant_id: int, part: InboundPart) -> Received:
        """Takes in a text, or a part of one. A repetition changes nothing."""
        part = replace(part, source=clean(part.source), destination=clean(part.destination), body=clean(part.body))
        async with self._db.transaction() as conn:
            work = Work(conn, tenant_id, part.at, self._ids, self._chance)
            end_user_id = await replies.lock_end_user(conn, tenant_id, part.source, await work.take_id(), part.at)
            opted_out = await consent.is_opted_out(conn, tenant_id, part.source, part.destination)
            if await _is_repeated(conn, tenant_id, part, opted_out):
                return Received(opted_out=opted_out and _stops(part))
            text = await _whole(conn, tenant_id, part)
            return Received() if text is None else await _take_in(work, text, end_user_id)

    async def incomplete(self, tenant_id: int, long: LongReply, now: datetime) -> Received:
        """Takes in what is there of a long text, with a mark for each part that did not come."""
        async with self._db.transaction() as conn:
            work = Work(conn, tenant_id, now, self._ids, self._chance)
            end_user_id = await replies.lock_end_user(conn, tenant_id, long.source, await work.take_id(), now)
            parts = await replies.take_parts(conn, tenant_id, long)
            if not parts:
                return Received()
            body, encoding = join_parts(parts, long.total)
            text = InboundText(long.carrier_id, long.source, long.destination, clean(body), encoding, long.total)
            return await _take_in(work, text, end_user_id)


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
        return InboundText(part.carrier_id, part.source, part.destination, part.body, part.encoding, media=part.media)
    reference, number, total = part.part
    long = LongReply(part.carrier_id, part.source, part.destination, reference, total)
    if await replies.keep_part(conn, tenant_id, long, part, number) < total:
        return None
    body, encoding = join_parts(await replies.take_parts(conn, tenant_id, long), total)
    return InboundText(part.carrier_id, part.source, part.destination, clean(body), encoding, total)


async def _take_in(work: Work, text: InboundText, end_user_id: int) -> Received:
    chat = await lock_open_chat(work.conn, work.tenant_id, end_user_id)
    previous = None if chat else await find_ended(work.conn, work.tenant_id, end_user_id)
    if previous is not None and await _answers_survey(work, previous, text):
        await _add(work, text, previous.chat_id)
        return Received(answered=True, chat_id=previous.chat_id)
    opened = chat is None
    if chat is None:
        chat = await _open(work, text, end_user_id, previous)
    message_id = await _add(work, text, chat.chat_id)
    await crm.chat_opened(work, chat.chat_id)
    await consumer_spoke(work, chat)
    line = await find_line(work.conn, work.tenant_id, text.destination)
    reply = Reply(
        text.source, text.destination, text.body, end_user_id, chat.chat_id, message_id,
        line.carrier_id if line else text.carrier_id,
    )  # fmt: skip
    consented = await consent_steps.read_reply(work, reply)
    chat = await require_open(work.conn, work.tenant_id, chat.chat_id)
    if not await _is_settled(work, chat, reply, consented, opened):
        await arrivals.arrive(work, chat, ArrivedReply(text.body, text.destination), opened)
    queued = await texts.is_queued(work.conn, work.tenant_id, text.source)
    return Received(consented.command == "stop", queued, line is None, chat.chat_id)


async def _answers_survey(work: Work, previous: ChatRow, text: InboundText) -> bool:
    """Whether it rates the chat before, over the number that asked, and says nothing about consent beside that."""
    if previous.outbound_number != text.destination or judge(text.body).verdict is not Verdict.NONE:
        return False
    return await survey.read_answer(work, previous, text.body)


async def _open(work: Work, text: InboundText, end_user_id: int, previous: ChatRow | None) -> ChatRow:
    """A new chat, which the consumer began; or the one that he got into in this moment."""
    new = NewChat(
        await work.ids.take(work.conn, 2),
        end_user_id,
        text.destination,
        INBOUND,
        previous.chat_id if previous else None,
    )
    while True:
        await open_inbound(work.conn, work.tenant_id, new, work.now)
        chat = await lock_open_chat(work.conn, work.tenant_id, end_user_id)
        if chat is not None:
            return chat


async def _add(work: Work, text: InboundText, chat_id: int) -> int:
    encoding = text.encoding if text.encoding in ("gsm7", "ucs2") else segment(text.body).encoding
    message_id = await work.take_id()
    said = Said(message_id, chat_id, "end_user", text.body, encoding, text.parts)
    await add_message(work.conn, work.tenant_id, said, work.now)
    if text.media:
        await media.add_inbound(work, chat_id, message_id, text.carrier_id, text.media)
    return message_id


async def _is_settled(work: Work, chat: ChatRow, reply: Reply, consented: Consented, opened: bool) -> bool:
    """Whether the reply needs nobody: it was about consent, a code, or a notice that no conversation was to come of."""
    return (
        await _obey(work, chat, reply, consented, opened)
        or await _verify(work, chat, reply)
        or (opened and await answer_notice(work, chat))
    )


async def _verify(work: Work, chat: ChatRow, reply: Reply) -> bool:
    """Whether it was a code, and needs nobody else. Where nobody would see the chat, the right one ends it, and a wrong
    one is read by a person; a chat that was set aside comes back by either."""
    read = await verification.read_code(work, chat, reply.body)
    if read == "verified" and _is_unseen(chat):
        await end(work, chat, _NEEDS_NOBODY)
        return True
    return read is not None and chat.status != "dismissed" and not _is_unseen(chat)


def _is_unseen(chat: ChatRow) -> bool:
    """Whether nobody has the chat, and nothing was asked that the next text may answer."""
    return chat.status == "selecting" and chat.menu_id is None


async def _obey(work: Work, chat: ChatRow, reply: Reply, consented: Consented, opened: bool) -> bool:
    """Does what the consumer's consent asks for; False where the text is for a person as well.

    HELP is for a person too where a chat is open; alone it needs nobody, for its answer asks for the question.
    """
    if consented.answer is not None:
        kind, body = consented.answer
        message_id = await say(work, chat, body, kind, Over(reply.our_number, reply.carrier_id))
        if consented.command == "stop" and message_id is not None:
            # In this transaction, so that no crash loses it; later, so that it is the last text that leaves.
            await texts.hold(work.conn, work.tenant_id, message_id, work.now + QUIET_WAIT)
    if consented.command == "stop":
        await end(work, chat, _OPTED_OUT)
    elif consented.blocked and chat.status in ("selecting", "dismissed"):
        await end(work, chat, _BLOCKED)
    elif opened and consented.answer is not None:
        await end(work, chat, _NEEDS_NOBODY)
    elif consented.command == "help":
        return chat.status != "dismissed" and not _is_unseen(chat)
    else:
        return consented.blocked
    return True
