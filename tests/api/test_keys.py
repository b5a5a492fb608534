"""Every write is done once under its key: again, at the same time, and through kills."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest

from smsdesk.api.services import Services
from smsdesk.store.api_keys import KEPT, forget_keys
from smsdesk.wiring import build_app, http_server
from tests.kit.api import Answer, Api
from tests.kit.processes import Server, serving, until

HELLO = {"from_user_id": 1, "message": {"content": "hello"}}


@pytest.fixture
async def chat(api: Api) -> int:
    """An open chat of agent 1."""
    chat_id: int = (await api.send(agentId=1)).json["id"]
    return chat_id


async def say(api: Api, chat: int, key: str, body: object = HELLO) -> Answer:
    path = f"/apps/api/v1/chats/{chat}/message"
    return await api.call("POST", path, json=body, headers={"Idempotency-Key": key})


async def said(api: Api) -> int:
    count: int = await api.db.fetchval("select count(*) from messages where sender = 'agent' and body <> 'lorem ipsum'")
    return count


async def test_the_same_request_again_gets_the_same_answer_and_does_nothing(api: Api, chat: int) -> None:
    first = await say(api, chat, "one")
    api.clock.forward(days=20)
    again = await say(api, chat, "one")
    assert (first.status, await said(api)) == (200, 1)
    assert (again.status, again.body) == (200, first.body)
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["Content-Type"] == first.headers["Content-Type"]


async def test_it_is_answered_so_although_it_could_not_be_done_now(api: Api, chat: int) -> None:
    first = await say(api, chat, "one")
    ended = await api.call("PATCH", f"/apps/api/v1/chats/{chat}", json={"chat": {"status": "finished"}})
    assert ended.status == 200
    assert (await say(api, chat, "one")).body == first.body
    assert (await say(api, chat, "two")).json == {"message": "Chat is already ended"}


async def test_another_request_under_the_key_is_refused(api: Api, chat: int) -> None:
    await say(api, chat, "one")
    other_body = await say(api, chat, "one", {**HELLO, "message": {"content": "bye"}})
    assert (other_body.status, other_body.json) == (
        422, {"message": "Idempotency-Key was used with another request"},
    )  # fmt: skip
    end, key = {"chat": {"status": "finished"}}, {"Idempotency-Key": "one"}
    other_route = await api.call("PATCH", f"/apps/api/v1/chats/{chat}", json=end, headers=key)
    assert other_route.status == 422
    assert await said(api) == 1
    assert (await api.call("GET", f"/apps/api/v1/chats/{chat}")).json["ends_at"] is None


async def test_a_refused_request_leaves_no_key(api: Api, chat: int) -> None:
    refused = await say(api, chat, "one", {**HELLO, "from_user_id": 2})
    assert refused.status in (400, 409)
    assert await api.count("request_keys") == 0
    assert (await say(api, chat, "one")).status == 200


async def test_what_a_refused_request_wrote_before_is_taken_back(api: Api, chat: int) -> None:
    """A new phone is written before it turns out that it cannot be this person's."""
    await api.db.execute("update end_users set identifier = 'first' where tenant_id = 1")
    body, headers = {"identifier": "second", "phone": "+14155550100"}, {"Idempotency-Key": "one"}
    refused = await api.call("POST", "/apps/api/v1/end_users", json=body, headers=headers)
    assert refused.status == 409
    assert (await api.count("end_users"), await api.count("request_keys")) == (1, 0)


async def test_of_many_at_one_moment_one_is_done_and_all_get_its_answer(api: Api, chat: int) -> None:
    answers = await asyncio.gather(*(say(api, chat, "one") for _ in range(12)))
    assert {answer.status for answer in answers} == {200}
    assert len({answer.body for answer in answers}) == 1
    assert await said(api) == 1
    assert sum("Idempotent-Replayed" not in answer.headers for answer in answers) == 1


async def test_keys_are_the_tenants_own(api: Api, chat: int) -> None:
    await say(api, chat, "one")
    theirs = {"auth": ("other", "other-secret"), "headers": {"Idempotency-Key": "one"}}
    body = {"identifier": "x", "phone": "+14155550123"}
    assert (await api.call("POST", "/apps/api/v1/end_users", json=body, **theirs)).status == 200


