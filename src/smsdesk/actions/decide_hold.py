"""A person has read a doubtful reply, and says what it meant."""

from dataclasses import dataclass

from smsdesk.domain.audit import Author, Deed
from smsdesk.errors import Problem
from smsdesk.steps.audit import record
from smsdesk.steps.begin import Begin
from smsdesk.steps.consent import Said, revoke
from smsdesk.steps.desk_view import require_read
from smsdesk.steps.say import note
from smsdesk.store import consent, consent_holds
from smsdesk.store.consent_holds import Decision, Hold

WORDS = {"revoked": "wants no more texts", "allowed": "may be texted"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """`revoked` or `allowed`, and who says so."""

    hold_id: int
    decision: str
    by: str
    source: str
    """`agent` or `api`."""
    agent_id: int | None = None
    """Who decides at the desk: he has to be allowed to read the chat. None where a program does."""


async def decide_hold(begin: Begin, tenant_id: int, verdict: Verdict) -> Hold:
    """Ends a hold: as a revocation, with the scope that a STOP would have had when the reply came, or as none. Raises
    Problem `not_found` where there is no such hold, or it was decided."""
    async with begin(tenant_id) as work:
        hold = await consent_holds.lock_hold(work.conn, tenant_id, verdict.hold_id)
        if hold is None or hold.decided_at is not None:
            raise Problem("not_found", f"hold {verdict.hold_id} is not open in this tenant (any more)")
        if verdict.agent_id is not None:
            await require_read(work.conn, tenant_id, verdict.agent_id, hold.chat_id)
            author = Author("desk", verdict.agent_id)
            await record(work, Deed(author, "decide consent", hold.number, {"decision": verdict.decision}))
        said = Decision(verdict.decision, verdict.by, work.now)
        await consent_holds.decide(work.conn, tenant_id, hold.number, hold.our_number, said)
        if verdict.decision == "revoked":
            scope = await consent.read_scope(work.conn, tenant_id, hold.our_number, hold.at)
            await revoke(work, Said(hold.number, hold.words, verdict.source, verdict.by, hold.reason), scope)
        await note(work, hold.chat_id, f"{verdict.by} decided: this number {WORDS[verdict.decision]}.")
        decided = await consent_holds.lock_hold(work.conn, tenant_id, verdict.hold_id)
        assert decided is not None
        return decided
