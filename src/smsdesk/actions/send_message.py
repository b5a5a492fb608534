"""Opens a chat with a consumer and puts its first text in the queue: the use case that everything else serves."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple, TypeAlias, cast

from smsdesk.domain.chat import Chat, EndUser, Participant
from smsdesk.domain.quiet_hours import Verdict
from smsdesk.domain.tenant import Tenant
from smsdesk.domain.zones import Place
from smsdesk.errors import REASONS, Problem, Reason
from smsdesk.steps.quiet_hours import Judged, is_judged, judge_sends, keep_judgements, look_at_the_clock
from smsdesk.store.chats import find_chats
from smsdesk.store.db import Connection, Database, Ids
from smsdesk.store.forecasts import Forecast, read_forecast
from smsdesk.store.groups import Groups
from smsdesk.store.sends import (
    IDS_PER_SEND,
    AcceptRules,
    AcceptTimes,
    Decision,
    WantedSend,
    accept_sends,
    find_answer,
    store_answers,
)

MOST_IN_A_GROUP = Ids.BLOCK // IDS_PER_SEND
CROWD = 48
"""So many waiting sends are worth a commit beside the one in flight: fewer would cost more than they gain."""
MOST_TRIES = 20
"""How often a send is decided again because its chat closed, or its key's first request failed, in between."""
_NO_MINUTE = (
    "quiet hours leave no minute in which this text may be sent: nothing is known of where the consumer is, or the "
    "rules there have none in common; give end_user_time_zone, or change the setting quiet_hours"
)


class Sent(NamedTuple):
    """An accepted text and the chat that it is in."""

    wanted: WantedSend
    decision: Decision
    accepted_at: datetime
    open_chat: Chat | None = None
    """The chat that was open already; None where the send opened one."""

    @property
    def appended(self) -> bool:
        """Whether it went into an open chat."""
        return self.open_chat is not None

    @property
    def chat(self) -> Chat:
        """The chat, without a look at the database: what the accept statement has just written is known."""
        return self.open_chat or _new_chat(self.wanted, self.decision, self.accepted_at)

    @property
    def participant_id(self) -> int:
        """Of the consumer, in a chat that the send opened."""
        return (self.decision.chat_id or 0) + 2

    @property
    def segments(self) -> int:
        """The parts of the text."""
        return len(self.wanted.send.segments.parts)


@dataclass(frozen=True, slots=True)
class Outlook:
    """What would become of a text, with what quiet hours have to do with it."""

    sent: Sent
    forecast: Forecast
    place: Place
    verdict: Verdict


Render = Callable[[Sent], bytes]
Outcome: TypeAlias = bytes | Problem
"""What becomes of a send: the answer to it, or why it was refused."""


class _Wanted(NamedTuple):
    """A send on its way into a group, judged by the picture of the tenant that its request saw."""

    tenant: Tenant
    send: WantedSend


class _Decided(NamedTuple):
    decision: Decision | None
    """None where there is no minute in which its text may leave."""
    sent: Sent | None