async def test_what_can_be_no_key_is_refused(api: Api, chat: int) -> None:
    for key in ("", " ", "x" * 256):
        refused = await say(api, chat, key)
        assert (refused.status, refused.json) == (400, {"message": "Idempotency-Key must have 1 to 255 characters"})
    assert await said(api) == 0


async def test_without_a_credential_nothing_is_told_of_a_key(api: Api, chat: int) -> None:
    await say(api, chat, "one")
    path, headers = f"/apps/api/v1/chats/{chat}/message", {"Idempotency-Key": "one"}
    stranger = await api.call("POST", path, json=HELLO, headers=headers, auth=("acme", "wrong"))
    assert stranger.status == 401
    assert "WWW-Authenticate" in stranger.headers


async def test_repetitions_count_as_requests(api: Api, chat: int) -> None:
    await say(api, chat, "one")
    await api.set(requests_per_second=1)
    answers = [await say(api, chat, "one") for _ in range(3)]
    assert answers[0].status == 200
    assert 429 in {answer.status for answer in answers}


async def test_reads_take_no_key(api: Api, chat: int) -> None:
    for status in ("ongoing", "assigned"):
        await api.db.execute("update chats set status = $1", status)
        read = await api.call("GET", f"/apps/api/v1/chats/{chat}", headers={"Idempotency-Key": "one"})
        assert read.json["status"] == status
    assert await api.count("request_keys") == 0


async def test_a_key_is_forgotten_after_its_time(api: Api, chat: int) -> None:
    await say(api, chat, "one")
    for age, left in ((KEPT - timedelta(minutes=1), 1), (KEPT + timedelta(minutes=1), 0)):
        await forget_keys(api.db, 1, api.clock() + age - KEPT)
        assert await api.count("request_keys") == left


async def test_whoever_delivers_is_told_of_a_text_once_it_can_be_seen(api: Api, chat: int) -> None:
    """The handler tells of it before the commit, and what is told then is of no use."""
    one_at_a_time, looks = asyncio.Lock(), []

    async def look() -> int:
        async with one_at_a_time:
            count: int = await api.db.fetchval("select count(*) from texts where kind = 'answer'")
            return count

    def wake(_tenant_id: int) -> None:
        looks.append(asyncio.create_task(look()))

    async with served(replace(api.services, wake=wake)) as base_url:
        there = replace(api, base_url=base_url)
        assert (await say(there, chat, "one")).status == 200
    assert (await asyncio.gather(*looks))[-1] == 1


@asynccontextmanager
async def served(services: Services) -> AsyncIterator[str]:
    """The API with these services on a port of its own."""
    server = http_server(build_app(services))
    listening = socket.create_server(("127.0.0.1", 0))
    serving_task = asyncio.create_task(server.serve([listening]))
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    await serving_task


@pytest.mark.slow
async def test_no_kill_does_a_request_twice_or_loses_it(api: Api, chat: int, database: str, tmp_path: Path) -> None:
    """A client that asks until it is answered, and a server that dies again and again under it."""
    done: list[tuple[str, bytes]] = []
    async with serving(tmp_path, role="api", database=database) as server, aiohttp.ClientSession() as http:
        client = asyncio.create_task(_ask_all(server, http, chat, done))
        for kill in range(3):
            await until(lambda kill=kill: _reached(done, 15 * (kill + 1)), 60, "answers")
            server.kill()
            await server.start()
        await client
        for key, body in done[::9]:
            assert (await say(api, chat, key)).body == body
    assert len({body for _, body in done}) == len(done) == await said(api)


async def _reached(done: list[tuple[str, bytes]], count: int) -> bool:
    return len(done) >= count


async def _ask_all(server: Server, http: aiohttp.ClientSession, chat: int, done: list[tuple[str, bytes]]) -> None:
    for number in range(60):
        key = f"key-{number}"
        done.append((key, await until(lambda key=key: _ask(server, http, chat, key), 60, key)))


async def _ask(server: Server, http: aiohttp.ClientSession, chat: int, key: str) -> bytes | None:
    headers = {"Idempotency-Key": key, "Authorization": aiohttp.encode_basic_auth("acme", "secret")}
    with suppress(aiohttp.ClientError, ConnectionError):
        async with http.post(
            f"{server.base_url}/apps/api/v1/chats/{chat}/message", json=HELLO, headers=headers
        ) as answer:
            body = await answer.read()
            assert answer.status in (200, 500, 503), body
            return body if answer.status == 200 else None
    return None
