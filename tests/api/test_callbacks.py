"""What carriers post: proven first, on disk before the answer, once however often it comes, and never backwards."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest
from structlog.testing import capture_logs

from smsdesk.api import callbacks, facts
from smsdesk.store import nodes
from smsdesk.wiring import http_server
from tests.api.posting import DOOR, SECRET, line, post, prove, sent, set_up
from tests.kit.api import CONSUMER, Answer, Api
from tests.kit.processes import until

__all__ = ["line"]

NOT_FOUND = (404, {"message": "Not Found"})


async def call(api: Api, path: str, method: str = "POST", **more: object) -> Answer:
    return await api.call(method, path, auth=None, **more)


async def state(api: Api, message_id: int) -> str:
    found: str = await api.db.fetchval(
        "select coalesce(m.state, t.state) from messages m left join texts t using (tenant_id, message_id) "
        "where m.message_id = $1", message_id,
    )  # fmt: skip
    return found


async def test_a_receipt_is_on_disk_when_it_is_answered(api: Api, line: int) -> None:
    message_id = await sent(api, line, "one")
    answer = await post(api, {"receipts": [["one", "delivered", None]]})
    assert (answer.status, answer.body) == (204, b"")
    assert await state(api, message_id) == "delivered"


async def test_the_proof_is_over_the_path_and_the_query_as_they_came(api: Api, line: int) -> None:
    rest, query = "a%2Fb/c", "x=1%202&y="
    proof = prove(SECRET, rest, query, b"")
    # The client would write the address anew: it goes out as it is.
    reader, writer = await asyncio.open_connection("127.0.0.1", int(api.base_url.rpartition(":")[2]))
    writer.write(
        f"GET {DOOR}/{rest}?{query} HTTP/1.1\r\nHost: x\r\nX-PROOF: {proof}\r\nConnection: close\r\n\r\n".encode()
    )
    answer = await reader.read()
    writer.close()
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"content-type: text/plain" in answer
    assert answer.endswith(b"\r\n\r\n2026 a%2Fb/c x=1%202&y=")


async def test_a_name_may_hold_any_letter(api: Api, line: int) -> None:
    await set_up(api, "web / zwei ä", "posting", {"shared_secret": SECRET})
    answer = await call(
        api, "/callbacks/acme/web%20%2F%20zwei%20%C3%A4", headers={"X-Proof": prove(SECRET, "", "", b"")}
    )
    assert answer.status == 204


async def test_what_is_not_there_and_what_posts_nothing_are_told_alike(api: Api, line: int) -> None:
    for path in ("nobody/web", "acme/none", "acme/lab", "other/web", "acme", "acme/", "", "/acme/web"):
        answer = await call(api, f"/callbacks/{path}", headers={"X-Proof": prove(SECRET, "", "", b"")})
        assert (answer.status, answer.json) == NOT_FOUND, path
    answer = await call(api, DOOR, "PUT")
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, POST")


async def test_forgeries_change_nothing_and_are_counted(api: Api, line: int) -> None:
    message_id = await sent(api, line, "one")
    said = {"receipts": [["one", "failed", None]], "replies": [["r1", f"call me on {CONSUMER}"]]}
    with capture_logs() as logged:
        answers = await asyncio.gather(*(post(api, said, secret="guess") for _ in range(20)))
        answers.append(await call(api, DOOR, json=said))
        api.clock.forward(seconds=61)
        answers.append(await post(api, said, secret="guess"))
    assert {(answer.status, answer.json["message"]) for answer in answers} == {
        (403, "the header X-Proof is wrong"), (403, "the header X-Proof is missing"),
    }  # fmt: skip
    assert [(line["event"], line["carrier"], line["count"]) for line in logged] == [
        ("callback refused", "web", 1), ("callback refused", "web", 22),
    ]  # fmt: skip
    assert CONSUMER not in str(logged)
    assert (await state(api, message_id), await api.count("received")) == ("sent", 0)


async def test_a_proof_is_good_for_its_own_line_alone(api: Api, line: int) -> None:
    await set_up(api, "second", "posting", {"shared_secret": "another"})
    answer = await call(api, "/callbacks/acme/second", headers={"X-Proof": prove(SECRET, "", "", b"")})
    assert answer.status == 403


async def test_a_key_changes_while_the_server_runs(api: Api, line: int, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("new")
    assert (await post(api, {}, secret="new")).status == 403
    await set_up(api, "web", "posting", {"shared_secret": {"file": str(key)}, "previous_secret": {"env": "WEB_SECRET"}})
    for secret, status in ((SECRET, 204), ("new", 204), ("newest", 403)):
        assert (await post(api, {}, secret=secret)).status == status
    key.write_text("newest")
    api.clock.forward(seconds=1)
    for secret, status in (("newest", 204), ("new", 403)):
        assert (await post(api, {}, secret=secret)).status == status


async def test_without_its_secret_a_line_takes_nothing_and_says_so(
    api: Api, line: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.clock.forward(seconds=1)
    monkeypatch.delenv("WEB_SECRET")
    with capture_logs() as logged:
        answer = await post(api, {"replies": [["r1", "hello"]]})
    assert (answer.status, answer.headers["Retry-After"]) == (503, "60")
    assert [(line["log_level"], "WEB_SECRET is not set" in line["why"]) for line in logged] == [("error", True)]
    monkeypatch.setenv("WEB_SECRET", SECRET)
    assert (await post(api, {"replies": [["r1", "hello"]]})).status == 204


async def test_what_cannot_be_stored_is_not_acknowledged(api: Api, line: int, cluster_dsn: str) -> None:
    message_id = await sent(api, line, "one")
    said = {"receipts": [["one", "delivered", None]], "replies": [["r1", "hello"]]}
    name = await api.db.fetchval("select current_database()")
    server = await asyncpg.connect(cluster_dsn)
    await server.execute(f'alter database "{name}" allow_connections false')
    await api.db.execute(
        "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
        " where datname = current_database() and pid <> pg_backend_pid()"
    )
    answer = await post(api, said)
    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
    await server.execute(f'alter database "{name}" allow_connections true')
    await server.close()
    assert [(await post(api, said)).status for _ in range(2)] == [204, 204]
    assert (await state(api, message_id), await api.count("received")) == ("delivered", 1)


async def test_each_reply_is_one_message_however_often_and_parallel_it_comes(api: Api, line: int) -> None:
    """R27: each callback comes 1 to 5 times at once."""
    wanted = [f"reply {n}" for n in range(25)]
    posts = [
        post(api, {"replies": [[f"r{n}", body]], "from": f"+1415555{n % 10:04}"})
        for n, body in enumerate(wanted)
        for _ in range(1 + n % 5)
    ]
    assert {answer.status for answer in await asyncio.gather(*posts)} == {204}
    bodies = await api.db.fetch("select body from messages where sender = 'end_user'")
    assert sorted(row["body"] for row in bodies) == sorted(wanted)


async def test_a_stop_is_answered_when_nothing_more_can_leave(api: Api, line: int) -> None:
    message_id = await sent(api, line, "one")
    await api.db.execute("update texts set state = 'sending', node_id = 7")
    async with api.services.db.connection() as conn:
        await nodes.renew(conn, 7, "test", api.clock.now, api.clock.now + timedelta(seconds=10))
    answering = asyncio.create_task(post(api, {"replies": [["r1", "STOP"]]}))
    await until(lambda: api.count("opt_outs"), 5, "the STOP is on disk")
    done, _ = await asyncio.wait({answering}, timeout=3 * facts.SETTLE_PAUSE)
    assert not done
    await api.db.execute("update texts set state = 'sent', node_id = null where message_id = $1", message_id)
    assert (await answering).status == 204
    assert await api.db.fetchval("select quiet_at is not null from opt_outs")


async def test_a_stop_is_answered_in_time_whatever_is_on_the_wire(
    api: Api, line: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facts, "SETTLE_LIMIT", 0.2)
    await sent(api, line, "one")
    await api.db.execute("update texts set state = 'sending', node_id = 7")
    async with api.services.db.connection() as conn:
        await nodes.renew(conn, 7, "test", api.clock.now, api.clock.now + timedelta(seconds=10))
    assert (await post(api, {"replies": [["r1", "STOP"]]})).status == 204
    assert await api.db.fetchval("select quiet_at is null from opt_outs")


async def test_a_confirmation_wakes_whoever_delivers(api: Api, line: int) -> None:
    woken: list[int] = []
    endpoint = callbacks.CallbackEndpoint(replace(api.services, wake=woken.append))
    async with served(endpoint) as base_url:
        await api.db.execute("insert into blocked_numbers (tenant_id, number, at) values (1, $1, now())", CONSUMER)
        assert (await post(replace(api, base_url=base_url), {"replies": [["r1", "hello"]]})).status == 204
        assert woken == []  # nothing is said to a blocked number
        await api.db.execute("delete from blocked_numbers")
        assert (await post(replace(api, base_url=base_url), {"replies": [["r2", "STOP"]]})).status == 204
    assert woken == [1]


@asynccontextmanager
async def served(app: callbacks.CallbackEndpoint) -> AsyncIterator[str]:
    server = http_server(app)
    listening = socket.create_server(("127.0.0.1", 0))
    serving = asyncio.create_task(server.serve([listening]))
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    await serving


async def test_what_is_proven_and_not_understood_is_kept_once(api: Api, line: int) -> None:
    with capture_logs() as logged:
        answers = [await post(api, ["my words"]) for _ in range(3)]
    assert {(answer.status, answer.json["message"]) for answer in answers} == {(400, "the body is no object")}
    (kept,) = await api.db.fetch("select carrier_id, state, code, number from orphan_receipts")
    assert tuple(kept) == (line, "unreadable", 'the body is no object:  ["my words"]', None)
    assert [line["event"] for line in logged] == ["callback not understood"]
    assert "my words" not in str(logged)


async def test_a_receipt_of_an_unknown_text_is_kept(api: Api, line: int) -> None:
    assert (await post(api, {"receipts": [["nobody's", "delivered", None]]})).status == 204
    (kept,) = await api.db.fetch("select carrier_part_id, state, number from orphan_receipts")
    assert tuple(kept) == ("nobody's", "delivered", CONSUMER)


@pytest.mark.parametrize(("size", "status"), [(callbacks.MOST_BODY, 204), (callbacks.MOST_BODY + 1, 413)])
async def test_the_size_of_a_body_has_an_end(api: Api, line: int, size: int, status: int) -> None:
    body = b"{}" + b" " * (size - 2)
    answer = await call(api, DOOR, data=body, headers={"X-Proof": prove(SECRET, "", "", body)})
    assert answer.status == status


async def test_a_body_that_does_not_come_is_not_waited_for(
    api: Api, line: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callbacks, "BODY_WITHIN", 0.1)
    reader, writer = await asyncio.open_connection("127.0.0.1", int(api.base_url.rpartition(":")[2]))
    writer.write(f"POST {DOOR} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf".encode())
    assert (await reader.read(100)).startswith(b"HTTP/1.1 408 ")
    writer.close()


async def test_a_crowd_is_told_to_come_again(api: Api, line: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callbacks, "MOST_WAITING", 0)
    answer = await post(api, {})
    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")


async def test_nesting_and_our_own_faults_are_answered_and_quote_nothing(api: Api, line: int) -> None:
    deep = b"[" * 100_000
    answer = await call(api, DOOR, data=deep, headers={"X-Proof": prove(SECRET, "", "", deep)})
    assert (answer.status, await api.count("orphan_receipts")) == (400, 0)
    with capture_logs() as logged:
        answer = await post(api, {"broken": f"call me on {CONSUMER}"})
    assert answer.status == 500
    assert [(line["event"], line["error"]) for line in logged] == [("callback failed", "KeyError")]
    assert CONSUMER not in str(logged)
