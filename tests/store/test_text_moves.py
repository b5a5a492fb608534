"""Every order of what can happen to a text, run in PostgreSQL and held against the table of legal moves."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import permutations

import asyncpg
import pytest

from smsdesk.domain.text_state import ENDS, MOVES, AttemptOutcome, PartReceipt, judge_parts
from smsdesk.store import receipts, texts
from smsdesk.store.db import Database
from tests.store.outbox import LINE, NODE, NOW, TENANT, make_tenant, opened, queue_texts, states

FAR = NOW + timedelta(hours=1)


@dataclass
class Model:
    """What the design says happens to one text: slow, plain, and not in SQL."""

    parts_in_all: int
    state: str = "queued"
    attempt: int = 0
    reason: str | None = None
    parts: list[str] = field(default_factory=list)
    ended_order: list[int] = field(default_factory=list)
    known: set[int] = field(default_factory=set)
    orphans: list[tuple[int, str]] = field(default_factory=list)
    path: list[str] = field(default_factory=lambda: ["queued"])
    silent: bool = False

    def _to(self, state: str) -> None:
        assert state == self.state or state in MOVES[self.state], f"{self.state} -> {state}"
        self.state = state
        self.path.append(state)

    def claim(self) -> None:
        if self.state == "queued":
            self._to("sending")
            self.attempt += 1
            self.reason = None
            self.parts, self.known, self.ended_order = ["sending"] * self.parts_in_all, set(), []

    def outcome(self, kind: str, attempt: int) -> None:
        if self.state not in ("sending", "doubtful") or attempt != self.attempt or self.silent:
            return
        if kind in ("accepted", "doubtful"):
            self._to("sent" if kind == "accepted" else "doubtful")
            self.known = set(range(self.parts_in_all if kind == "accepted" else 1))
            waiting = [one for one in self.orphans if one[0] in self.known]
            self.orphans = [one for one in self.orphans if one[0] not in self.known]
            # Receipts that waited are all applied in one moment: then the first part counts first.
            for part, state in sorted(waiting, key=lambda one: one[0]):
                self._end_part(part, state)
            self._judge()
        elif kind == "refused":
            self.reason = "blocked"
            self._to("failed")
        else:
            self._to("queued")

    def receipt(self, part: int, state: str) -> None:
        if part not in self.known:
            if (part, state) not in self.orphans:
                self.orphans.append((part, state))
        elif self.state in ("sent", "doubtful"):
            self._end_part(part, state)
            self._judge()

    def bury(self) -> None:
        if self.state == "sending":
            self._to("doubtful")

    def silence(self) -> None:
        self.silent = self.silent or self.state == "sent"

    def _end_part(self, part: int, state: str) -> None:
        if part in self.ended_order:
            return
        self.parts[part] = state
        self.ended_order.append(part)
        if state != "delivered" and self.reason is None:
            self.reason = "unreachable"

    def _judge(self) -> None:
        ended = [self.parts[part] for part in self.ended_order]
        end = judge_parts(ended + ["sent"] * (self.parts_in_all - len(ended)))
        if end is not None:
            self._to(end)


Event = tuple[str, ...]


async def happen(db: Database, event: Event, ids: Sequence[int], now_part: timedelta) -> None:
    """One kind of event for many texts at once."""
    now = NOW + now_part
    what = event[0]
    async with db.connection() as conn:
        if what == "claim":
            await conn.execute("update texts set due_at = $2 where message_id = any ($1)", ids, NOW)
            await texts.claim(conn, TENANT, LINE, texts.Wanted(len(ids)), NODE, now)
        elif what == "outcome":
            kind, attempt, total = event[1], int(event[2]), int(event[3])
            await texts.record_outcomes(conn, TENANT, LINE, now, [_outcome(i, kind, attempt, total) for i in ids])
            await conn.execute("update texts set due_at = $1 where state = 'queued'", FAR)
        elif what == "receipt":
            part, state = int(event[1]), event[2]
            reason = None if state == "delivered" else "unreachable"
            found = [PartReceipt(f"{i}/{part}", state, reason, "stat") for i in ids]
            await receipts.record(conn, TENANT, LINE, now, found)
        elif what == "bury":
            other = await conn.fetch(
                "select message_id from texts where state = 'sending' and message_id <> all ($1)", ids
            )
            await conn.execute("update texts set node_id = 99 where message_id = any ($1)", [r[0] for r in other])
            await texts.bury(conn, TENANT, [NODE], now)
            await conn.execute("update texts set node_id = $1 where node_id = 99", NODE)
        else:
            await conn.execute(
                "update texts set state_at = state_at - interval '5 days' where message_id = any ($1)", ids
            )
            await texts.end_silent(conn, TENANT, now, NOW - timedelta(days=3), len(ids) or 1)
            await conn.execute("update texts set state_at = $1", NOW)


def _outcome(message_id: int, kind: str, attempt: int, total: int) -> AttemptOutcome:
    known = {"accepted": total, "doubtful": 1}.get(kind, 0)
    part_ids = tuple(f"{message_id}/{part}" for part in range(known))
    if kind == "refused":
        return AttemptOutcome(message_id, attempt, kind, "blocked", "0x45")
    if kind == "throttled":
        return AttemptOutcome(message_id, attempt, "refused", "queue_full", "0x58", 1.0)
    return AttemptOutcome(message_id, attempt, kind, part_ids=part_ids)


def _apply(model: Model, event: Event) -> None:
    if event[0] == "outcome":
        model.outcome(event[1], int(event[2]))
    elif event[0] == "receipt":
        model.receipt(int(event[1]), event[2])
    else:
        getattr(model, event[0])()


ACCEPTED: Event = ("outcome", "accepted", "1", "1")
DELIVERED: Event = ("receipt", "0", "delivered")
UNDELIVERED: Event = ("receipt", "0", "undelivered")
CASES: dict[str, tuple[int, list[Event]]] = {
    "receipts": (1, [("claim",), ACCEPTED, DELIVERED, DELIVERED, UNDELIVERED, ("bury",), ("silence",)]),
    "doubt": (
        1,
        [("claim",), ("outcome", "doubtful", "1", "1"), ACCEPTED, ("outcome", "refused", "1", "1"), DELIVERED,
         ("bury",)],
    ),
    "again": (
        1,
        [("claim",), ("claim",), ("outcome", "throttled", "1", "1"), ("outcome", "unsent", "1", "1"), ("bury",),
         ("outcome", "accepted", "2", "1"), DELIVERED],
    ),
    "parts": (
        2,
        [("claim",), ("outcome", "accepted", "1", "2"), DELIVERED, ("receipt", "1", "delivered"),
         ("receipt", "1", "expired"), ("receipt", "0", "failed"), ("bury",)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
async def test_all_orders(database: str, case: str) -> None:
    total, events = CASES[case]
    orders = sorted(set(permutations(events)))
    models = {number: Model(total) for number in range(1, len(orders) + 1)}
    db = await opened(database)
    try:
        async with db.connection() as conn:
            await make_tenant(conn)
            await queue_texts(conn, list(models), parts=total, due_at=FAR, valid_until=NOW + timedelta(days=9))
        for step in range(len(events)):
            for at, event in enumerate(sorted(set(events))):
                ids = [number for number, order in enumerate(orders, 1) if order[step] == event]
                for number in ids:
                    _apply(models[number], event)
                await happen(db, event, ids, timedelta(seconds=step, milliseconds=at))
            async with db.connection() as conn:
                seen = await states(conn)
            for number, model in models.items():
                expected = (model.state, model.reason if model.state in ENDS - {"delivered"} else None)
                state, reason = seen[number]
                assert (state, reason if state in ENDS else None) == expected, (orders[number - 1][: step + 1], model)
        assert {model.state for model in models.values()} & {"delivered", "failed", "undelivered"}
    finally:
        await db.close()


async def test_a_table_without_a_way_back() -> None:
    assert all(following <= MOVES.keys() for following in MOVES.values())
    assert {"delivered", "undelivered", "failed", "expired"} == ENDS
    assert not any("queued" in MOVES[state] for state in ("sent", *ENDS))


async def test_the_ledger_refuses_unknown_states(database: str) -> None:
    conn = await asyncpg.connect(database)
    try:
        await make_tenant(conn)
        await queue_texts(conn, [1])
        with pytest.raises(asyncpg.CheckViolationError):
            await conn.execute("update texts set state = 'delivered'")
    finally:
        await conn.close()
