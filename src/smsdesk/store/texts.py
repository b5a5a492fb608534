"""Texts in flight: claimed before a byte leaves, ended by what became of them. The rules are in the migrations
0003, 0006, 0007, 0021, 0025 and 0026."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from smsdesk.domain.text_state import AttemptOutcome, ClaimedText
from smsdesk.store.db import Connection
from smsdesk.store.telling import tell_of_chats


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a line has room for."""

    limit: int
    """Texts at most."""
    notices: int = 0
    """How many of them are notices, if so many wait, although more urgent ones do."""
    segments: Mapping[str, int] | None = None
    """Segments that each number of ours may send now, the first number first; None: no number is limited."""


async def claim(
    conn: Connection, tenant_id: int, carrier_id: int, wanted: Wanted, node_id: int, now: datetime
) -> list[ClaimedText]:
    """Texts of one line that are now this node's to send, the most urgent and then the first due first."""
    segments = wanted.segments
    rows = await conn.fetch(
        "select message_id, attempt, source, destination, body, parts, valid_until, with_media"
        " from claim_texts($1, $2, $3, $4, $5, $6, $7, $8)",
        tenant_id, carrier_id, wanted.limit, wanted.notices, node_id, now,
        None if segments is None else list(segments.keys()), None if segments is None else list(segments.values()),
    )  # fmt: skip
    return [ClaimedText(*row) for row in rows]


async def mark_queue(conn: Connection, tenant_id: int, carrier_id: int, now: datetime) -> None:
    """Has the next claims of a line, for three seconds, begin where its queue does: dead rows that somebody's old
    snapshot keeps before it are not passed each time."""
    await conn.execute("select mark_queue($1, $2, $3)", tenant_id, carrier_id, now)


async def find_sources(conn: Connection, tenant_id: int, carrier_id: int, now: datetime) -> list[tuple[int, str]]:
    """The numbers of ours that have texts to send now over a line, each with its most urgent priority."""
    rows = await conn.fetch(
        "select priority, source from queued_sources($1, $2, $3) order by 1, 2", tenant_id, carrier_id, now
    )
    return [(row[0], row[1]) for row in rows]


async def record_outcomes(
    conn: Connection, tenant_id: int, carrier_id: int, now: datetime, outcomes: Sequence[AttemptOutcome]
) -> int:
    """Writes down what became of attempts: how many of them counted, the others being of attempts gone by."""
    row = await conn.fetchrow(
        "select counted, chats from take_outcomes($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        tenant_id, carrier_id, now, *outcome_arrays(outcomes),
    )  # fmt: skip
    counted, chats = row or (0, ())
    await tell_of_chats(conn, tenant_id, chats)
    return int(counted)


def outcome_arrays(outcomes: Sequence[AttemptOutcome]) -> tuple[list[Any] | None, ...]:
    """Outcomes as the arrays that `take_outcomes` works on; None for one in which nothing would be."""
    named = [
        (outcome.message_id, outcome.attempt, number, part_id)
        for outcome in outcomes
        for number, part_id in enumerate(outcome.part_ids, 1)
        if part_id is not None
    ]
    ids, attempts, kinds, reasons, codes, retry_afters, _ = map(list, zip(*outcomes, strict=True))
    parts = map(list, zip(*named, strict=True)) if named else ([], [], [], [])
    return ids, attempts, kinds, some(reasons), some(codes), some(retry_afters), *parts


def some(values: list[Any]) -> list[Any] | None:
    """None where all of them are: the driver looks at each element, and the server is sent nothing."""
    return values if values.count(None) < len(values) else None


async def end_opted_out(conn: Connection, tenant_id: int, number: str, now: datetime) -> list[int]:
    """Ends what is queued to the number, and gives the nodes that are sending something to it at this moment."""
    nodes: list[int] = await conn.fetchval("select end_opted_out($1, $2, $3)", tenant_id, number, now)
    return nodes


async def end_silent(conn: Connection, tenant_id: int, now: datetime, before: datetime, limit: int) -> int:
    """Ends as `sent` what was sent before `before` and never reported on: how many, at most `limit`."""
    ended: int = await conn.fetchval("select end_silent($1, $2, $3, $4)", tenant_id, now, before, limit)
    return ended


async def end_expired(conn: Connection, tenant_id: int, now: datetime, limit: int) -> int:
    """Ends what is queued and past its time, whatever its line does: how many, at most `limit`."""
    row = await conn.fetchrow(
        "select end_expired($1, $2, $3), chats from (select expired_to_tell($1, $2, $3) as chats offset 0) t",
        tenant_id, now, limit,
    )  # fmt: skip
    ended, chats = row or (0, ())
    await tell_of_chats(conn, tenant_id, chats)
    return int(ended)


async def find_sending(conn: Connection) -> set[tuple[int, int]]:
    """Who has texts `sending`, as (tenant, node): a look across tenants, without locks."""
    rows = await conn.fetch("select distinct tenant_id, node_id from texts where state = 'sending'")
    return {(row["tenant_id"], row["node_id"]) for row in rows}


async def find_held(conn: Connection, tenant_id: int, carrier_id: int, node_id: int) -> list[tuple[int, int]]:
    """What a node is sending over a line, as (message, attempt)."""
    rows = await conn.fetch(
        """
        select message_id, attempt from texts
        where tenant_id = $1 and carrier_id = $2 and node_id = $3 and state = 'sending'
        """,
        tenant_id, carrier_id, node_id,
    )  # fmt: skip
    return [(row["message_id"], row["attempt"]) for row in rows]


async def bury(conn: Connection, tenant_id: int, nodes: Sequence[int], now: datetime) -> int:
    """Makes `doubtful` what these dead nodes were sending: how many texts."""
    rows = await conn.fetch(
        """
        with lost as (
            select message_id from texts where tenant_id = $1 and state = 'sending' and node_id = any ($2)
            order by message_id for update
        )
        update texts t set state = 'doubtful', node_id = null, state_at = $3
        from lost where t.tenant_id = $1 and t.message_id = lost.message_id returning t.chat_id
        """,
        tenant_id, nodes, now,
    )  # fmt: skip
    await tell_of_chats(conn, tenant_id, [row["chat_id"] for row in rows])
    return len(rows)


async def hold(conn: Connection, tenant_id: int, message_id: int, due_at: datetime) -> None:
    """Lets a queued text leave then, and not before."""
    await conn.execute(
        "update texts set due_at = $3 where tenant_id = $1 and message_id = $2", tenant_id, message_id, due_at
    )


async def is_queued(conn: Connection, tenant_id: int, number: str) -> bool:
    """Whether a text to the number waits for whoever delivers."""
    found = await conn.fetchval(
        "select exists (select from texts_to($1, $2) t where t.state = 'queued')", tenant_id, number
    )
    return bool(found)


async def make_due(conn: Connection, tenant_id: int, number: str, kind: str, now: datetime) -> None:
    """Lets the texts of a kind to a number leave now instead of later."""
    await conn.execute(
        """
        update texts set due_at = $4
        where tenant_id = $1 and message_id = any (array(select t.message_id from texts_to($1, $2) t)) and kind = $3
          and state = 'queued' and due_at > $4
        """,
        tenant_id, number, kind, now,
    )  # fmt: skip
