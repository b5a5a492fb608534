"""A consumer told somebody at the desk whether he wants texts: on the telephone, by letter, or in words of a chat."""

from dataclasses import dataclass

from smsdesk.domain.audit import Author, Deed
from smsdesk.domain.consent import Scope
from smsdesk.domain.consent_list import LONGEST_WORDS
from smsdesk.errors import Problem
from smsdesk.steps import consent as steps
from smsdesk.steps.audit import record
from smsdesk.steps.begin import Begin
from smsdesk.steps.consent import Said
from smsdesk.steps.desk_view import require_read
from smsdesk.steps.say import note
from smsdesk.steps.work import Work
from smsdesk.store import consent
from smsdesk.store.chat_rows import ChatRow
from smsdesk.store.consent_holds import Decision, decide
from smsdesk.store.telling import Hint, tell

WIDTHS = ("here", "all")


@dataclass(frozen=True, slots=True)
class Told:
    """What the consumer of a chat told an agent, in which words, and for which numbers of ours: `here` is what a STOP
    in this chat would cover, `all` is all of them."""

    chat_id: int
    agent_id: int
    words: str
    width: str = "here"


async def opt_out_person(begin: Begin, tenant_id: int, told: Told) -> bool:
    """From the commit on nothing leaves to him within the scope; what waits is ended. False where it was so already: it
    is noted all the same. Any agent who may read the chat may: a wish to be left alone is never refused."""
    _check(told)
    async with begin(tenant_id) as work:
        _, chat = await require_read(work.conn, tenant_id, told.agent_id, told.chat_id)
        scope = await _scope(work, chat, told)
        new = await steps.revoke(work, _said(chat, told), scope)
        if scope.kind != "brand":
            by = Decision("revoked", _name(told), work.now)
            await decide(work.conn, tenant_id, chat.end_user_number, scope.of or None, by)
        await _tell(work, chat, told, "revoke consent", "The consumer told an agent that he wants no more texts.")
        return new


async def opt_in_person(begin: Begin, tenant_id: int, told: Told) -> None:
    """Gives consent again, for this number of ours or for all; only supervisors may, and the words must say how it was
    given: whoever texts has to prove it."""
    _check(told)
    if not told.words.strip():
        raise Problem("parameter_invalid", "write down how consent was given: whoever texts has to prove it")
    async with begin(tenant_id) as work:
        agent, chat = await require_read(work.conn, tenant_id, told.agent_id, told.chat_id)
        if not agent.supervises:
            raise Problem("forbidden")
        our_number = chat.outbound_number if told.width == "here" else None
        await steps.restore(work, _said(chat, told), our_number=our_number)
        await _tell(work, chat, told, "restore consent", "The consumer gave his consent again.")


def _check(told: Told) -> None:
    if told.width not in WIDTHS or len(told.words) > LONGEST_WORDS or "\x00" in told.words:
        raise Problem("parameter_invalid", f"words must have at most {LONGEST_WORDS} characters")


def _name(told: Told) -> str:
    return f"agent {told.agent_id}"


def _said(chat: ChatRow, told: Told) -> Said:
    return Said(chat.end_user_number, told.words.strip(), "agent", _name(told))


async def _scope(work: Work, chat: ChatRow, told: Told) -> Scope:
    if told.width == "all":
        return Scope()
    return await consent.read_scope(work.conn, work.tenant_id, chat.outbound_number, work.now)


async def _tell(work: Work, chat: ChatRow, told: Told, action: str, words: str) -> None:
    await record(work, Deed(Author("desk", told.agent_id), action, chat.end_user_number, {"width": told.width}))
    if chat.ends_at is None:
        await note(work, chat.chat_id, words, told.agent_id)
    await tell(work.conn, work.tenant_id, Hint("chat", chat.chat_id))
