"""A year of made-up chats: rows that the product could have written and finds again, and nothing of them on Ctrl-C."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest

from smsdesk.bench.history.fill import SETUP, FillPlan, fill, read_filled, write_year
from smsdesk.bench.history.rows import ALL
from smsdesk.bench.history.year import phone, year_before
from smsdesk.bench.rig import OURS, TENANT, BenchError, Rig, rig, run
from smsdesk.domain.periods import period_of, period_of_id
from smsdesk.store import desk_lists
from tests.kit.api import set_up_two
from tests.kit.processes import until

PLACE = Path("/var/tmp")
LIMIT = 180.0
NOW = datetime(2026, 3, 2, 17, 20, 51, tzinfo=UTC)
TOLD = {
    "direction", "status", "lang", "fail_reason", "disconnected_by", "chat_type", "span_count", "menu_tries",
    "offer_type", "answer_type", "verified", "type", "role", "sender", "encoding", "parts", "state", "code", "attempt",
    "part", "cast_number", "reserves", "number",
}  # fmt: skip
"""Columns whose values are compared; of all others whether there is one."""

pytestmark = pytest.mark.xdist_group("bench")


async def written(database: str, chats: int, seed: int = 1) -> "asyncpg.Connection[asyncpg.Record]":
    """A connection to a database with a year in it. The foreign keys are checked, row by row."""
    conn = await asyncpg.connect(database)
    await set_up_two(conn)
    await write_year([conn], 1, year_before(NOW, chats, seed), lambda _: None, NOW)
    return conn


async def test_as_many_as_were_wanted_in_the_months_of_a_year(database: str) -> None:
    conn = await written(database, 1_200)
    rows = await conn.fetch("select chat_id, created_at, ends_at from chats order by created_at")
    assert len(rows) == 1_200
    assert {period_of_id(row["chat_id"]) for row in rows} == {period_of(row["created_at"]) for row in rows}
    assert len({row["created_at"].month for row in rows}) == 12
    assert all(row["created_at"] <= row["ends_at"] < NOW for row in rows)
    assert 2.9 < await conn.fetchval("select count(*) from messages") / 1_200 < 3.2
    assert 0.28 < 1 - await conn.fetchval("select count(*) from end_users") / 1_200 < 0.37
    assert await conn.fetchval("select count(*) from texts") == 0
    assert await conn.fetchval("select sum(texts) from usage") == await conn.fetchval("select count(*) from parts")
    assert await conn.fetchval("select nextval('id_blocks')") > await conn.fetchval(
        "select max(message_id) from messages"
    )
    await conn.close()


async def test_nothing_of_the_schema_is_missing_afterwards(database: str) -> None:
    shape = """
        select string_agg(d, E'\n' order by d) from (
            select pg_get_indexdef(i.indexrelid) from pg_index i join pg_class c on c.oid = i.indrelid
            where c.relnamespace = 'public'::regnamespace and c.relname = any ($1)
            union all select pg_get_constraintdef(oid) || conrelid::regclass from pg_constraint where convalidated
        ) x (d)
    """
    conn = await asyncpg.connect(database)
    before = await conn.fetchval(shape, list(ALL))
    await conn.close()
    conn = await written(database, 300)
    after = await conn.fetchval(shape, list(ALL))
    assert set(before.split("\n")) <= set(after.split("\n"))
    assert await conn.fetchval("select count(*) from pg_class where relname like 'history%'") == 0
    await conn.close()


async def test_a_seed_makes_the_same_chats_again_and_another_others(database: str) -> None:
    async def told(seed: int) -> list[Any]:
        await conn.execute(f"truncate {', '.join(ALL)} cascade")
        await write_year([conn], 1, year_before(NOW, 300, seed), lambda _: None, NOW)
        return [
            *map(tuple, await conn.fetch("select chat_id, direction, ends_at, agent_id from chats order by 1")),
            *map(tuple, await conn.fetch("select message_id, body from messages order by 1")),
        ]

    conn = await written(database, 300)
    first, again, other = await told(7), await told(7), await told(8)
    assert first == again != other
    numbers = await conn.fetch("select number from end_users order by created_at limit 2")
    assert [row["number"] for row in numbers] == [phone(0, 8), phone(1, 8)]
    await conn.close()


async def test_an_agents_lists_read_no_chats_of_others(database: str) -> None:
    conn = await written(database, 300)  # analyzed while no chat is open: PostgreSQL thinks that none ever is
    await conn.execute("set plan_cache_mode = force_generic_plan")
    lists = [desk_lists._PICK.format(each) for each in desk_lists._LISTS.values()]
    for statement in (desk_lists._COUNT, *lists):
        values = (1, 1) if statement is desk_lists._COUNT else (1, 1, -1, 0, 0, 9, 0, 0, 50)
        plan = "\n".join(row[0] for row in await conn.fetch(f"explain {statement}", *values))
        for index in re.findall(r"Scan using (chats_\w+) [^\n]*\n *Index Cond: \(tenant_id = [^)]*\)\n", plan):
            raise AssertionError(f"reads {index} by the tenant alone:\n{plan}")
        assert "chats_open" not in plan
    await conn.close()


async def test_consumers_come_back_one_chat_after_the_other(database: str) -> None:
    conn = await written(database, 3_000)
    overlapping = """
        select count(*) from chats a join chats b on b.end_user_id = a.end_user_id and b.created_at > a.created_at
        where b.created_at < a.ends_at
    """
    assert await conn.fetchval(overlapping) == 0
    former = "select count(*), bool_and(f.end_user_id = c.end_user_id and f.ends_at < c.created_at) from chats c"
    (found,) = await conn.fetch(f"{former} join chats f on f.chat_id = c.previous_chat_id")
    count, right = found
    assert count > 100
    assert right
    most = "select max(n) from (select count(*) as n from chats group by end_user_id) x"
    assert await conn.fetchval(most) == 10
    await conn.close()


def test_a_folder_in_use_is_left_alone_and_a_disk_is_not_filled(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="GB free"):
        fill(tmp_path / "new", FillPlan(10**11), lambda _: None)
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "a.txt").write_text("mine")
    with pytest.raises(BenchError, match="is not empty"):
        fill(tmp_path / "kept", FillPlan(300), lambda _: None)
    with pytest.raises(BenchError, match="no folder that"):
        read_filled(tmp_path / "kept")
    assert (tmp_path / "kept" / "a.txt").read_text() == "mine"
    assert read_filled(tmp_path / "none") is None


@pytest.mark.slow
def test_ctrl_c_leaves_nothing_behind() -> None:
    folder = Path(PLACE / f"smsdesk-bench-test-{os.getpid()}")
    words = [sys.executable, "-m", "smsdesk", "bench", "fill", "--data", str(folder), "--chats", "1000000"]
    with subprocess.Popen(words, stderr=subprocess.PIPE, start_new_session=True) as process:
        deadline = time.monotonic() + LIMIT
        while not list(folder.glob("postgres/data/base/*/[0-9]*")):  # it is at work
            assert process.poll() is None, process.stderr.read() if process.stderr else ""
            assert time.monotonic() < deadline
            time.sleep(0.05)
        os.kill(process.pid, signal.SIGINT)
        process.wait(LIMIT)
    assert process.returncode != 0
    assert not folder.exists()


@pytest.mark.slow
def test_the_bench_tells_both_sides_and_their_ratios(place: Path) -> None:
    words = ["history", "--chats", "600", "--rounds", "1", "--seconds", "1", "--json", "--data", str(place / "year")]
    command = [sys.executable, "-m", "smsdesk", "bench", *words]
    for _ in range(2):  # a folder that is kept is measured as often as one likes
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            try:
                said, errors = process.communicate(timeout=2 * LIMIT)
            finally:
                process.terminate()  # it ends all that it has started
        assert process.returncode == 0, errors
    (report,) = json.loads(said)["reports"]
    rates = {row["name"]: row["per_second"] for row in report["rows"]}
    for entry in report["headlines"]:
        if entry["unit"] == "x":
            what = entry["name"].removesuffix(", full / empty")
            assert entry["least"] == 0.9
            assert entry["value"] == pytest.approx(rates[f"{what}, full"] / rates[f"{what}, empty"], abs=0.02)
    sizes = {entry["name"].strip(): entry["value"] for entry in report["headlines"] if entry["unit"] == "B"}
    assert sizes["on disk for each chat, with indexes"] > sizes["of it messages"] > 300
    assert {"accepted, 64 connections, full", "delivered, with receipts, empty"} <= {
        each["name"] for each in report["costs"] if each["cpu_us_each"] > 0
    }


# The rows of chats that really went through the product, and of those that are made up.


class Story:
    """A consumer and an agent, over the lab and the API."""

    def __init__(self, built: Rig, http: aiohttp.ClientSession, port: int) -> None:
        self.built, self.http, self.base = built, http, f"http://127.0.0.1:{port}/apps/api/v1"
        self.auth = {"Authorization": aiohttp.encode_basic_auth(TENANT, built.token)}

    async def call(self, method: str, path: str, body: object = None) -> Any:
        async with self.http.request(method, self.base + path, json=body, headers=self.auth) as answer:
            said = await answer.json()
            assert answer.status < 300, said
            return said

    async def say(self, consumer: str, body: str) -> None:
        url = f"http://127.0.0.1:{self.built.lab_http_port}/handsets/{consumer}/reply"
        async with self.http.post(url, json={"to": OURS, "body": body}) as answer:
            await answer.read()

    async def notice(self, consumer: str) -> int:
        fields = {"chat_type": "Messaging (SMS)", "end_user_number": consumer, "outbound_number": OURS}
        sent = await self.call("POST", "/sms", {**fields, "message": "Your order 1000001 is ready."})
        await self.quiet()
        return int(sent["id"])

    async def quiet(self) -> None:
        """No text is on its way."""

        async def none() -> bool:
            return await self.built.value("select count(*) from texts") == 0

        await until(none, 20.0, "the texts to arrive")

    async def converse(self, consumer: str, body: str) -> int:
        """The consumer writes; whoever is asked takes the chat, answers three times and ends it."""
        await self.say(consumer, body)

        async def asked() -> Any:
            return await self.built.rows(
                "select o.chat_id, o.agent_id from offers o join chats c using (tenant_id, chat_id)"
                " join end_users e using (tenant_id, end_user_id) where e.number = $1 and o.state = 'open'", consumer
            )  # fmt: skip

        ((chat_id, agent_id),) = await until(asked, 20.0, "an agent to be asked")
        await self.call("POST", f"/chats/{chat_id}/accept", {"agent_id": agent_id})
        for turn in range(3):
            if turn:
                await self.say(consumer, f"and then, {turn}?")

                async def there(count: int = turn + 1) -> bool:
                    said = "select count(*) from messages where chat_id = $1 and sender = 'end_user'"
                    return await self.built.value(said, chat_id) == count

                await until(there, 20.0, "the reply")
            words = {"type": "text", "content": f"Answer {turn}."}
            await self.call("POST", f"/chats/{chat_id}/message", {"from_user_id": agent_id, "message": words})
        await self.quiet()
        ending = {"chat": {"status": "finished"}, "finished_by_user_id": agent_id}
        await self.call("PATCH", f"/chats/{chat_id}", ending)
        noted = {"agent_id": agent_id, "disposition": "Question", "done": True}
        await self.call("PUT", f"/chats/{chat_id}/wrap_up", noted)
        return int(chat_id)


@pytest.fixture(scope="module")
def lived() -> Iterator[tuple[Rig, dict[str, int]]]:
    """A database with a chat of each kind that really happened, and a year beside them."""
    with rig(None, SETUP) as built:
        built.lab()
        _, port = built.api()
        built.worker()
        chats = run(_live(built, port))

        async def write() -> None:
            conn = await asyncpg.connect(built.dsn)
            await write_year([conn], built.tenant_id, year_before(datetime.now(UTC), 600, 1), lambda _: None, NOW)
            await conn.close()

        run(write())
        yield built, chats


async def _live(built: Rig, port: int) -> dict[str, int]:
    async with aiohttp.ClientSession() as http:
        story = Story(built, http, port)
        (agent_id, *_) = [row[0] for row in await built.rows("select agent_id from agents order by 1")]
        await story.call("PUT", f"/agents/{agent_id}/status", {"status": "available"})
        chats = {"notice": await story.notice("+12125550101")}
        await built.rows("update chats set expires_at = now() where chat_id = $1", chats["notice"])
        await story.notice("+12125550102")
        chats["answered"] = await story.converse("+12125550102", "Thanks! When?")
        chats["inbound"] = await story.converse("+12125550103", "Is it ready?")
        chats["again"] = await story.converse("+12125550103", "Me again")

        async def over() -> bool:
            open_ones = await built.value("select count(*) from chats where ends_at is null")
            unread = (
                "select count(*) from messages m where not exists (select from message_words w where w.message_id ="
            )
            return open_ones == 0 and await built.value(f"{unread} m.message_id)") == 0

        await until(over, 60.0, "the notice to expire and the words to be written")
        return chats


MADE = {
    "notice": "c.direction = 'outbound' and c.status = 'failed' and m.state = 'delivered' and c.ticket_id is null",
    "answered": "c.direction = 'outbound' and c.status = 'finished' and c.ticket_id is null",
    "inbound": "c.direction = 'inbound' and u.created_at = c.created_at",
    "again": "c.direction = 'inbound' and u.created_at < c.created_at",
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", MADE)
def test_rows_are_as_those_that_the_product_writes(lived: tuple[Rig, dict[str, int]], kind: str) -> None:
    built, chats = lived
    ((made,),) = run(
        built.rows(
            "select c.chat_id from chats c join messages m using (chat_id) join end_users u using (end_user_id)"
            f" where c.chat_id > 100000000000 and {MADE[kind]} limit 1"
        )
    )
    for table in ALL:
        if table != "usage":
            assert shape(built, table, made) == shape(built, table, chats[kind]), table


def shape(built: Rig, table: str, chat_id: int) -> list[str]:
    """The rows that a chat has in a table, without what is its own."""
    which = (
        "end_user_id = (select end_user_id from chats where chat_id = $1)" if table == "end_users" else "chat_id = $1"
    )
    rows = run(built.rows(f"select to_jsonb(t)::text from {table} t where {which}", chat_id))
    found = []
    for (raw,) in rows:
        row = json.loads(raw)
        if row.get("sender") == "agent":
            del row["credential_id"]  # at the desk there is none
        if table == "messages":
            del row["quiet_rule"]  # there is one where it is evening now
        if table == "end_users":
            del row["number"]
        if table == "message_words":
            row = {"tenant": "'t:1'" in row["words"]}
        found.append(json.dumps({key: value if key in TOLD else value is not None for key, value in row.items()}))
    return sorted(found)


@pytest.mark.slow
def test_words_are_as_the_products_own(lived: tuple[Rig, dict[str, int]]) -> None:
    built, _ = lived
    other = """
        select count(*) from messages m join message_words w using (tenant_id, chat_id, message_id)
        where w.words <> to_tsvector('simple', m.body) || array_to_tsvector(array['t:' || m.tenant_id])
    """
    assert run(built.value(other)) == 0
    assert run(built.value("select count(*) from message_words")) == run(built.value("select count(*) from messages"))


@pytest.mark.slow
def test_the_product_finds_them_again(lived: tuple[Rig, dict[str, int]]) -> None:
    built, _ = lived

    async def asked() -> None:
        ((chat_id, message_id, number, body),) = await built.rows(
            "select c.chat_id, m.message_id, e.number, m.body from chats c join messages m using (chat_id)"
            " join end_users e using (end_user_id) where m.sender = 'api' and m.body ~ ' 1000[0-9]{3} ' limit 1"
        )
        _, port = built.api()
        async with aiohttp.ClientSession() as http:
            story = Story(built, http, port)
            for query in (f"q={re.findall(r'1000[0-9]{3}', body)[0]}", f"number=%2B{number[1:]}"):
                assert chat_id in [chat["id"] for chat in await story.call("GET", f"/chats?{query}")], query
            messages = await story.call("GET", f"/chats/{chat_id}/messages")
            assert str(message_id) in json.dumps(messages)
            traced = await story.call("GET", f"/texts/{message_id}")
            assert "delivered" in json.dumps(traced)

    run(asyncio.wait_for(asked(), LIMIT))
