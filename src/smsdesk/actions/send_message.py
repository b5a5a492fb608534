"""Opens a chat with a consumer and puts its first text in the queue: the use case that everything else serves."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import cast

from smsdesk.domain.chat import Chat, EndUser, Participant
from smsdesk.domain.quiet_hours import Verdict
from smsdesk.domain.tenant import Tenant
from smsdesk.domain.zones import Place
from smsdesk.errors import REASONS, Problem, Reason
from smsdesk.steps.quiet_hours import is_judged, judge_sends, keep_judgements, look_at_the_clock
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
MOST_TRIES = 20
"""How often a send is decided again because its chat closed, or its key's first request failed, in between."""
_NO_MINUTE = (
    "quiet hours leave no minute in which this text may be sent: nothing is known of where the consumer is, or the "
    "rules there have none in common; give end_user_time_zone, or change the setting quiet_hours"
)


@dataclass(frozen=True, slots=True)
class Sent:
    """An accepted text and the chat that it is in."""

    chat: Chat
    message_id: int
    segments: int
    appended: bool = False


@dataclass(frozen=True, slots=True)
class Outlook:
    """What would become of a text, with what quiet hours have to do with it."""

    sent: Sent
    forecast: Forecast
    place: Place
    verdict: Verdict


Render = Callable[[Sent], bytes]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A send on its way into a group, judged by the picture of the tenant that its request saw."""

    tenant: Tenant
    send: WantedSend


@dataclass(frozen=True, slots=True)
class _Decided:
    decision: Decision | None
    """None where there is no minute in which its text may leave."""
    sent: Sent | None
    answer: bytes | None = None


class SendMessage:
    """Accepts sends in groups, one commit for each group, durable before the answer; one bad send harms no other.

    `render` writes the answer to a send, so that an Idempotency-Key finds it again byte for byte.
    """

    def __init__(self, db: Database, ids: Ids, clock: Callable[[], datetime], render: Render) -> None:
        self._db = db
        self._ids = ids
        self._clock = clock
        self._render = render
        self._groups: dict[tuple[int, bool], Groups[_Wanted, _Decided]] = {}

    async def __call__(self, tenant: Tenant, wanted: WantedSend) -> bytes:
        """The answer for a send, once it is on disk; raises Problem where it is refused."""
        group = self._group(tenant.tenant_id, keyed=wanted.key is not None)
        for _ in range(MOST_TRIES):
            decided = await group.submit(_Wanted(tenant, wanted))
            if decided.answer is not None:
                return decided.answer
            if decided.sent is not None:
                return self._render(decided.sent)
            if refusal := _refusal(decided.decision):
                raise refusal
            await asyncio.sleep(0)
        raise Problem("overloaded", "the chat with this consumer changes too fast: try again")

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
                (decided,) = await self._decide(conn, tenant.tenant_id, [_Wanted(tenant, wanted)], now)
                if decided.sent is None:
                    raise _refusal(decided.decision) or Problem("overloaded")
                forecast = await read_forecast(conn, tenant.tenant_id, decided.sent.message_id)
                place, verdict = await look_at_the_clock(
                    conn, tenant.tenant_id, wanted.send, tenant.settings.quiet_hours, now
                )
                return Outlook(decided.sent, forecast, place, verdict)
            finally:
                await attempt.rollback()

    def _group(self, tenant_id: int, keyed: bool) -> Groups[_Wanted, _Decided]:
        group = self._groups.get((tenant_id, keyed))
        if group is None:
            run = partial(self._accept_keyed if keyed else self._accept, tenant_id)
            group = self._groups[tenant_id, keyed] = Groups(run, max_size=MOST_IN_A_GROUP, parallel=1)
        return group

    async def _accept(self, tenant_id: int, group: Sequence[_Wanted]) -> Sequence[_Decided]:
        if any(_needs_more(one) for one in group):
            async with self._db.transaction() as conn:
                return await self._decide(conn, tenant_id, group, self._clock())
        # No transaction block: the call is its own, one round trip and one commit for all of the group.
        async with self._db.connection() as conn:
            return await self._decide(conn, tenant_id, group, self._clock())

    async def _accept_keyed(self, tenant_id: int, group: Sequence[_Wanted]) -> Sequence[_Decided]:
        # The answers are kept in the transaction that makes them true.
        async with self._db.transaction() as conn:
            decided = [
                replace(
                    one, answer=self._render(one.sent) if one.sent else one.decision.answer if one.decision else None
                )
                for one in await self._decide(conn, tenant_id, group, self._clock())
            ]
            answers = [
                (wanted.send.key, one.answer)
                for wanted, one in zip(group, decided, strict=True)
                if one.sent and one.answer and wanted.send.key
            ]
            await store_answers(conn, tenant_id, answers)
        return decided

    async def _decide(
        self, conn: Connection, tenant_id: int, group: Sequence[_Wanted], now: datetime
    ) -> list[_Decided]:
        settings = group[-1].tenant.settings
        judged = await judge_sends(conn, tenant_id, [one.send for one in group], settings.quiet_hours, now)
        going = [one for one in judged if one is not None]
        times = AcceptTimes(
            now,
            now + timedelta(minutes=settings.outbound_session_minutes),
            now + timedelta(minutes=settings.text_validity_minutes),
        )
        rules = AcceptRules(settings.when_active == "append", settings.crm is not None)
        first_id = await self._ids.take(conn, IDS_PER_SEND * len(group))
        wanted = [one.wanted for one in going]
        decisions = await accept_sends(conn, tenant_id, times, rules, first_id, wanted) if wanted else []
        await keep_judgements(conn, tenant_id, zip(going, decisions, strict=True), now)
        appended = [one.chat_id for one in decisions if one.outcome == "appended" and one.chat_id is not None]
        chats = await find_chats(conn, tenant_id, appended) if appended else {}
        each = iter(decisions)
        return [
            _Decided(None, None) if one is None else _Decided(it := next(each), _sent(one.wanted, it, now, chats))
            for one in judged
        ]


def _refusal(decision: Decision | None) -> Problem | None:
    """Why the send is refused; None where it is to be decided again."""
    if decision is None:
        return Problem("parameter_invalid", _NO_MINUTE)
    return Problem(cast(Reason, decision.outcome)) if decision.outcome in REASONS else None


def _needs_more(one: _Wanted) -> bool:
    """Whether more is written than the accept statement writes."""
    send = one.send.send
    return send.time_zone is not None or is_judged(send, one.tenant.settings.quiet_hours)


def _sent(wanted: WantedSend, decision: Decision, now: datetime, chats: dict[int, Chat]) -> Sent | None:
    parts = len(wanted.send.segments.parts)
    if decision.chat_id is None or decision.end_user_id is None:
        return None
    if decision.outcome == "accepted":
        return Sent(_new_chat(wanted, decision, now), decision.message_id, parts)
    if decision.outcome == "appended" and decision.chat_id in chats:
        return Sent(chats[decision.chat_id], decision.message_id, parts, appended=True)
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
