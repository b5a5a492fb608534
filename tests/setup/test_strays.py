"""Chats whose queue is deleted or whose agent is disabled: each has another place in the same transaction."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from smsdesk.actions.apply_setup import apply_setup
from smsdesk.errors import Problem
from smsdesk.setup.plan import render
from smsdesk.store.chat_rows import NewChat, lock_chat_row, open_inbound
from smsdesk.store.db import Database
from smsdesk.store.moves import Move, move_chat
from tests.kit.processes import until
from tests.setup.kit import NOW, applied, planned

DESK = """\
tenant: acme
carriers: [{name: lab, type: lab}]
queues:
  - {name: Support, children: [{name: Billing}, {name: Orders, queue_expiry_minutes: 30}]}
  - {name: Sales}
numbers: [{number: "+1 628-555-0199", carrier: lab, queue: Support}]
agents:
  - {email: ann@foo.com, queues: [Billing]}
  - {email: bob@foo.com, queues: [Orders]}
"""
THEN = NOW - timedelta(minutes=10)
GONE = "tenant: acme\nqueues: [{name: Support, children: [{name: Billing, deleted: true, move_chats_to: Orders}]}]"


async def ids(db: Database, table: str, column: str) -> dict[str, int]:
    async with db.connection() as conn:
        return {row[0]: row[1] for row in await conn.fetch(f"select {column}, {table[:-1]}_id from {table}")}


async def begin(db: Database, chat_id: int, status: str, queue: str | None, agent: str | None = None) -> None:
    """A chat of a consumer of its own that has come to this status ten minutes ago."""
    queues, agents = await ids(db, "queues", "name"), await ids(db, "agents", "email")
    async with db.transaction() as conn:
        [tenant_id] = [row[0] for row in await conn.fetch("select tenant_id from tenants")]
        number = f"+1415555{chat_id:04}"
        await conn.execute(
            "insert into end_users values ($1, $2, $3, null, null, $4)", tenant_id, chat_id, number, THEN
        )
        await open_inbound(conn, tenant_id, NewChat(chat_id, chat_id, "+16285550199", "Messaging (SMS)"), THEN)
        await conn.execute("update chats set end_user_said_at = $2 where chat_id = $1", chat_id, THEN)
        move = Move(status, agents[agent] if agent else None, queues[queue] if queue else None)
        await move_chat(conn, tenant_id, chat_id, move, chat_id + 5, THEN)


async def place(db: Database, chat_id: int) -> tuple[Any, ...]:
    """Status, queue and agent of a chat."""
    queues, agents = await ids(db, "queues", "name"), await ids(db, "agents", "email")
    async with db.connection() as conn:
        chat = await lock_chat_row(conn, await conn.fetchval("select tenant_id from tenants"), chat_id)
    assert chat is not None
    named = {queue_id: name for name, queue_id in queues.items()} | {None: None}
    return chat.status, named[chat.queue_id], {each: name for name, each in agents.items()}.get(chat.agent_id or 0)


async def test_the_chats_of_a_queue_that_goes_are_where_the_file_says(db: Database) -> None:
    await applied(db, DESK)
    await begin(db, 10, "queued", "Billing")
    await begin(db, 20, "ongoing", "Billing", "ann@foo.com")
    await begin(db, 30, "dismissed", "Billing", "ann@foo.com")
    await begin(db, 40, "queued", "Sales")
    [plan] = await planned(db, GONE)
    assert render(plan)[-3:-1] == ["  - queue Support/Billing", '      move_chats_to: "Support/Orders"']
    assert plan.obstacles == ()
    await apply_setup(db, plan, NOW)
    assert [await place(db, chat_id) for chat_id in (10, 20, 30, 40)] == [
        ("queued", "Orders", None),
        ("ongoing", "Orders", "ann@foo.com"),
        ("dismissed", "Orders", "ann@foo.com"),
        ("queued", "Sales", None),
    ]
    async with db.connection() as conn:
        timer = await conn.fetchrow("select chat_id, kind, due_at from timers")
        assert tuple(timer) == (10, "queue_expiry", NOW + timedelta(minutes=30)), "as of any chat that comes there"
        spans = await conn.fetch("select status, queue_id from spans where chat_id = 20 order by number")
        assert [span["status"] for span in spans] == ["selecting", "ongoing"], "its time in the old queue is kept"
    assert (await planned(db, GONE))[0].is_empty


async def test_an_agent_who_is_ready_there_is_asked_at_once(db: Database) -> None:
    await applied(db, DESK)
    async with db.connection() as conn:
        await conn.execute("update agent_statuses set status = 'available'")
    await begin(db, 10, "queued", "Billing")
    await applied(db, GONE)
    bob = (await ids(db, "agents", "email"))["bob@foo.com"]
    async with db.connection() as conn:
        assert [tuple(row) for row in await conn.fetch("select chat_id, agent_id from offers")] == [(10, bob)]


async def test_without_a_word_about_its_chats_a_queue_stays(db: Database) -> None:
    await applied(db, DESK)
    await begin(db, 10, "queued", "Billing")
    [plan] = await planned(db, "tenant: acme\nqueues: [{name: Support, children: [{name: Billing, deleted: true}]}]")
    assert plan.obstacles == (
        "queue Support/Billing has 1 open chats: finish or transfer them first, "
        "or write move_chats_to: PATH beside its name",
    )
    with pytest.raises(Problem, match="Support/Billing has 1 open chats"):
        await apply_setup(db, plan, NOW)
    assert await place(db, 10) == ("queued", "Billing", None)


async def test_the_chats_of_an_agent_who_is_disabled_wait_again(db: Database) -> None:
    await applied(db, DESK)
    await begin(db, 10, "ongoing", "Billing", "ann@foo.com")
    await begin(db, 20, "assigned", None, "ann@foo.com")
    await begin(db, 30, "ongoing", "Orders", "bob@foo.com")
    await begin(db, 40, "dismissed", "Billing", "ann@foo.com")
    await begin(db, 50, "assigned", None, "ann@foo.com")
    async with db.connection() as conn:
        await conn.execute("update chats set end_user_said_at = null where chat_id = 50")
    await applied(db, "tenant: acme\nagents: [{email: ann@foo.com, disabled: true}]")
    assert [await place(db, chat_id) for chat_id in (10, 20, 30, 40, 50)] == [
        ("queued", "Billing", None),
        ("queued", "Supervisors", None),
        ("ongoing", "Orders", "bob@foo.com"),
        ("dismissed", "Billing", "ann@foo.com"),
        ("assigned", None, "ann@foo.com"),
    ]
    async with db.connection() as conn:
        loads = await conn.fetch("select load from agent_statuses s join agents a using (agent_id) order by a.email")
        assert [row[0] for row in loads] == [0, 1]


async def test_both_at_once(db: Database) -> None:
    await applied(db, DESK)
    await begin(db, 10, "ongoing", "Billing", "ann@foo.com")
    await applied(db, f"{GONE}\nagents: [{{email: ann@foo.com, disabled: true}}]")
    assert await place(db, 10) == ("queued", "Orders", None)


async def test_an_apply_and_an_assignment_never_wait_for_each_other_crosswise(db: Database) -> None:
    """Whoever changes a chat locks it, then its agents; the apply waits for the chat before it has any agent."""
    await applied(db, DESK)
    await begin(db, 10, "queued", "Billing")
    ann, billing = (await ids(db, "agents", "email"))["ann@foo.com"], (await ids(db, "queues", "name"))["Billing"]
    [gone] = await planned(db, f"{GONE}\nagents: [{{email: ann@foo.com, disabled: true}}]")

    async def waits() -> bool:
        async with db.connection() as conn:
            return bool(await conn.fetchval("select exists (select from pg_locks where not granted)"))

    async with db.transaction() as conn:
        tenant_id = await conn.fetchval("select tenant_id from chats where chat_id = 10 for no key update")
        applying = asyncio.create_task(apply_setup(db, gone, NOW))
        await until(waits, 10.0, "the apply to wait for the chat")
        await move_chat(conn, tenant_id, 10, Move("assigned", ann, billing), 16, NOW)
    await asyncio.wait_for(applying, 10)
    assert await place(db, 10) == ("queued", "Orders", None)
