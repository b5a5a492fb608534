"""A worker on a real database and a real SMSC over TCP: what is queued arrives once, what comes back is kept."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from time import time
from typing import Any

import aiohttp
import pytest
import structlog

from smsdesk.jobs import deliver_texts
from smsdesk.jobs.worker import Machine, Worker
from smsdesk.lab.config import LabConfig
from smsdesk.lab.server import Lab
from smsdesk.media.stores import Stores
from smsdesk.setup.secrets import SecretMissing, resolve_all
from smsdesk.store import nodes, texts
from smsdesk.store.db import Database, Ids
from tests.store.outbox import LINE, OURS, TENANT, make_tenant, opened, queue_texts, states

PHONE = "+14155550100"
LIMIT = 20.0


def now() -> datetime:
    return datetime.now(UTC)


async def eventually(look: Callable[[], Awaitable[bool]], what: str) -> None:
    """Returns as soon as it is so; fails after LIMIT seconds."""
    end = time() + LIMIT
    while not await look():
        assert time() < end, f"not in {LIMIT:g} s: {what}"
        await asyncio.sleep(0.02)


@pytest.fixture
async def lab() -> AsyncIterator[Lab]:
    lab = Lab(LabConfig(smpp_port=0, http_port=0, deliver_retry=0.1), time, Random(1))
    await lab.start()
    yield lab
    await lab.stop()


@pytest.fixture
async def db(database: str, lab: Lab) -> AsyncIterator[Database]:
    db = await opened(database)
    async with db.connection() as conn:
        await make_tenant(conn)
        await conn.execute("update carriers set type = 'smpp', config = $1", smpp(lab))
    yield db
    await db.close()


def smpp(lab: Lab, **more: object) -> dict[str, object]:
    return {"host": "127.0.0.1", "port": lab.smpp_port, "system_id": "acme", "password": "x",
            "response_timeout": 0.5, "reconnect_first": 0.05, "reconnect_longest": 0.1, **more}  # fmt: skip


@asynccontextmanager
async def working(db: Database, name: str = "test") -> AsyncIterator[Worker]:
    """A worker at work until the end of the block, stopped in good order."""
    worker = Worker(db, Ids(), Stores(Path(), {}, now), Machine(name, now, Random(2).random, structlog.get_logger()))
    task = asyncio.create_task(worker.run())
    try:
        await asyncio.wait_for(worker.ready.wait(), LIMIT)
        yield worker
    finally:
        task.cancel()
        await asyncio.wait({task}, timeout=30)
        assert task.cancelled()


async def queue(db: Database, ids: list[int], **more: Any) -> None:
    async with db.connection() as conn:
        await queue_texts(conn, ids, due_at=now(), valid_until=now() + timedelta(hours=1), **more)


async def all_in(db: Database, *wanted: str) -> bool:
    async with db.connection() as conn:
        return {state for state, _ in (await states(conn)).values()} == set(wanted)


async def http(lab: Lab, method: str, path: str, **more: Any) -> Any:
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, f"http://127.0.0.1:{lab.http_port}{path}", **more) as answer,
    ):
        assert answer.status < 300, await answer.text()
        return await answer.json()


async def arrived(lab: Lab) -> list[str]:
    found = await http(lab, "GET", "/texts?after=0&limit=1000")
    return sorted(text["body"] for text in (found["texts"] if isinstance(found, dict) else found))


async def reply(lab: Lab, body: str) -> None:
    await http(lab, "POST", f"/handsets/{PHONE}/reply", json={"to": OURS, "body": body})


async def test_what_is_queued_arrives_once_and_is_known_to(db: Database, lab: Lab) -> None:
    await queue(db, list(range(1, 301)))
    async with working(db):
        await eventually(lambda: all_in(db, "delivered"), "300 texts delivered")
    assert await arrived(lab) == sorted(f"hello {n}" for n in range(1, 301))
    async with db.connection() as conn:
        assert await conn.fetchval("select count(*) from texts") == 0
        assert await conn.fetchval("select count(*) from parts where state = 'delivered'") == 300
        assert await conn.fetchval("select count(*) from nodes") == 0


async def test_two_workers_share_a_line_and_nothing_is_sent_twice(db: Database, lab: Lab) -> None:
    async with working(db, "one"), working(db, "two"):
        await queue(db, list(range(1, 301)))
        await eventually(lambda: all_in(db, "delivered"), "300 texts delivered")
    assert len(await arrived(lab)) == 300


async def test_who_claims_often_marks_where_the_queue_begins(
    db: Database, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliver_texts, "MARK", 0.0)
    async with db.connection() as conn:
        await conn.execute("update carriers set config = $1", smpp(lab, window=1))
    began = now()
    await queue(db, list(range(1, 41)))
    async with working(db):
        await eventually(lambda: all_in(db, "delivered"), "40 texts delivered, one by one")
    async with db.connection() as conn:
        marks = await conn.fetch("select tenant_id, carrier_id, marked_at >= $1 from queue_marks", began)
    assert [tuple(row) for row in marks] == [(TENANT, LINE, True)]


async def test_each_end_is_told_with_its_reason(db: Database, lab: Lab) -> None:
    bodies = {1: "#undeliv:012", 2: "#refuse:0x0B", 3: "#lose", 4: "#noreceipt", 5: "#expired", 6: "#early"}
    await queue(db, list(bodies))
    async with db.connection() as conn:
        for message_id, body in bodies.items():
            await conn.execute("update messages set body = $2 where message_id = $1", message_id, body)
    wanted = {1: "undelivered", 2: "failed", 3: "doubtful", 4: "sent", 5: "expired", 6: "delivered"}

    async def told() -> bool:
        async with db.connection() as conn:
            return {number: state for number, (state, _) in (await states(conn)).items()} == wanted

    async with working(db):
        await eventually(told, "every text at its end")
        async with db.connection() as conn:
            assert (await states(conn))[2] == ("failed", "unknown_number")


async def test_a_line_that_drops_loses_nothing_and_sends_nothing_twice(db: Database, lab: Lab) -> None:
    await queue(db, list(range(1, 401)))

    async def half() -> bool:
        return len(await arrived(lab)) >= 100

    async with working(db):
        await eventually(half, "a part of the texts")
        await http(lab, "POST", "/lines/drop", json={})

        async def none_waits() -> bool:
            async with db.connection() as conn:
                return not await conn.fetchval("select count(*) from texts where state in ('queued', 'sending')")

        await eventually(none_waits, "every text sent or in doubt")
    bodies = await arrived(lab)
    assert len(bodies) == len(set(bodies))
    async with db.connection() as conn:
        doubtful = {f"hello {n}" for n, (state, _) in (await states(conn)).items() if state == "doubtful"}
    assert {f"hello {n}" for n in range(1, 401)} - set(bodies) <= doubtful


async def test_a_reply_reaches_the_queue_and_a_stop_is_the_last_word(db: Database, lab: Lab) -> None:
    await queue(db, [1], destination=PHONE)

    async def chat_is(status: str) -> bool:
        async with db.connection() as conn:
            return bool(await conn.fetchval("select 1 from chats where direction = 'inbound' and status = $1", status))

    async with working(db):
        await eventually(lambda: all_in(db, "delivered"), "the text delivered")
        await reply(lab, "who is this? 😀 " + "long " * 60)
        await eventually(lambda: chat_is("queued"), "a chat in the queue")
        async with db.connection() as conn:
            said = await conn.fetchval("select body from messages where sender = 'end_user'")
        assert said == "who is this? 😀 " + "long " * 60
        await reply(lab, "Stop!")

        async def confirmed() -> bool:
            return any("START" in body for body in await arrived(lab))

        await eventually(confirmed, "the confirmation on the handset")
        assert await chat_is("failed")
        await queue(db, [2], destination=PHONE)

        async def refused() -> bool:
            async with db.connection() as conn:
                return (await states(conn))[2] == ("failed", "opted_out")

        await eventually(refused, "a later text refused")
    assert len(await arrived(lab)) == 2


async def test_a_text_ends_in_time_on_a_line_that_is_down(
    db: Database, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smsdesk.jobs.worker.EXPIRE", 0.1)
    async with db.connection() as conn:
        await conn.execute("update carriers set config = $1", smpp(lab, port=1))
        await queue_texts(conn, [1], due_at=now(), valid_until=now() + timedelta(seconds=1))
    async with working(db):
        await eventually(lambda: all_in(db, "expired"), "the text at its end")


async def test_each_tenant_is_a_system_of_its_own_at_the_lab(
    db: Database, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMSDESK_LAB", f"127.0.0.1:{lab.smpp_port}")
    async with db.connection() as conn:
        await conn.execute("insert into tenants values (2, 'other', '{}', now(), now())")
        await conn.execute("insert into carriers values (2, 2, 'lab', 'lab')")
        await conn.execute("update carriers set type = 'lab', config = $1", {})

    async def bound() -> bool:
        lines = [line for line in await http(lab, "GET", "/lines") if line["session"]]
        # The lab gives what comes back to any line of the system: under one name they would mix.
        return len(lines) == 2 and len({line["system_id"] for line in lines}) == 2

    async with working(db):
        await eventually(bound, "two lines under two names")


async def test_a_line_that_cannot_work_leaves_the_others_alone(db: Database, lab: Lab) -> None:
    async with db.connection() as conn:
        await conn.execute(
            "insert into carriers (tenant_id, carrier_id, name, type, config) values (1, 2, 'bad', 'smpp', $1)",
            smpp(lab, password={"env": "SMSDESK_TEST_NOT_SET"}),
        )
        await conn.execute("insert into carriers (tenant_id, carrier_id, name, type) values (1, 3, 'odd', 'pigeon')")
    await queue(db, [1])
    async with working(db) as worker:
        await eventually(lambda: all_in(db, "delivered"), "the text of the good line delivered")
        shown = worker.states()
        assert shown[1, "lab"] == "bound"
        assert "SMSDESK_TEST_NOT_SET" in shown[1, "bad"]
        assert "pigeon" in shown[1, "odd"]

        (before,) = await http(lab, "GET", "/lines")
        async with db.connection() as conn:
            await conn.execute("update carriers set config = $1 where carrier_id = 2", smpp(lab, system_id="other"))
            await conn.execute("update tenants set changed_at = $1", now())

        async def two_lines() -> bool:
            return worker.states()[1, "bad"] == "bound"

        await eventually(two_lines, "the corrected line bound")
        assert before["line"] in {line["line"] for line in await http(lab, "GET", "/lines")}
        async with db.connection() as conn:
            await conn.execute("delete from carriers where carrier_id = 2")
            await conn.execute("update tenants set changed_at = $1", now())

        async def gone() -> bool:
            return (1, "bad") not in worker.states()

        await eventually(gone, "the removed line gone")


async def test_a_claim_whose_answer_was_lost_is_given_back(
    db: Database, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliver_texts, "CHECK_HELD", 0.0)
    async with working(db):
        async with db.transaction() as conn:
            await queue_texts(conn, [1], due_at=now(), valid_until=now() + timedelta(hours=1))
            node_id = await conn.fetchval("select node_id from nodes")
            assert len(await texts.claim(conn, TENANT, LINE, texts.Wanted(1), node_id, now())) == 1
        await eventually(lambda: all_in(db, "delivered"), "the text delivered")
        async with db.connection() as conn:
            assert await conn.fetchval("select attempt from parts where state = 'delivered'") == 2
    assert await arrived(lab) == ["hello 1"]


async def test_a_line_that_died_of_a_fault_of_ours_works_again(
    db: Database, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smsdesk.jobs.lines.RESTART", 0.05)
    claim, faults = deliver_texts.claim_texts, [RuntimeError("a fault of ours")]

    async def faulty(*arguments: Any) -> Any:
        if faults:
            raise faults.pop()
        return await claim(*arguments)

    monkeypatch.setattr(deliver_texts, "claim_texts", faulty)
    async with working(db):
        await queue(db, [1])
        await eventually(lambda: all_in(db, "delivered"), "the text delivered")
    assert not faults


async def test_a_line_that_changes_while_outcomes_cannot_be_written_sends_nothing_twice(
    db: Database, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smsdesk.jobs.lines.SINK_CLOSE", 0.3)
    monkeypatch.setattr(deliver_texts, "CHECK_HELD", 0.0)
    await queue(db, [1])

    async def bound_lines() -> set[str]:
        return {line["line"] for line in await http(lab, "GET", "/lines") if line["session"]}

    async def text_arrived() -> bool:
        return await arrived(lab) == ["hello #slow:1"]

    async with db.connection() as conn:
        await conn.execute("update messages set body = 'hello #slow:1'")
    async with working(db):
        await eventually(text_arrived, "the text on the handset, its answer still to come")
        before = await bound_lines()
        async with db.transaction() as conn:
            await conn.execute("select from texts for update")  # nobody can write down what becomes of it
            async with db.connection() as other:
                await other.execute("update carriers set config = $1", smpp(lab, window=7, response_timeout=3))
                await other.execute("update tenants set changed_at = $1", now())

            async def changed() -> bool:
                after = await bound_lines()
                return bool(after) and not before & after

            await eventually(changed, "another line in place of the first")
            await asyncio.sleep(1)
        await eventually(lambda: all_in(db, "delivered"), "the text known by its receipt")
        await asyncio.sleep(1)
    assert await arrived(lab) == ["hello #slow:1"]


async def test_what_a_dead_node_was_sending_is_doubtful(
    db: Database, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smsdesk.jobs.worker.NODE_LIFE", timedelta(seconds=1))
    await queue(db, [1])
    async with db.connection() as conn:
        node_id = await nodes.new_id(conn)
        await nodes.renew(conn, node_id, "dead", now() - timedelta(minutes=1), now() - timedelta(seconds=50))
        assert len(await texts.claim(conn, TENANT, LINE, texts.Wanted(1), node_id, now())) == 1
    async with working(db):
        await eventually(lambda: all_in(db, "doubtful"), "the text in doubt")
    assert await arrived(lab) == []


async def test_a_long_reply_that_stays_incomplete_is_shown(
    db: Database, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smsdesk.jobs.worker.MISSING_PART_WAIT", timedelta(0))
    async with db.connection() as conn:
        await conn.execute(
            "insert into reply_parts values (1, 1, $1, $2, 5, 2, 1, 'half', $3, 'gsm7', '')", PHONE, OURS, now()
        )

    async def shown() -> bool:
        async with db.connection() as conn:
            return bool(await conn.fetchval("select 1 from messages where body like 'half[part 2 of 2%'"))

    async with working(db):
        await eventually(shown, "the half in a chat")


def test_secrets_are_read_where_they_are(tmp_path: Any) -> None:
    secret = tmp_path / "secret"
    secret.write_text("sesame\n")
    config = {"password": {"file": str(secret)}, "api_token": {"env": "TOKEN"}, "port": 1, "other": {"a": 1}}
    assert resolve_all(config, {"TOKEN": "abc"}) == {
        "password": "sesame", "api_token": "abc", "port": 1, "other": {"a": 1},
    }  # fmt: skip
    for missing in ({"password": {"env": "NOPE"}}, {"password": {"file": str(tmp_path / "nope")}}):
        with pytest.raises(SecretMissing, match="password"):
            resolve_all(missing, {})
