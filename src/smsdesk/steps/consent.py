"""Whether a consumer may be texted: what his replies say about it, and what everybody else does.

read_reply   a text: STOP, START, HELP, words that mean them, words that may mean them
revoke       takes consent back, from wherever that was said
restore      gives it again
"""

from dataclasses import dataclass
from typing import Literal

from smsdesk.domain.consent import (
    Scope,
    Words,
    expects_yes,
    help_answer,
    read_words,
    start_confirmation,
    stop_confirmation,
)
from smsdesk.domain.wording import Judgement, judge
from smsdesk.domain.wording_rules import Verdict
from smsdesk.steps.say import note
from smsdesk.steps.work import Work
from smsdesk.store import blocklist, consent, consent_holds, texts
from smsdesk.store.consent import ConsentEvent
from smsdesk.store.consent_holds import Decision, Hold
from smsdesk.store.conversations import read_wording

CONSUMER = "consumer"
"""Who decided, where the consumer said it himself."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A text from a consumer, and where it stands."""

    number: str
    our_number: str
    body: str
    end_user_id: int
    chat_id: int
    message_id: int
    carrier_id: int


@dataclass(frozen=True, slots=True)
class Consented:
    """What a reply asked for, and what follows from it."""

    command: Literal["stop", "start", "help"] | None = None
    held: bool = False
    """It may be a revocation: a person is to read it, and no notice leaves between the two numbers until he has."""
    blocked: bool = False
    """Its number is on the tenant's blocklist: it is kept, and nobody is asked to answer it."""
    answer: tuple[str, str] | None = None
    """The kind and the words of the text that it is answered with."""
    new: bool = False
    """It changed whether the number may be texted."""
    reason: str = ""
    """Why its words were taken for what they are; empty where they were not."""


@dataclass(frozen=True, slots=True)
class Said:
    """A change of consent, and who said it."""

    number: str
    words: str
    source: str = "text"
    """`text`, `api`, `agent`, `file` or `carrier`."""
    actor: str | None = None
    reason: str | None = None


async def read_reply(work: Work, reply: Reply) -> Consented:
    """Obeys a text. From the commit on nothing is claimed or accepted for a number that took its consent back; HELP is
    not answered to one that did (toll-free networks do the same), nor anything to one that is blocked."""
    blocked = await blocklist.is_blocked(work.conn, work.tenant_id, reply.number)
    opted_out = await consent.is_opted_out(work.conn, work.tenant_id, reply.number, reply.our_number)
    words = read_words(reply.body, opted_out and not await _may_answer(work, reply))
    judged = judge(reply.body)
    if words is Words.STOP or judged.verdict is Verdict.STOP:
        done = await _stop(work, reply, judged, confirm=not opted_out)
    elif words is Words.START and opted_out:
        done = await _start(work, reply)
    elif words is Words.HELP and not opted_out:
        wording = await read_wording(work.conn, work.tenant_id, reply.chat_id, reply.our_number)
        done = Consented("help", answer=("answer", wording.help_text or help_answer(wording.company, wording.lang)))
    elif judged.verdict is Verdict.DOUBTFUL and not opted_out:
        done = await _hold(work, reply, judged.reason)
    else:
        done = Consented()
    return Consented(done.command, blocked=True, new=done.new, reason=done.reason) if blocked else done


async def revoke(work: Work, said: Said, scope: Scope) -> bool:
    """Takes consent back within the scope, and ends what is queued there. False where it was so already."""
    new = await consent.opt_out(work.conn, work.tenant_id, said.number, scope, said.source, work.now)
    await _note(work, said, "opted_out", scope)
    sending = await texts.end_opted_out(work.conn, work.tenant_id, said.number, work.now)
    if said.source != "text" and not sending:
        await consent.set_quiet(work.conn, work.tenant_id, said.number, work.now)
    return new


async def restore(
    work: Work, said: Said, scope: Scope | None = None, our_number: str | None = None
) -> list[Scope]:  # fmt: skip
    """Gives consent again: within one scope, for one number of ours, or everywhere. The scopes that ended."""
    ended = await consent.opt_in(work.conn, work.tenant_id, said.number, scope, our_number)
    for each in ended:
        await _note(work, said, "opted_in", each)
    return ended


async def _may_answer(work: Work, reply: Reply) -> bool:
    """Whether a YES may answer what we asked last."""
    last = await consent.find_last_text(work.conn, work.tenant_id, reply.end_user_id, reply.our_number)
    return last is not None and expects_yes(last)


async def _stop(work: Work, reply: Reply, judged: Judgement, *, confirm: bool) -> Consented:
    """The tenant's rule of the day says what it covers. Only the first one is confirmed."""
    scope = await consent.read_scope(work.conn, work.tenant_id, reply.our_number, work.now)
    await _decide(work, reply, "revoked")
    new = await revoke(work, Said(reply.number, reply.body, reason=judged.reason), scope)
    if not (new and confirm):
        return Consented("stop", new=new, reason=judged.reason)
    wording = await read_wording(work.conn, work.tenant_id, reply.chat_id, reply.our_number)
    confirmation = stop_confirmation(wording.company, judged.language or wording.lang)
    return Consented("stop", answer=("confirmation", confirmation), new=True, reason=judged.reason)


async def _start(work: Work, reply: Reply) -> Consented:
    """Whatever kept this number of ours from texting him ends."""
    await _decide(work, reply, "allowed")
    await restore(work, Said(reply.number, reply.body), our_number=reply.our_number)
    wording = await read_wording(work.conn, work.tenant_id, reply.chat_id, reply.our_number)
    return Consented("start", answer=("answer", start_confirmation(wording.company, wording.lang)), new=True)


async def _hold(work: Work, reply: Reply, reason: str) -> Consented:
    hold = Hold(
        await work.take_id(), reply.number, reply.our_number, work.now, reply.chat_id, reply.message_id, reply.body,
        reason,
    )  # fmt: skip
    new = await consent_holds.add_hold(work.conn, work.tenant_id, hold)
    if new:
        await note(
            work, reply.chat_id,
            f"May want no more texts ({reason}). No notices are sent to this number until somebody decides.",
        )  # fmt: skip
    return Consented(held=True, new=new, reason=reason)


async def _decide(work: Work, reply: Reply, decision: str) -> None:
    said = Decision(decision, CONSUMER, work.now)
    await consent_holds.decide(work.conn, work.tenant_id, reply.number, reply.our_number, said)


async def _note(work: Work, said: Said, kind: str, scope: Scope) -> None:
    event = ConsentEvent(
        await work.take_id(), said.number, work.now, kind, said.words, scope, said.source, said.actor, said.reason
    )
    await consent.add_history(work.conn, work.tenant_id, event)
