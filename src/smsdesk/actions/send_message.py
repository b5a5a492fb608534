"""Opens a chat with a consumer and puts its first text in the queue: the use case that everything else serves."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import cast

from smsdesk.domain.chat import Chat, EndUser, Participant
from smsdesk.domain.tenant import Tenant
from smsdesk.errors import REASONS, Problem, Reason
from smsdesk.store.chats import find_chats
from smsdesk.store.db import Connection, Database, Ids
from smsdesk.store.forecasts import Forecast, read_forecast
from smsdesk.store.groups import Groups
from smsdesk.store.sends import (
    IDS_PER_SEND,
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


@dataclass(frozen=True, slots=True)
class Sent:
    """An accepted text and the chat that it is in."""

    chat: Chat
    message_id: int
    segments: int
    appended: bool = False


Render = Callable[[Sent], bytes]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A send on its way into a group, judged by the picture of the tenant that its request saw."""

    tenant: Tenant
    send: WantedSend


@dataclass(frozen=True, slots=True)
class _Decided:
    decision: Decision
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
            if decided.decision.outcome in REASONS:
                raise Problem(cast(Reason, decided.decision.outcome))
            await asyncio.sleep(0)
        raise Problem("overloaded", "the chat with this consumer changes too fast: try again")

    async def stored_answer(self, tenant: Tenant, wanted_key: str, request_sha256: bytes) -> bytes | None:
        """The answer that this key already got; None where it got none; raises where another request used it."""
        async with self._db.connection() as conn:
            found = await find_answer(conn, tenant.tenant_id, wanted_key)
        if found is not None and found[0] != request_sha256:
            raise Problem("idempotency_mismatch")
        return found[1] if found else None

    async def explain(self, tenant: Tenant, wanted: WantedSend) -> tuple[Sent, Forecast]:
        """What the send would do, and what would become of its text, by doing it and taking it back; raises Problem
        where it would be refused."""
        async with self._db.connection() as conn:
            attempt = conn.transaction()
            await attempt.start()
            try:
                (decided,) = await self._decide(conn, tenant.tenant_id, [_Wanted(tenant, wanted)])
                if decided.sent is None:
                    outcome = decided.decision.outcome
                    raise Problem(cast(Reason, outcome) if outcome in REASONS else "overloaded")
                return decided.sent, await read_forecast(conn, tenant.tenant_id, decided.sent.message_id)
            finally:
                await attempt.rollback()

    def _group(self, tenant_id: int, keyed: bool) -> Groups[_Wanted, _Decided]:
        group = self._groups.get((tenant_id, keyed))
        if group is None:
            run = partial(self._accept_keyed if keyed else self._accept, tenant_id)
            group = self._groups[tenant_id, keyed] = Groups(run, max_size=MOST_IN_A_GROUP, parallel=1)
        return group

    async def _accept(self, tenant_id: int, group: Sequence[_Wanted]) -> Sequence[_Decided]:
        # No transaction block: the call is its own, one round trip and one commit for all of the group.
        async with self._db.connection() as conn:
            return await self._decide(conn, tenant_id, group)

    async def _accept_keyed(self, tenant_id: int, group: Sequence[_Wanted]) -> Sequence[_Decided]:
        # The answers are kept in the transaction that makes them true.
        async with self._db.transaction() as conn:
            decided = [
                replace(one, answer=self._render(one.sent) if one.sent else one.decision.answer)
                for one in await self._decide(conn, tenant_id, group)
            ]
            answers = [
                (wanted.send.key, one.answer)
                for wanted, one in zip(group, decided, strict=True)
                if one.sent and one.answer and wanted.send.key
            ]
            await store_answers(conn, tenant_id, answers)
        return decided

    async def _decide(self, conn: Connection, tenant_id: int, group: Sequence[_Wanted]) -> list[_Decided]:
        settings = group[-1].tenant.settings
        now = self._clock()
        times = AcceptTimes(
            now,
            now + timedelta(minutes=settings.outbound_session_minutes),
            now + timedelta(minutes=settings.text_validity_minutes),
        )
        first_id = await self._ids.take(conn, IDS_PER_SEND * len(group))
        append = settings.when_active == "append"
        decisions = await accept_sends(conn, tenant_id, times, append, first_id, [one.send for one in group])
        appended = [one.chat_id for one in decisions if one.outcome == "appended" and one.chat_id is not None]
        chats = await find_chats(conn, tenant_id, appended) if appended else {}
        return [
            _Decided(decision, _sent(wanted.send, decision, now, chats))
            for wanted, decision in zip(group, decisions, strict=True)
        ]


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