class SendMessage:
    """Accepts sends in groups, one commit for each group, durable before the answer; one bad send harms no other.

    `render` writes the answer to a send, so that an Idempotency-Key finds it again byte for byte.
    """

    def __init__(self, db: Database, ids: Ids, clock: Callable[[], datetime], render: Render) -> None:
        self._db = db
        self._ids = ids
        self._clock = clock
        self._render = render
        self._groups: dict[tuple[int, bool], Groups[_Wanted, Outcome]] = {}

    def submit(self, tenant: Tenant, wanted: WantedSend) -> "asyncio.Future[Outcome]":
        """Puts the send into the next group. The future ends with the answer, once the send is on disk, or with the
        Problem by which it is refused; or raises one of AWAY."""
        return self._group(tenant.tenant_id, keyed=wanted.key is not None).submit(_Wanted(tenant, wanted))

    async def __call__(self, tenant: Tenant, wanted: WantedSend) -> bytes:
        """The answer for a send, once it is on disk; raises Problem where it is refused."""
        outcome = await self.submit(tenant, wanted)
        if isinstance(outcome, Problem):
            raise outcome
        return outcome

    async def stored_answer(self, tenant: Tenant, wanted_key: str, request_sha256: bytes) -> bytes | None:
        """The answer that this key already got; None where it got none; raises where another request used it."""
        async with self._db.connection() as conn:
            found = await find_answer(conn, tenant.tenant_id, wanted_key)
        if found is not None and found[0] != request_sha256:
            raise Problem("idempotency_mismatch")
        return found[1] if found else None

    async def explain(self, tenant: Tenant, wanted: WantedSend) -> Outlook:
        """What the send would do, and what would become of its text, by doing it and taking it back; raises Problem
        where it would be refused."""
        async with self._db.connection() as conn:
            attempt = conn.transaction()
            await attempt.start()
            try:
                now = self._clock()
                group = [_Wanted(tenant, wanted)]
                (decided,) = await self._decide(conn, tenant.tenant_id, group, now, more=_needs_more(group))
                if decided.sent is None:
                    raise _refusal(decided.decision) or Problem("overloaded")
                forecast = await read_forecast(conn, tenant.tenant_id, decided.sent.decision.message_id)
                place, verdict = await look_at_the_clock(
                    conn, tenant.tenant_id, wanted.send, tenant.settings.quiet_hours, now
                )
                return Outlook(decided.sent, forecast, place, verdict)
            finally:
                await attempt.rollback()

    def _group(self, tenant_id: int, keyed: bool) -> Groups[_Wanted, Outcome]:
        group = self._groups.get((tenant_id, keyed))
        if group is None:
            run = partial(self._accept, tenant_id, keyed)
            group = self._groups[tenant_id, keyed] = Groups(run, max_size=MOST_IN_A_GROUP, parallel=2, crowd=CROWD)
        return group

    async def _accept(self, tenant_id: int, keyed: bool, group: Sequence[_Wanted]) -> Sequence[Outcome]:
        accept = self._accept_keyed if keyed else self._accept_once
        outcomes = await accept(tenant_id, group)
        for _ in range(MOST_TRIES):
            again = [index for index, outcome in enumerate(outcomes) if outcome is None]
            if not again:
                break
            await asyncio.sleep(0)
            for index, outcome in zip(again, await accept(tenant_id, [group[each] for each in again]), strict=True):
                outcomes[index] = outcome
        return [_too_fast() if outcome is None else outcome for outcome in outcomes]

    async def _accept_once(self, tenant_id: int, group: Sequence[_Wanted]) -> list[Outcome | None]:
        # Where the accept statement is all, it is its own transaction: one round trip and one commit for the group.
        more = _needs_more(group)
        async with self._db.transaction() if more else self._db.connection() as conn:
            decided = await self._decide(conn, tenant_id, group, self._clock(), more=more)
            return [self._outcome(one) for one in decided]

    async def _accept_keyed(self, tenant_id: int, group: Sequence[_Wanted]) -> list[Outcome | None]:
        # The answers are kept in the transaction that makes them true.
        async with self._db.transaction() as conn:
            decided = await self._decide(conn, tenant_id, group, self._clock(), more=_needs_more(group))
            outcomes = [self._outcome(one) for one in decided]
            answers = [
                (wanted.send.key, outcome)
                for wanted, one, outcome in zip(group, decided, outcomes, strict=True)
                if one.sent and isinstance(outcome, bytes) and wanted.send.key
            ]
            await store_answers(conn, tenant_id, answers)
        return outcomes

    def _outcome(self, decided: _Decided) -> Outcome | None:
        """None where the send is to be decided again."""
        if decided.sent is not None:
            return self._render(decided.sent)
        if decided.decision is not None and decided.decision.answer is not None:
            return decided.decision.answer
        return _refusal(decided.decision)

    async def _decide(
        self, conn: Connection, tenant_id: int, group: Sequence[_Wanted], now: datetime, *, more: bool
    ) -> list[_Decided]:
        settings, judged = group[-1].tenant.settings, list[Judged | None]()
        wanted = [one.send for one in group]
        if more:
            judged = await judge_sends(conn, tenant_id, wanted, settings.quiet_hours, now)
            wanted = [one.wanted for one in judged if one is not None]
        times = AcceptTimes(
            now,
            now + timedelta(minutes=settings.outbound_session_minutes),
            now + timedelta(minutes=settings.text_validity_minutes),
        )
        rules = AcceptRules(settings.when_active == "append", settings.crm is not None)
        first_id = await self._ids.take(conn, IDS_PER_SEND * len(group))
        decisions = await accept_sends(conn, tenant_id, times, rules, first_id, wanted) if wanted else []
        appended = [one.chat_id for one in decisions if one.outcome == "appended" and one.chat_id is not None]
        chats = await find_chats(conn, tenant_id, appended) if appended else {}
        decided = [_Decided(it, _sent(one, it, now, chats)) for one, it in zip(wanted, decisions, strict=True)]
        if not more:
            return decided
        going = [one for one in judged if one is not None]
        await keep_judgements(conn, tenant_id, zip(going, decisions, strict=True), now)
        each = iter(decided)
        return [_Decided(None, None) if one is None else next(each) for one in judged]


def _refusal(decision: Decision | None) -> Problem | None:
    """Why the send is refused; None where it is to be decided again."""
    if decision is None:
        return Problem("parameter_invalid", _NO_MINUTE)
    return Problem(cast(Reason, decision.outcome)) if decision.outcome in REASONS else None


def _needs_more(group: Sequence[_Wanted]) -> bool:
    """Whether more is written than the accept statement writes: where consumers are, or when texts may leave."""
    hours = group[-1].tenant.settings.quiet_hours
    return any(one.send.send.time_zone is not None or is_judged(one.send.send, hours) for one in group)


def _too_fast() -> Problem:
    return Problem("overloaded", "the chat with this consumer changes too fast: try again")


def _sent(wanted: WantedSend, decision: Decision, now: datetime, chats: dict[int, Chat]) -> Sent | None:
    if decision.chat_id is None or decision.end_user_id is None:
        return None
    if decision.outcome == "accepted":
        return Sent(wanted, decision, now)
    if decision.outcome == "appended" and decision.chat_id in chats:
        return Sent(wanted, decision, now, chats[decision.chat_id])
    return None


def _new_chat(wanted: WantedSend, decision: Decision, now: datetime) -> Chat:
    """The chat as the accept statement has just written it, without reading it again."""
    assert decision.chat_id is not None
    assert decision.end_user_id is not None
    first, agent = decision.chat_id, wanted.send.agent
    participants = [Participant(first + 2, "end_user", "connected", None, decision.end_user_id, now)]
    if agent is not None:
        participants.append(Participant(first + 3, "agent", "connected", agent.agent_id, None, now))
    return Chat(
        chat_id=first,
        status="selecting" if agent is None else "assigned",
        created_at=now,
        outbound_number=wanted.send.outbound_number,
        end_user=EndUser(decision.end_user_id, decision.identifier, decision.out_contact_id),
        participants=tuple(participants),
        assigned_at=None if agent is None else now,
        agent=agent,
    )
